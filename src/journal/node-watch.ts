import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { ParleyError, reasonOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import type { JournalBook } from './journal.js';
import type { JournalRecords, VersionedValue } from './port.js';

const NODE = 'node:';
/** A silent node is looked at so often before it is taken for dead. */
const LOOKS = 6;
/** On one machine a node is alone, as a rule: after its first looks it looks so much less often. */
const RARELY = 60;
/** A call is on record so soon after it began, along with others that did, ms. */
const SOON_MS = 100;

/** Which journals are seen to. */
type Journals = Pick<JournalBook, 'live' | 'unfinished' | 'onEvent' | 'verify' | 'endLost'>;

/** How nodes know of each other. */
export interface NodeWatchOptions {
  /** Who says nothing for so long is dead, ms. */
  lostMs: number;
  /** The store is on this machine: whose process is gone is dead at once. */
  local: boolean;
  /** What a node has said is of no use for longer than journals are kept, ms. */
  retentionMs: number;
}

/** What a node says of itself. */
interface Sign {
  /** Wall clock, ms since 1970. */
  at: number;
  /** What others wait for at least, ms. */
  lostMs: number;
  host: string;
  /** Where its process has this number: containers share a host's name, and have numbers of their own. */
  pids: string | undefined;
  pid: number;
  /** Of the process, so that another with its number is not taken for it. */
  started: string | undefined;
  /** Whose journals are to be ended when it is dead. */
  calls: string[];
}

/**
 * Ends the journals of calls whose node died. Each node has a record that names its calls, which it writes again and
 * again by compare-and-set. Another node counts how often it finds the record unchanged, while it can write its own: no
 * two clocks are compared, and nobody is taken for dead while the store was away, as with a time to live. Then it claims
 * the record, by compare-and-set as well: a node that was slow and has written meanwhile keeps its calls, one that writes
 * later finds its record claimed, and puts its calls' journals right.
 */
export class NodeWatch {
  /** Names this process among the nodes. */
  readonly node = `${hostname().replace(/[^\w.-]/g, '_')}-${randomBytes(4).toString('hex')}`;
  readonly #self = { host: hostname(), pids: pidSpace(), pid: process.pid, started: startOf(process.pid) };
  /** Version of our record. */
  #version: number | undefined;
  /** Other nodes: what was found last, and how often since. */
  readonly #silent = new Map<string, { version: number; looks: number }>();
  /** Nodes and calls that can't be read, and were told of. */
  readonly #unreadable = new Set<string>();
  /** Signs with which our journals are compared with what is stored. */
  #verifications = 0;
  #signing: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  #soon: NodeJS.Timeout | undefined;
  #ticks = 0;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #undo: () => void;

  constructor(
    private readonly journals: Journals,
    private readonly records: JournalRecords,
    private readonly logger: Logger,
    private readonly options: NodeWatchOptions,
  ) {
    this.#undo = journals.onEvent((event) => {
      if ('seq' in event && event.seq === 1 && journals.live.has(event.call)) this.#signSoon();
    });
    // The sign never waits for what a look finds to do.
    const everyMs = options.lostMs / LOOKS;
    this.#timers = [setInterval(() => void this.sign(), everyMs), setInterval(() => this.#tick(), everyMs)];
    for (const timer of this.#timers) timer.unref();
    void this.sign();
    void this.look();
  }

  /** Says that this node is there, and which calls it has. Never rejects. */
  sign(): Promise<void> {
    this.#signing ??= this.#tried(this.#sign(), 'this node can not say that it is there now').finally(() => {
      this.#signing = undefined;
    });
    return this.#signing;
  }

  /** Looks which nodes are not there, and ends their calls. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#tried(this.#look(), 'other nodes can not be looked for now').finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Who can say or see nothing can't tell whether others can. Never rejects. */
  async #tried(work: Promise<void>, failure: string): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#silent.clear();
      this.logger.debug({ reason: reasonOf(error) }, failure);
    }
  }

  /** Leaves in order: nothing is to be ended by others but what could not be stored. */
  async close(): Promise<void> {
    for (const timer of [...this.#timers, this.#soon]) clearTimeout(timer);
    this.#undo();
    await Promise.all([this.#signing, this.#looking]);
    if (this.journals.unfinished().length > 0) return this.sign();
    try {
      await this.records.delete(NODE + this.node);
    } catch (error) {
      this.logger.debug({ reason: reasonOf(error) }, 'this node could not be signed off');
    }
  }

  #tick(): void {
    this.#ticks += 1;
    if (!this.options.local || this.#ticks <= LOOKS || this.#ticks % RARELY === 0) void this.look();
  }

  #signSoon(): void {
    this.#soon ??= setTimeout(async () => {
      // One that is under way may not have them all.
      await this.#signing;
      this.#soon = undefined;
      await this.sign();
    }, SOON_MS).unref();
  }

  async #sign(): Promise<void> {
    const { retentionMs: ttlMs, lostMs } = this.options;
    const key = NODE + this.node;
    const calls = this.journals.unfinished();
    const value = JSON.stringify({ at: Date.now(), lostMs, ...this.#self, calls } satisfies Sign);
    const ifVersion = this.#version === undefined ? {} : { ifVersion: this.#version };
    const version = await this.records.set(key, value, { ttlMs, ...ifVersion });
    this.#version = version ?? (await this.records.set(key, value, { ttlMs }));
    if (version === undefined) {
      // The store has lost it, or somebody took us for dead. Twice, as they may be about to end a call.
      this.logger.info({ node: this.node }, 'this node was no longer on record: journals of its calls are checked');
      this.#verifications = 2;
    }
    if (this.#verifications === 0) return;
    this.#verifications -= 1;
    this.journals.verify();
  }

  async #look(): Promise<void> {
    const keys = await this.records.list(NODE);
    const nodes = keys.map((key) => key.slice(NODE.length)).filter((node) => node !== this.node);
    for (const node of this.#silent.keys()) if (!nodes.includes(node)) this.#silent.delete(node);
    const dead = new Map<string, VersionedValue>();
    for (const node of nodes) {
      await this.#ifReadable({ node }, async () => {
        const record = await this.records.get(NODE + node);
        if (record && this.#isDead(node, record)) dead.set(node, record);
      });
    }
    for (const [node, record] of dead) await this.#endCallsOf(node, record);
  }

  #isDead(node: string, { value, version }: VersionedValue): boolean {
    const { lostMs, local } = this.options;
    const seen = this.#silent.get(node);
    const looks = seen?.version === version ? seen.looks + 1 : 0;
    this.#silent.set(node, { version, looks });
    const sign = signOf(value);
    if (local && sign && isGone(sign)) return true;
    return looks >= LOOKS * Math.max(1, (sign?.lostMs ?? 0) / lostMs);
  }

  async #endCallsOf(node: string, { value, version }: VersionedValue): Promise<void> {
    const key = NODE + node;
    const claim = await this.records.set(key, value, { ifVersion: version, ttlMs: this.options.retentionMs });
    if (claim === undefined) return;
    const isLost = async () => (await this.records.get(key))?.version === claim;
    const { calls = [], at } = signOf(value) ?? {};
    if (calls.length > 0) this.logger.warn({ node, calls: calls.length }, 'a node is lost: its calls are ended');
    for (const call of calls)
      await this.#ifReadable({ node, call }, () => this.journals.endLost(call, node, at, isLost));
    if (await isLost()) await this.records.delete(key);
  }

  /** What can't be decrypted, or was damaged, keeps nothing else from being seen to. @throws PARLEY_ERR_STORE_UNAVAILABLE */
  async #ifReadable(what: { node: string; call?: string }, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'PARLEY_ERR_STORE_UNAVAILABLE') throw error;
      const name = what.call ?? what.node;
      if (this.#unreadable.has(name)) return;
      this.#unreadable.add(name);
      this.logger.warn({ ...what, reason: reasonOf(error) }, 'a lost call, or a node, can not be read; left out');
    }
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
function isGone({ host, pids, pid, started }: Sign): boolean {
  if (host !== hostname() || pids !== pidSpace()) return false;
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

/** Names the space of process numbers that this process is in (pid_namespaces(7)); undefined where there is none. */
function pidSpace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}
