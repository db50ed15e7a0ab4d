/**
 * What journals need of a store. The store's own interface has this shape (`store/store.ts` says what each method
 * promises); it is named here because the journal stands below the store and knows no adapter.
 */
export interface JournalStore {
  readonly streams: {
    append(stream: string, entries: readonly JournalEntry[]): Promise<number>;
    lastSeq(stream: string): Promise<number>;
    read(stream: string, after?: number, limit?: number): Promise<JournalEntry[]>;
    follow(stream: string, after: number, signal: AbortSignal): AsyncIterable<JournalEntry>;
    list(prefix: string): Promise<string[]>;
    expire(stream: string, ttlMs: number): Promise<void>;
  };
  readonly fanout: { publish(channel: string, message: string): Promise<void> };
  onRecovered(listener: () => void): () => void;
}

/** A stored event as JSON text. */
export interface JournalEntry {
  seq: number;
  data: string;
}

/** Small named values with compare-and-set, as `store/store.ts` says. */
export interface JournalRecords {
  get(key: string): Promise<VersionedValue | undefined>;
  set(key: string, value: string, options?: { ttlMs?: number; ifVersion?: number }): Promise<number | undefined>;
  delete(key: string): Promise<void>;
  list(prefix: string): Promise<string[]>;
}

/** A value with the version that compare-and-set names. */
export interface VersionedValue {
  value: string;
  version: number;
}
