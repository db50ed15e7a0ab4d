import { reasonOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import type { LiveEvent, StoredEvent } from './events.js';
import { type JournalBook, STREAM_PREFIX } from './journal.js';
import type { JournalStore } from './port.js';

/** What a feed needs of the store besides the journals in it. */
export interface FeedStore extends Pick<JournalStore, 'streams' | 'onRecovered'> {
  readonly fanout: { subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> };
}

/** Told of a live-only event: its JSON, and the seq of the stored event that it follows. */
export type PartialListener = (json: string, after: number) => void;

/** Journals as they are written, of this process and of the other nodes that share the store. */
export class JournalFeed {
  readonly #calls = new Set<(call: string) => void>();
  readonly #partials = new Map<string, { listeners: Set<PartialListener>; undo: Promise<() => unknown> }>();
  readonly #undo: (() => unknown)[];
  #elsewhere: (() => Promise<void>) | undefined;
  #subscribing = false;

  constructor(
    private readonly book: JournalBook,
    private readonly store: FeedStore,
    private readonly logger: Logger,
  ) {
    this.#undo = [
      book.onEvent((event) => this.#happened(event)),
      store.onRecovered(() => void this.#listenElsewhere()),
    ];
    void this.#listenElsewhere();
  }

  /** As {@link JournalBook.follow}. */
  follow(call: string, after: number, signal: AbortSignal): AsyncIterable<StoredEvent> {
    return this.book.follow(call, after, signal);
  }

  /** Whether there is such a call, live or stored. */
  async has(call: string): Promise<boolean> {
    return this.book.live.has(call) || (await this.store.streams.lastSeq(STREAM_PREFIX + call)) > 0;
  }

  /** Calls that are younger than this one, and, without one, this process's live calls. */
  async callsSince(since: string | undefined): Promise<string[]> {
    const live = [...this.book.live.keys()];
    if (since === undefined) return live;
    const stored = (await this.store.streams.list(STREAM_PREFIX)).map((name) => name.slice(STREAM_PREFIX.length));
    return [...new Set([...stored.filter((call) => call > since), ...live])].sort();
  }

  /** Told of each call that something happens on, on any node, at least once. */
  onCall(listener: (call: string) => void): () => void {
    this.#calls.add(listener);
    return () => this.#calls.delete(listener);
  }

  /** Told of a call's live-only events, on whichever node it is. */
  onPartial(call: string, listener: PartialListener): () => void {
    const known = this.#partials.get(call);
    if (known) known.listeners.add(listener);
    else this.#partials.set(call, { listeners: new Set([listener]), undo: this.#subscribe(call) });
    return () => this.#forget(call, listener);
  }

  async close(): Promise<void> {
    for (const undo of this.#undo) undo();
    await this.#elsewhere?.().catch(() => {});
  }

  #forget(call: string, listener: PartialListener): void {
    const entry = this.#partials.get(call);
    entry?.listeners.delete(listener);
    if (!entry || entry.listeners.size > 0) return;
    this.#partials.delete(call);
    void entry.undo.then((undo) => undo());
  }

  #happened(event: StoredEvent | LiveEvent): void {
    if ('seq' in event) return this.#announce(event.call);
    const entry = this.#partials.get(event.call);
    if (!entry) return;
    const json = JSON.stringify(event);
    for (const listener of entry.listeners) listener(json, event.after);
  }

  #announce(call: string): void {
    for (const listener of this.#calls) listener(call);
  }

  /** A call of this process is heard directly. */
  async #subscribe(call: string): Promise<() => unknown> {
    if (this.book.live.has(call)) return () => undefined;
    try {
      return await this.store.fanout.subscribe(`call:${call}`, (message) => {
        const after: unknown = Reflect.get(Object(JSON.parse(message)), 'after');
        if (typeof after !== 'number') return;
        for (const listener of this.#partials.get(call)?.listeners ?? []) listener(message, after);
      });
    } catch (error) {
      this.logger.debug({ call, reason: reasonOf(error) }, 'no partials of a call on another node');
      return () => undefined;
    }
  }

  /** Other nodes' calls; tried again when the store is back. */
  async #listenElsewhere(): Promise<void> {
    if (this.#elsewhere || this.#subscribing) return;
    this.#subscribing = true;
    try {
      this.#elsewhere = await this.store.fanout.subscribe('calls', (message) => {
        const call: unknown = Reflect.get(Object(JSON.parse(message)), 'call');
        if (typeof call === 'string') this.#announce(call);
      });
    } catch (error) {
      this.logger.warn({ reason: reasonOf(error) }, 'calls of other nodes are not heard of until the store is back');
    } finally {
      this.#subscribing = false;
    }
  }
}
