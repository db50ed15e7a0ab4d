import { ParleyError } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import { within } from '../telemetry/within.js';
import { CallJournal, type JournalOwner } from './call-journal.js';
import type { LiveEvent, StoredEvent } from './events.js';
import { endOfLost } from './lost-call.js';
import type { JournalStore } from './port.js';
import { type CallSummary, parseEvent, summaryOf } from './summary.js';
import { type Lines, Writer } from './writer.js';

export { newCallId } from './call-id.js';
export { CallJournal } from './call-journal.js';
export type { CallSummary } from './summary.js';

/** Begins the name of a call's stream. */
export const STREAM_PREFIX = 'call-';
/** Messages on their way to the fan-out; more are dropped, as nobody waits for them. */
const MAX_PUBLISHING = 1000;

/** Settings of a {@link JournalBook}. */
export interface JournalBookOptions {
  /** How long a call's journal is kept after the call, ms. */
  retentionMs: number;
  /** How long closing a call waits for a store that does not answer, ms. Default 2000. */
  closeTimeoutMs?: number | undefined;
  /**
   * How many events of calls that are over wait in memory for a store that is away. Beyond it the oldest calls' are
   * given up, with an error in the log. Default 200,000 (some 100 MB).
   */
  maxPending?: number | undefined;
}

/** The journals of this process's calls, and the way to those of all calls in the store. */
export class JournalBook {
  readonly #live = new Map<string, CallJournal>();
  /** Calls that are over and not wholly stored yet, oldest first. */
  readonly #draining = new Map<string, CallJournal>();
  readonly #owner: JournalOwner;
  readonly #stopListening: () => void;
  readonly #watchers = new Set<(event: StoredEvent | LiveEvent) => void>();
  /** Calls that are over, and not wholly stored for good. */
  readonly #givenUp = new Set<string>();
  #publishing = 0;
  /** The last {@link flush} ended before everything was stored. */
  #waitedInVain = false;
  readonly #speculations = { used: 0, dropped: 0 };

