import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { reasonOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import type { JournalBook } from './journal.js';
import type { JournalRecords, VersionedValue } from './port.js';

const NODE = 'node:';
const CALL = 'node-call:';
/** A silent node is looked at so often before it is taken for dead. */
const LOOKS = 6;

/** Which journals are seen to. */
type Journals = Pick<JournalBook, 'live' | 'unfinished' | 'onEvent' | 'onStored' | 'check' | 'endLost'>;

/** How nodes know of each other. */
export interface NodeWatchOptions {
  /** Who says nothing for so long is dead, ms. */
  lostMs: number;
  /** The store is on this machine: whose process is gone is dead at once. */
  local: boolean;
  /** What is noted of a call is of no use for longer than its journal is kept, ms. */
  retentionMs: number;
}

/** What a node says of itself. */
interface Sign {
  /** Wall clock, ms since 1970. */
  at: number;
  host: string;
  pid: number;
  /** Of the process, so that another with its number is not taken for it. */
  started: string | undefined;
  /** The node that ends its calls' journals. */
  endedBy?: string;
}

/**
 * Ends the journals of calls whose node died. Each node has a record, which it writes again and again by
 * compare-and-set, and one for each of its calls. Another node counts how often it finds a record unchanged, so that no
 * two clocks are compared, and nobody is taken for dead while the store was away; then it claims the record, by
 * compare-and-set as well: a node that was slow and has written meanwhile keeps its calls, one that writes later finds its
 * record claimed, and puts its calls' journals right.
 */
export class NodeWatch {
  /** Names this process among the nodes. */
  readonly node = `${hostname().replace(/[^\w.-]/g, '_')}-${randomBytes(4).toString('hex')}`;
  /** Version of our record. */
  #version: number | undefined;
  /** Calls of ours that are on record, or about to be. */
  readonly #noted = new Map<string, Promise<void>>();
  /** Calls of ours that are over, and still on record. */
  readonly #over = new Set<string>();
  /** Other nodes: what was found last, and how often since. */
  #silent = new Map<string, { version: number; looks: number }>();
  /** Looks in which our journals are compared with what is stored. */
  #checks = 0;
  #looking: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #undo: (() => void)[];

  constructor(
    private readonly journals: Journals,
    private readonly records: JournalRecords,
    private readonly logger: Logger,
    private readonly options: NodeWatchOptions,
  ) {
    this.#undo = [
      journals.onEvent((event) => {
        if ('seq' in event && event.seq === 1 && journals.live.has(event.call)) void this.#note(event.call);
      }),
      journals.onStored((call) => void this.#release(call)),
    ];
    this.#timer = setInterval(() => void this.look(), options.lostMs / LOOKS);
    this.#timer.unref();
    void this.look();
  }

  /** Says that this node is there, and looks who is not. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error) => {
        // Nobody could say anything while the store was away.
        this.#silent.clear();
        this.logger.debug({ reason: reasonOf(error) }, 'other nodes can not be looked for now');
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** Leaves in order: nothing is to be ended by others but what could not be stored. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const undo of this.#undo) undo();
    await this.#looking;
    try {
      await this.#tidy();
      if (this.#noted.size === 0) await this.records.delete(NODE + this.node);
    } catch (error) {
      this.logger.debug({ reason: reasonOf(error) }, 'this node could not be signed off');
    }
  }

  async #look(): Promise<void> {
    await this.#sayWeAreHere();
    await this.#tidy();
    for (const call of this.journals.unfinished()) if (!this.#noted.has(call)) await this.#note(call);
    await this.#lookAtOthers();
  }

  async #sayWeAreHere(): Promise<void> {
    const { retentionMs: ttlMs } = this.options;
    const key = NODE + this.node;
    const sign = { at: Date.now(), host: hostname(), pid: process.pid, started: startOf(process.pid) } satisfies Sign;
    const value = JSON.stringify(sign);
    const ifVersion = this.#version === undefined ? {} : { ifVersion: this.#version };
    const version = await this.records.set(key, value, { ttlMs, ...ifVersion });
    this.#version = version ?? (await this.records.set(key, value, { ttlMs }));
    if (version === undefined) {
      // The store has lost it, or somebody took us for dead.
      this.logger.info({ node: this.node }, 'this node was no longer on record: journals of its calls are checked');
      this.#noted.clear();
      // Twice, as somebody may be about to end one.
      this.#checks = 2;
    }
    if (this.#checks === 0) return;
    for (const call of this.journals.unfinished()) await this.journals.check(call);
    this.#checks -= 1;
  }

  /** What fails is done at the next look. */
  #note(call: string): Promise<void> {
    const noted = this.#noted.get(call);
    if (noted) return noted;
    const { retentionMs: ttlMs } = this.options;
    const done = this.records.set(this.#keyOf(call), '{}', { ttlMs }).then(
      () => undefined,
      () => void this.#noted.delete(call),
    );
    this.#noted.set(call, done);
    return done;
  }

  async #release(call: string): Promise<void> {
    await this.#noted.get(call);
    this.#noted.delete(call);
    this.#over.add(call);
    await this.#tidy().catch(() => undefined);
  }

  async #tidy(): Promise<void> {
    for (const call of this.#over) {
      await this.records.delete(this.#keyOf(call));
      this.#over.delete(call);
    }
  }

  async #lookAtOthers(): Promise<void> {
    const before = this.#silent;
    this.#silent = new Map();
    for (const key of await this.records.list(NODE)) {
      const node = key.slice(NODE.length);
      const record = node === this.node ? undefined : await this.records.get(key);
      if (!record) continue;
      const seen = before.get(node);
      const looks = seen?.version === record.version ? seen.looks + 1 : 0;
      this.#silent.set(node, { version: record.version, looks });
      const dead = looks >= LOOKS || (this.options.local && isGone(record.value));
      if (dead) await this.#endCallsOf(node, record);
    }
  }

  async #endCallsOf(node: string, { value, version }: VersionedValue): Promise<void> {
    const { retentionMs: ttlMs } = this.options;
    const sign = signOf(value);
    const claim = await this.records.set(NODE + node, JSON.stringify({ ...sign, endedBy: this.node }), {
      ifVersion: version,
      ttlMs,
    });
    if (claim === undefined) return;
    const keys = await this.records.list(`${CALL}${node}:`);
    if (keys.length > 0) this.logger.warn({ node, calls: keys.length }, 'a node is lost: its calls are ended');
    for (const key of keys) {
      if ((await this.records.get(NODE + node))?.version !== claim) return;
      await this.journals.endLost(key.slice(CALL.length + node.length + 1), node, sign?.at);
      await this.records.delete(key);
    }
    await this.records.delete(NODE + node);
  }

  #keyOf(call: string): string {
    return `${CALL}${this.node}:${call}`;
  }
}

function signOf(value: string): Sign | undefined {
  try {
    return JSON.parse(value) as Sign;
  } catch {
    return undefined;
  }
}

/** Whether the process that has said this has ended, as far as can be known: it was on this machine. */
function isGone(value: string): boolean {
  const { host, pid = 0, started } = signOf(value) ?? {};
  if (host !== hostname()) return false;
  if (started !== undefined) return startOf(pid) !== started;
  if (pid === process.pid) return false;
  try {
    return !process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/** When a process began, in ticks since the machine did (proc(5), field 22); undefined where that can't be known. */
function startOf(pid: number): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in brackets, may hold anything.
    return line.slice(line.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
