/**
 * What Parley keeps, as four primitives. Journals, transcripts, cached clips, registrations and queues are built on
 * these by the rooms that own them. Two adapters implement the interface, `redis/` and `files/`; one contract test
 * holds both to it.
 *
 * Every method may reject with `PARLEY_ERR_STORE_UNAVAILABLE`; a rejected write may be repeated safely.
 */
export interface Store {
  readonly streams: Streams;
  readonly records: Records;
  readonly blobs: Blobs;
  readonly fanout: Fanout;
  /** Whether the store answers right now. Never rejects. */
  healthy(): Promise<boolean>;
  /**
   * Called each time the store is back after it was lost. Data may be gone (a server restarted empty), so writers of
   * live streams check {@link Streams.lastSeq} and write again what is missing. Returns the unsubscriber.
   */
  onRecovered(listener: () => void): () => void;
  close(): Promise<void>;
}

/** One entry of a stream; `seq` counts from 1 without gaps. `data` is JSON text. */
export interface StreamEntry {
  seq: number;
  data: string;
}

/** Append-only ordered streams, one per call. */
export interface Streams {
  /**
   * Appends entries in order. An entry whose `seq` is already stored is skipped, so a repeated write is harmless.
   * Rejects with `PARLEY_ERR_STORE_GAP` (`details.last`: the last stored seq) at an entry that does not follow the
   * last one: the store has lost what was between, and the writer writes it again.
   *
   * @returns how many were skipped
   */
  append(stream: string, entries: readonly StreamEntry[]): Promise<number>;
  /**
   * Puts entries in place of all those there, which have the same seqs; its time to live stays.
   *
   * @returns false, and nothing is changed, when the stream does not end with the last of them
   */
  replace(stream: string, entries: readonly StreamEntry[]): Promise<boolean>;
  /** The last stored seq, 0 for an empty or unknown stream. */
  lastSeq(stream: string): Promise<number>;
  /** Entries with `seq > after`, oldest first, at most `limit` (default: all). */
  read(stream: string, after?: number, limit?: number): Promise<StreamEntry[]>;
  /** Entries with `seq > after`, then new ones as any process appends them, until the signal aborts. */
  follow(stream: string, after: number, signal: AbortSignal): AsyncIterable<StreamEntry>;
  /** Names of streams that begin with the prefix, newest name last (names sort by time). */
  list(prefix: string): Promise<string[]>;
  /** Deletes a stream after `ttlMs`; 0 at once. */
  expire(stream: string, ttlMs: number): Promise<void>;
}

/**
 * A record with the version that compare-and-set names. Versions only grow, also over a deletion: a new record starts
 * at the store's time in microseconds, so that a version read before a deletion never matches the record made after it.
 */
export interface VersionedRecord {
  value: string;
  version: number;
}

/** Small named values with time to live, compare-and-set and counters. */
export interface Records {
  get(key: string): Promise<VersionedRecord | undefined>;
  /**
   * Writes a value. With `ifVersion`, only if the stored version is that one (0: only if absent). Without `ttlMs` the
   * record stays until it is deleted; with `keepTtl` it goes when it would have gone.
   *
   * @returns the new version, or undefined when `ifVersion` did not match
   */
  set(
    key: string,
    value: string,
    options?: { ttlMs?: number; ifVersion?: number; keepTtl?: boolean },
  ): Promise<number | undefined>;
  delete(key: string): Promise<void>;
  /** Adds to a counter, which begins at 0; `ttlMs` is set when the counter is made. Returns the new value. */
  increment(key: string, by?: number, options?: { ttlMs?: number }): Promise<number>;
  /** Keys that begin with the prefix, sorted. */
  list(prefix: string): Promise<string[]>;
}

/** Binary values by key: clips, recordings. */
export interface Blobs {
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, bytes: Uint8Array, options?: { ttlMs?: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Messages to whoever listens now, on any node; nothing is kept. The files adapter reaches this process only. */
export interface Fanout {
  publish(channel: string, message: string): Promise<void>;
  /** Resolves once subscribed, with the unsubscriber. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>;
}
