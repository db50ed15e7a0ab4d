import { ParleyError, reasonOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import type { JournalEntry, JournalStore } from './port.js';

const BATCH = 200;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

/** What a writer writes: a call's events from the first on, as JSON text. */
export interface Lines {
  readonly length: number;
  /** @param seq from 1 to `length` */
  line(seq: number): string;
}

/**
 * Brings one call's events into the store, in order, in the background: whatever came up while a write was under way
 * is the next batch. It tries for ever, and writes again what the store has lost.
 */
export class Writer {
  #stored = 0;
  #running = false;
  #stopped = false;
  /** The store may have lost what it had; to be asked before the next write. */
  #verify = false;
  /** Set at the first write, so that a call cut off by a crash goes in the end too, and again when the call is over. */
  #expiryDue = true;
  #wake: (() => void) | undefined;
  #waiting: (() => void)[] = [];

  constructor(
    private readonly store: JournalStore,
    private readonly stream: string,
    private readonly lines: Lines,
    private readonly retentionMs: number,
    private readonly logger: Logger,
  ) {}

  /** How many events are not stored yet. */
  get pending(): number {
    return this.lines.length - this.#stored;
  }

  /** Tells that there are new events. */
  poke(): void {
    if (!this.#running && !this.#stopped && this.#hasWork) void this.#run();
  }

  /** Tells that the store may lack what it had, or have what somebody else wrote. */
  verify(): void {
    this.#verify = this.lines.length > 0;
    this.#wake?.();
    this.poke();
  }

  /** Tells that the call is over: its time to live counts from now. */
  finish(): void {
    this.#expiryDue = true;
    this.poke();
  }

  /** Gives up what is not stored. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
    this.#release();
  }

  /** Resolves when everything is stored or given up. */
  async drained(): Promise<void> {
    if (this.#stopped || !this.#hasWork) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  get #hasWork(): boolean {
    return this.lines.length > 0 && (this.#verify || this.#expiryDue || this.pending > 0);
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let failures = 0; this.#hasWork && !this.#stopped; ) {
      try {
        await this.#step();
        failures = 0;
      } catch (error) {
        if (!this.#isGap(error)) await this.#pause(failures++);
      }
    }
    this.#running = false;
    this.#release();
  }

  async #step(): Promise<void> {
    if (this.#verify) return this.#askWhatIsThere();
    if (this.pending > 0) return this.#writeBatch();
    // Before the wait: when the call ends during it, the time is due once more.
    this.#expiryDue = false;
    try {
      await this.store.streams.expire(this.stream, this.retentionMs);
    } catch (error) {
      this.#expiryDue = true;
      throw error;
    }
  }

  async #askWhatIsThere(): Promise<void> {
    this.#verify = false;
    try {
      const last = await this.store.streams.lastSeq(this.stream);
      if (await this.#isOurs(last)) this.#goOnFrom(last);
      else if (!this.#stopped) await this.#beginAnew();
    } catch (error) {
      this.#verify = true;
      throw error;
    }
  }

  /** Whether the last entry, and what else is there beyond what we know of, are our lines. */
  async #isOurs(last: number): Promise<boolean> {
    if (last === 0) return true;
    try {
      const entries = await this.store.streams.read(this.stream, Math.min(this.#stored, last - 1));
      return entries.every(({ seq, data }) => seq <= this.lines.length && data === this.lines.line(seq));
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code === 'PARLEY_ERR_STORE_UNAVAILABLE') throw error;
      return false;
    }
  }

  async #beginAnew(): Promise<void> {
    this.logger.warn({ stream: this.stream }, 'somebody else wrote to this journal; writing it again');
    await this.store.streams.expire(this.stream, 0);
    this.#stored = 0;
    this.#expiryDue = true;
  }

  async #writeBatch(): Promise<void> {
    const entries: JournalEntry[] = [];
    const end = Math.min(this.lines.length, this.#stored + BATCH);
    for (let seq = this.#stored + 1; seq <= end; seq++) entries.push({ seq, data: this.lines.line(seq) });
    const known = await this.store.streams.append(this.stream, entries);
    if (known > 0) this.#verify = true;
    else this.#stored = end;
  }

  /** Whether the error was that the store lacks what it had; then it is asked what it has. */
  #isGap(error: unknown): boolean {
    if (error instanceof ParleyError && error.code === 'PARLEY_ERR_STORE_GAP') {
      this.#verify = true;
      return true;
    }
    const level = error instanceof ParleyError ? 'debug' : 'error';
    this.logger[level]({ stream: this.stream, reason: reasonOf(error) }, 'journal write failed; tried again');
    return false;
  }

  #goOnFrom(last: number): void {
    if (last < this.#stored) {
      const missing = { stream: this.stream, from: last + 1, to: this.#stored };
      this.logger.warn(missing, 'store lost events; writing them again');
      this.#expiryDue = true;
    }
    this.#stored = last;
  }

  /** Waits longer after each failure, and no longer than until the store is back. */
  async #pause(failures: number): Promise<void> {
    const ms = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#stopped) this.#wake();
    });
    this.#wake = undefined;
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
