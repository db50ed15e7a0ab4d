import { reasonOf } from '../errors.js';
import { monotonicMs } from '../telemetry/clock.js';
import type { Logger } from '../telemetry/log.js';
import { within } from '../telemetry/within.js';
import { type JournalEvent, LIVE_ONLY, type LiveEvent, type Stamp, type StoredEvent } from './events.js';
import type { Lines, Writer } from './writer.js';

type Listener = (event: StoredEvent | LiveEvent) => void;

/** What a journal needs of its book. */
export interface JournalOwner {
  readonly logger: Logger;
  /** How long `close()` waits for the store, ms. */
  readonly closeTimeoutMs: number;
  writerOf(call: string, lines: Lines): Writer;
  publish(event: StoredEvent | LiveEvent, json: string): void;
  closed(journal: CallJournal): void;
}

/** The journal of one call. All of it stays in memory while the call lives. */
export class CallJournal {
  readonly #events: StoredEvent[] = [];
  /** JSON text of events that are not stored yet; made at once, so that what is stored is what was appended. */
  readonly #unstored = new Map<number, string>();
  readonly #listeners = new Set<Listener>();
  readonly #followers = new Set<() => void>();
  readonly #writer: Writer;
  #closed = false;

  /** @param receivedAt when the INVITE arrived, `monotonicMs()` */
  constructor(
    readonly call: string,
    private readonly receivedAt: number,
    private readonly owner: JournalOwner,
  ) {
    const events = this.#events;
    this.#writer = owner.writerOf(call, {
      get length() {
        return events.length;
      },
      line: (seq) => this.#line(seq),
    });
  }

  /** Every stored event so far, in order. */
  get events(): readonly StoredEvent[] {
    return this.#events;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** How many events are not in the store yet. */
  get pending(): number {
    return this.#writer.pending;
  }

  /**
   * Adds an event and tells the listeners, at once; the store gets it in the background. Live-only types are not
   * stored, nor is anything that comes after `close()`.
   *
   * @param at when it happened, `monotonicMs()`
   */
  append(event: JournalEvent, at = monotonicMs()): StoredEvent | LiveEvent {
    const stamp = { call: this.call, at: Math.round((at - this.receivedAt) * 10) / 10 };
    if (LIVE_ONLY.has(event.type) || this.#closed) return this.#show(event, stamp);
    const seq = this.#events.length + 1;
    const { made, json } = this.#withJson(event, (said): StoredEvent => ({ ...stamp, seq, ...said }));
    this.#events.push(made);
    this.#unstored.set(seq, json);
    this.#forgetStored();
    this.#tell(made);
    this.owner.publish(made, json);
    this.#writer.poke();
    return made;
  }

  /** Calls the listener with each event from now on. One that throws is logged and harms nobody. */
  onEvent(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For followers within this room: calls back at each event from now on, and when the journal is closed. */
  onChange(listener: () => void): () => void {
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  /**
   * To be called after `call.ended`. Resolves when everything is stored, or after a while when the store does not
   * answer; what is not stored then is kept and written when it does.
   */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#writer.finish();
      this.owner.closed(this);
      for (const follower of this.#followers) follower();
    }
    await within(this.owner.closeTimeoutMs, this.#writer.drained());
  }

  /** Resolves when everything is stored or given up. */
  drained(): Promise<void> {
    return this.#writer.drained();
  }

  /** The store may lack what it had, or have what somebody else wrote. */
  verify(): void {
    this.#writer.verify();
  }

  /** Gives up what is not stored. */
  abandon(): void {
    this.#writer.stop();
  }

  #line(seq: number): string {
    return this.#unstored.get(seq) ?? JSON.stringify(this.#events[seq - 1]);
  }

  #forgetStored(): void {
    const firstUnstored = this.#events.length - this.#writer.pending + 1;
    for (const seq of this.#unstored.keys()) {
      if (seq >= firstUnstored) break;
      this.#unstored.delete(seq);
    }
  }

  #show(event: JournalEvent, stamp: Stamp): LiveEvent {
    if (this.#closed)
      this.owner.logger.debug({ call: this.call, type: event.type }, 'event after the journal was closed');
    const after = this.#events.length;
    const { made, json } = this.#withJson(event, (said): LiveEvent => ({ ...stamp, after, ...said }));
    this.#tell(made);
    this.owner.publish(made, json);
    return made;
  }

  /** What can't be made JSON (an action may return anything) is replaced by an error event that says so. */
  #withJson<T>(event: JournalEvent, make: (event: JournalEvent) => T): { made: T; json: string } {
    const made = make(event);
    try {
      return { made, json: JSON.stringify(made) };
    } catch (error) {
      const message = `${event.type} cannot be stored: ${reasonOf(error)}`;
      this.owner.logger.error({ call: this.call }, message);
      return this.#withJson({ type: 'error', code: 'PARLEY_ERR_INTERNAL', message }, make);
    }
  }

  #tell(event: StoredEvent | LiveEvent): void {
    for (const follower of this.#followers) follower();
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.owner.logger.error({ err: error, call: this.call, type: event.type }, 'a listener of the journal failed');
      }
    }
  }
}
