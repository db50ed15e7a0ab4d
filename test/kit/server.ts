import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JournalEventType, StoredEvent } from '../../src/journal/events.js';
import type { SipTarget } from './raw-peer.js';
import { scratchFolder } from './scratch.js';
import { until } from './until.js';

/** The repository's root: tests, benches and `npm run` all start there. */
export const ROOT = process.cwd();
export const CLI = join(ROOT, 'dist/cli/parley.js');

/** How a test's server differs from `parley serve` without any configuration. */
export interface ServerOptions {
  env?: Record<string, string>;
  args?: readonly string[];
  /** Where its data lie, instead of a folder that is deleted with it. */
  data?: string;
  /** Its threads can be crashed and hung: {@link Server.fault}. */
  faults?: boolean;
  /** Working folder, whose parley.yaml, agents/ and dialplans/ are used; the repository's by default. */
  cwd?: string;
}

/** One line of the server's log. */
export interface LogLine {
  level: number;
  msg?: string;
  [key: string]: unknown;
}

/** An event of one type. */
export type EventOf<T extends JournalEventType> = StoredEvent & { type: T };

/** `GET /v1/stats`: counts of what is open now. */
export interface Stats {
  [name: string]: number | Stats;
}

/** A `parley serve` of the compiled program in its own process, on ports of its own, with a data folder of its own. */
export class Server {
  /** Those that were started and not stopped, in this process. */
  static readonly running = new Set<Server>();
  readonly log: LogLine[] = [];
  /** What stood on standard error that is no JSON: a crash. */
  readonly noise: string[] = [];
  sip: SipTarget = { host: '', port: 0 };
  http = '';
  private exit: { code: number | null; signal: string | null } | undefined;
  private output = '';
  /** Events of the journals by file, and how long the file was, bytes. */
  private readonly known = new Map<string, { bytes: number; events: StoredEvent[] }>();

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: { path: string; remove(): void },
    readonly data: string,
    private readonly faults: string,
  ) {
    child.stdout?.on('data', (text: Buffer) => {
      this.output += text;
    });
    let rest = '';
    child.stderr?.on('data', (text: Buffer) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.readLine(line);
    });
    child.once('exit', (code, signal) => {
      this.exit = { code, signal };
    });
  }

  /** Starts it and waits for its ready line. */
  static async start(options: ServerOptions = {}): Promise<Server> {
    const folder = scratchFolder('data');
    const { data = ownData(folder.path) } = options;
    const faults = join(folder.path, 'fault.json');
    const preload = `--import ${pathToFileURL(join(ROOT, 'test/kit/faults.mjs')).href}`;
    const own = ['serve', '--sip', '127.0.0.1:0', '--http', '127.0.0.1:0', '--data', data];
    const child = spawn(process.execPath, [CLI, ...own, ...(options.args ?? [])], {
      cwd: options.cwd ?? ROOT,
      // Tests take the embedded SIP edge unless they say otherwise, and no test waits for the calls of another.
      env: {
        ...process.env,
        DRACHTIO_HOST: undefined,
        PARLEY_LIMITS_DRAIN_MS: '0',
        // No call of a test is refused because the machine has other work.
        PARLEY_LIMITS_LOAD_LOOP_MS: '0',
        PARLEY_LIMITS_LOAD_MEDIA_MS: '0',
        PARLEY_LIMITS_LOAD_SPEECH_BACKLOG: '0',
        ...ownPorts(),
        ...(options.faults ? { NODE_OPTIONS: preload, PARLEY_TEST_FAULTS: faults } : {}),
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new Server(child, folder, data, faults);
    Server.running.add(server);
    try {
      await until('ready line of parley serve', () => server.exit !== undefined || server.readReady(), { ms: 60_000 });
      if (server.exit) throw new Error('parley serve ended before it was ready');
    } catch (error) {
      await server.stop();
      throw new Error(`${String(error)}\n${server.lastWords()}`);
    }
    return server;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get alive(): boolean {
    return this.exit === undefined;
  }

  /** Does this to threads (by a pattern of their names: main, media-0, speech-1, edge): see faults.mjs. */
  fault(
    thread: string,
    how: 'throw' | 'reject' | 'exit' | 'hang' | 'stall' | 'clock',
    more: { ms?: number; times?: number } = {},
  ): void {
    writeFileSync(this.faults, JSON.stringify({ thread, how, ...more }));
    this.child.kill('SIGUSR2');
  }

  /** SIGTERM, and SIGKILL after 10 s. Deletes the data folder. Resolves with the exit and how long it took, ms. */
  async stop(): Promise<{ code: number | null; signal: string | null; ms: number }> {
    const started = performance.now();
    Server.running.delete(this);
    if (!this.exit) this.child.kill('SIGTERM');
    const exit = await until('exit', () => this.exit, { ms: 10_000 }).catch(() => {
      this.child.kill('SIGKILL');
      return until('exit after SIGKILL', () => this.exit);
    });
    this.folder.remove();
    return { ...exit, ms: performance.now() - started };
  }

  /** A GET; throws unless the status is the one expected. */
  async get(path: string, status = 200): Promise<string> {
    const response = await fetch(`${this.http}${path}`);
    const body = await response.text();
    if (response.status !== status) throw new Error(`GET ${path}: ${response.status} ${body.slice(0, 200)}`);
    return body;
  }

  async stats(): Promise<Stats> {
    return JSON.parse(await this.get('/v1/stats'));
  }

  /**
   * Waits until nothing is open: no call, leg, port, timer, journal, unwritten event, speech job or dialog. SIP
   * transactions are not waited for, as RFC 3261 keeps them 32 s after the last response; {@link drained} does.
   */
  async waitForIdle(ms = 10_000): Promise<void> {
    await until('nothing left open', async () => refuseOpen(await this.stats(), /^edge\.(transactions|timers)$/), {
      ms,
    });
  }

  /** As {@link waitForIdle}, the SIP transactions included (Timers H and J: up to 32 s, RFC 3261 section 17). */
  async drained(): Promise<void> {
    await until('no transaction left', async () => refuseOpen(await this.stats()), { ms: 45_000, everyMs: 250 });
  }

  /** All journals of the files store, by call id, oldest call first. Tests ask often: what is known is not read again. */
  journals(): Map<string, StoredEvent[]> {
    const folder = join(this.data, 'streams');
    const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl')) : [];
    const all = new Map<string, StoredEvent[]>();
    for (const file of files.sort()) {
      const known = this.known.get(file) ?? { bytes: 0, events: [] };
      const path = join(folder, file);
      const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (bytes > 0 && bytes !== known.bytes) {
        const lines = readFileSync(path, 'utf8').split('\n').slice(known.events.length, -1);
        this.known.set(file, { bytes, events: [...known.events, ...lines.map(readEntry)] });
      }
      const { events } = this.known.get(file) ?? known;
      if (events[0]?.call) all.set(events[0].call, events);
    }
    return all;
  }

  /** The journal of the call with this SIP Call-ID, or of the only call when none is named. */
  journal(sipCallId?: string): StoredEvent[] {
    const all = [...this.journals().values()];
    if (!sipCallId && all.length > 1) throw new Error(`${all.length} calls: say which`);
    return all.find((events) => !sipCallId || sipCallIdOf(events) === sipCallId) ?? [];
  }

  /** Waits for a call of somebody of this name; resolves with its SIP Call-ID. */
  callOf(name: string): Promise<string> {
    return until(`a call of ${name}`, () =>
      [...this.journals().values()]
        .flatMap((events) =>
          events[0]?.type === 'call.received' && events[0].from === name ? [events[0].sipCallId] : [],
        )
        .at(-1),
    );
  }

  /** Waits for an event in a call's journal. */
  event<T extends JournalEventType>(
    type: T,
    options: { sipCallId?: string | undefined; ms?: number; where?: (event: EventOf<T>) => boolean } = {},
  ): Promise<EventOf<T>> {
    const isWanted = (event: StoredEvent): event is EventOf<T> =>
      event.type === type && (!options.where || options.where(event as EventOf<T>));
    return until(
      `event ${type} in the journal`,
      () => {
        if (this.exit) throw new Error(`the server is gone: ${this.lastWords()}`);
        const events = this.journal(options.sipCallId);
        const found = events.find(isWanted);
        if (found) return found;
        throw new Error(`it ends with ${lastLines(events, 8)}`);
      },
      { ms: options.ms ?? 15_000 },
    );
  }

  /** The ends of the log and of each call's journal, for a test that failed. */
  account(): string {
    const journals = [...this.journals().values()].slice(-4).map((events) => lastLines(events, 25));
    return [this.lastWords(), ...journals].join('\n\n');
  }

  /** The end of the log, for a test's error. */
  lastWords(): string {
    const lines = this.log.slice(-10).map((line) => JSON.stringify(line));
    return [...this.noise.slice(-20), ...lines, JSON.stringify(this.exit ?? 'alive')].join('\n');
  }

  private readReady(): boolean {
    const end = this.output.indexOf('\n');
    if (end < 0) return false;
    const ready: { ready?: boolean; sip?: string; http?: string } = JSON.parse(this.output.slice(0, end));
    const [host = '', port = ''] = (ready.sip ?? '').split(':');
    this.sip = { host, port: Number(port) };
    this.http = `http://${ready.http}`;
    return ready.ready === true;
  }

  private readLine(line: string): void {
    try {
      this.log.push(JSON.parse(line));
    } catch {
      this.noise.push(line);
    }
  }
}

/**
 * Other RTP ports than the servers of tests that run at the same time have: a port that one loses with its media worker
 * would be another's next, and its caller heard there.
 */
function ownPorts(): Record<string, string> {
  const pool = Number(process.env.VITEST_POOL_ID);
  if (!pool) return {};
  const from = 20_000 + 2000 * ((pool - 1) % 5);
  return { PARLEY_RTP_PORTS: `${from}-${from + 1999}` };
}

/** A data folder; the clips in it are shared by all servers of a run, as what they greet with takes 5 s to make. */
function ownData(folder: string): string {
  const data = join(folder, 'data');
  const clips = process.env.PARLEY_TEST_CLIPS;
  mkdirSync(data);
  if (clips) {
    mkdirSync(clips, { recursive: true });
    symlinkSync(clips, join(data, 'blobs'));
  }
  return data;
}

/** The SIP Call-ID that a journal's call came with. */
export function sipCallIdOf(events: readonly StoredEvent[]): string | undefined {
  const received = events.find((event) => event.type === 'call.received');
  return received?.type === 'call.received' ? received.sipCallId : undefined;
}

/** Throws unless the journal is whole: seq from 1 without gaps, received first, ended last and once, time forward. */
export function assertComplete(events: readonly StoredEvent[]): void {
  const said = events.map((event) => `${event.seq} ${event.type}`).join(', ');
  const fail = (why: string) => {
    throw new Error(`journal: ${why}: ${said}`);
  };
  if (events[0]?.type !== 'call.received') fail('does not begin with call.received');
  if (events.at(-1)?.type !== 'call.ended') fail('does not end with call.ended');
  if (events.filter((event) => event.type === 'call.ended').length !== 1) fail('ends more than once');
  events.forEach((event, index) => {
    if (event.seq !== index + 1) fail(`seq ${event.seq} where ${index + 1} was due`);
    if (event.call !== events[0]?.call) fail('holds events of another call');
  });
}

function lastLines(events: readonly StoredEvent[], count: number): string {
  return events
    .slice(-count)
    .map((event) => JSON.stringify(event).slice(0, 600))
    .join('\n');
}

function readEntry(line: string): StoredEvent {
  const entry = JSON.parse(line);
  return { seq: entry.seq, ...entry.data };
}

/** What of the stats counts things that are open; the rest (cached clips, lateness) stays. */
const OPEN = /^(calls|legs|ports|timers|journals|pendingEvents|speech\.\w+|edge\.\w+)$/;
/** Of those, what is there without a call. */
const STANDING = /workers|applications|restarts/;

/** True when nothing is open; throws with what is. */
function refuseOpen(stats: Stats, except = /$^/): true {
  const open = leaves(stats).filter(
    ([name, count]) => count !== 0 && OPEN.test(name) && !STANDING.test(name) && !except.test(name),
  );
  if (open.length > 0) throw new Error(open.map(([name, count]) => `${name} ${count}`).join(', '));
  return true;
}

function leaves(stats: Stats, prefix = ''): [string, number][] {
  return Object.entries(stats).flatMap(([name, value]): [string, number][] =>
    typeof value === 'number' ? [[prefix + name, value]] : leaves(value, `${prefix}${name}.`),
  );
}