  constructor(
    private readonly store: JournalStore,
    private readonly logger: Logger,
    private readonly options: JournalBookOptions,
  ) {
    this.#owner = {
      logger,
      closeTimeoutMs: options.closeTimeoutMs ?? 2000,
      writerOf: (call, lines) => this.#writerOf(call, lines),
      publish: (event, json) => this.#publish(event, json),
      closed: (journal) => this.#drain(journal),
    };
    this.#stopListening = store.onRecovered(() => this.verify());
  }

  /**
   * Begins a call's journal.
   *
   * @param receivedAt when the INVITE arrived, `monotonicMs()`
   */
  open(call: string, receivedAt: number): CallJournal {
    const journal = new CallJournal(call, receivedAt, this.#owner);
    this.#live.set(call, journal);
    return journal;
  }

  /** Journals of this process that are open. */
  get live(): ReadonlyMap<string, CallJournal> {
    return this.#live;
  }

  /** Calls of this process that are up, or not wholly stored. */
  unfinished(): string[] {
    return [...this.#givenUp, ...[...this.#local()].map(({ call }) => call)];
  }

  /** The store may lack what it had, or have what somebody else wrote: both is mended in the background. */
  verify(): void {
    for (const journal of this.#local()) journal.verify();
  }

  /**
   * Ends the journal of a call whose node died, and tells everybody, as that node would have.
   *
   * @param seenAt when the node was last there, ms since 1970, where that is known
   * @param isLost whether the node is still not there; asked right before its journal is written to
   */
  async endLost(call: string, node: string, seenAt: number | undefined, isLost: () => Promise<boolean>): Promise<void> {
    if (this.#journal(call)) return;
    const stream = streamOf(call);
    const { at, events } = endOfLost(await this.#readStored(call), node, seenAt);
    if (events.length === 0) return;
    const last = await this.store.streams.lastSeq(stream);
    const made = events.map((event, n): StoredEvent => ({ call, at, seq: last + 1 + n, ...event }));
    const entries = made.map((event) => ({ seq: event.seq, data: JSON.stringify(event) }));
    if (!(await isLost())) return;
    await this.store.streams.append(stream, entries);
    await this.store.streams.expire(stream, this.options.retentionMs);
    for (const [n, event] of made.entries()) this.#publish(event, entries[n]?.data ?? '');
  }

  /**
   * The newest calls, newest last, of all nodes that share the store.
   *
   * @param limit how many at most
   * @throws ParleyError `PARLEY_ERR_STORE_UNAVAILABLE`; {@link live} has this process's calls then
   */
  async list(limit = 50): Promise<CallSummary[]> {
    const newest = (await this.calls()).slice(-limit);
    return Promise.all(newest.map((call) => this.#summary(call).catch((error) => unreadable(call, error))));
  }

  /** Every call of all nodes that share the store, oldest first. @throws ParleyError `PARLEY_ERR_STORE_UNAVAILABLE` */
  async calls(): Promise<string[]> {
    const stored = await this.store.streams.list(STREAM_PREFIX);
    const calls = new Set(stored.map((stream) => stream.slice(STREAM_PREFIX.length)));
    for (const { call } of this.#local()) calls.add(call);
    return [...calls].sort();
  }

  /** A call's first events. @param count how many at most */
  async beginning(call: string, count: number): Promise<StoredEvent[]> {
    const journal = this.#journal(call);
    if (journal) return journal.events.slice(0, count);
    return (await this.store.streams.read(streamOf(call), 0, count)).flatMap((entry) => eventOf(entry) ?? []);
  }

  /** A call's events in order; none for an unknown call. */
  async read(call: string): Promise<StoredEvent[]> {
    const journal = this.#journal(call);
    return journal ? [...journal.events] : this.#readStored(call);
  }

  /** `seq` of a call's last event; 0 for an unknown call. @throws ParleyError `PARLEY_ERR_STORE_UNAVAILABLE` */
  async lastSeq(call: string): Promise<number> {
    return this.#journal(call)?.events.length ?? this.store.streams.lastSeq(streamOf(call));
  }

  /** Deletes the journal of a call that is over. */
  async delete(call: string): Promise<void> {
    const draining = this.#draining.get(call);
    draining?.abandon();
    this.#draining.delete(call);
    await this.store.streams.expire(streamOf(call), 0);
  }

  /**
   * A call's events with `seq > after`, then new ones as they happen, until `call.ended` or the signal. A call of this
   * process is followed in memory, also while the store is away.
   */
  async *follow(call: string, after: number, signal: AbortSignal): AsyncIterable<StoredEvent> {
    const journal = this.#journal(call);
    if (journal) return yield* followInMemory(journal, after, signal);
    // From one before, so that following a call that is over ends at once.
    for await (const { data } of this.store.streams.follow(streamOf(call), Math.max(0, after - 1), signal)) {
      const event = parseEvent(data);
      if (event && event.seq > after) yield event;
      if (event?.type === 'call.ended') return;
    }
  }

  /** W3C Trace Context that a live call came with. */
  traceparent(call: string): string | undefined {
    const first = this.#live.get(call)?.events[0];
    return first?.type === 'call.received' ? first.traceparent : undefined;
  }

  /** Answers that were prepared before the turn was over, since the start. */
  get speculations(): Readonly<{ used: number; dropped: number }> {
    return this.#speculations;
  }

  /** Told of every event of this process's calls as it happens. @returns what ends that */
  onEvent(watcher: (event: StoredEvent | LiveEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** How many events are not in the store yet. */
  pending(): number {
    let pending = 0;
    for (const journal of this.#local()) pending += journal.pending;
    return pending;
  }

  /**
   * Waits until every event is stored.
   *
   * @param timeoutMs how long at most
   * @returns whether they are
   */
  async flush(timeoutMs: number): Promise<boolean> {
    await within(timeoutMs, Promise.all([...this.#local()].map((journal) => journal.drained())));
    this.#waitedInVain = this.pending() > 0;
    return !this.#waitedInVain;
  }

  /** Closes what is open, waits for the store as long as for one call, unless {@link flush} has waited in vain, and gives up the rest with an error in the log. */
  async close(): Promise<void> {
    const closing = [...this.#live.values()].map((journal) => journal.close());
    await Promise.all([...closing, this.flush(this.#waitedInVain ? 0 : this.#owner.closeTimeoutMs)]);
    this.#stopListening();
    for (const journal of this.#local()) this.#giveUp(journal);
  }

  *#local(): Iterable<CallJournal> {
    yield* this.#draining.values();
    yield* this.#live.values();
  }

  #journal(call: string): CallJournal | undefined {
    return this.#live.get(call) ?? this.#draining.get(call);
  }

  #writerOf(call: string, lines: Lines): Writer {
    return new Writer(this.store, streamOf(call), lines, this.options.retentionMs, this.logger);
  }

  #drain(journal: CallJournal): void {
    this.#live.delete(journal.call);
    this.#draining.set(journal.call, journal);
    void journal.drained().then(() => this.#draining.delete(journal.call));
    let pending = 0;
    for (const waiting of this.#draining.values()) pending += waiting.pending;
    for (const oldest of this.#draining.values()) {
      if (pending <= (this.options.maxPending ?? 200_000)) return;
      pending -= oldest.pending;
      this.#giveUp(oldest);
    }
  }

  #giveUp(journal: CallJournal): void {
    const { call, pending } = journal;
    if (pending > 0) {
      this.#givenUp.add(call);
      this.logger.error({ call, events: pending }, 'events of a call are lost: the store does not answer');
    }
    journal.abandon();
    this.#draining.delete(call);
  }

  /** Tells consoles on any node; best effort, as they can read what they missed. */
  #publish(event: StoredEvent | LiveEvent, json: string): void {
    for (const watcher of this.#watchers) this.#tell(watcher, event);
    this.#send(`call:${event.call}`, json);
    if (!('seq' in event)) return;
    if (event.type === 'speculation') this.#speculations[event.used ? 'used' : 'dropped']++;
    const { call, seq, at, type } = event;
    this.#send('calls', JSON.stringify({ call, seq, at, type }));
  }

  /** A watcher's failure is its own: the call and the other watchers go on. */
  #tell(watcher: (event: StoredEvent | LiveEvent) => void, event: StoredEvent | LiveEvent): void {
    try {
      watcher(event);
    } catch (error) {
      this.logger.error({ err: error, type: event.type }, 'a watcher of the journals failed');
    }
  }

  #send(channel: string, message: string): void {
    if (this.#publishing >= MAX_PUBLISHING) return;
    this.#publishing++;
    const settled = () => {
      this.#publishing--;
    };
    this.store.fanout.publish(channel, message).then(settled, settled);
  }

  async #summary(call: string): Promise<CallSummary> {
    const journal = this.#journal(call);
    if (journal) return summaryOf(call, journal.events[0], journal.events.at(-1));
    const { streams } = this.store;
    const [first, lastSeq] = await Promise.all([streams.read(streamOf(call), 0, 1), streams.lastSeq(streamOf(call))]);
    const last = lastSeq > 1 ? await streams.read(streamOf(call), lastSeq - 1, 1) : first;
    return summaryOf(call, eventOf(first[0]), eventOf(last[0]));
  }

  async #readStored(call: string): Promise<StoredEvent[]> {
    const entries = await this.store.streams.read(streamOf(call));
    const events = entries.flatMap((entry) => eventOf(entry) ?? []);
    const unreadable = entries.length - events.length;
    if (unreadable > 0) this.logger.warn({ call, entries: unreadable }, 'entries of a journal are no events; left out');
    return events;
  }
}

/** A journal that can't be decrypted, or was damaged, hides no other. */
function unreadable(call: string, error: unknown): CallSummary {
  if (error instanceof ParleyError && error.code !== 'PARLEY_ERR_STORE_UNAVAILABLE')
    return summaryOf(call, undefined, undefined);
  throw error;
}

function streamOf(call: string): string {
  return STREAM_PREFIX + call;
}

function eventOf(entry: { data: string } | undefined): StoredEvent | undefined {
  return entry && parseEvent(entry.data);
}

async function* followInMemory(journal: CallJournal, after: number, signal: AbortSignal): AsyncIterable<StoredEvent> {
  for (let next = after; !signal.aborted; ) {
    const event = journal.events[next];
    if (event) {
      next++;
      yield event;
    } else if (journal.isClosed || journal.events.at(-1)?.type === 'call.ended') return;
    else await nextEvent(journal, signal);
  }
}

/** Resolves at the journal's next event, its end or the signal. */
async function nextEvent(journal: CallJournal, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const wake = () => {
      forget();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const forget = journal.onChange(wake);
    signal.addEventListener('abort', wake);
  });
}
