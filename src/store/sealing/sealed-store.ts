import type { Blobs, Records, Store, StreamEntry, Streams, VersionedRecord } from '../store.js';
import type { Keyring } from './keyring.js';
import { isSealedBytes, isSealedText, openBytes, openText, sealBytes, sealText } from './seal.js';

/**
 * A store whose streams, records and blobs are encrypted with the first key, where there is one. What was written before,
 * plain or with another key, is still read. Names and keys are not encrypted, nor are counters.
 */
export function sealedStore(store: Store, keys: Keyring): Store {
  return {
    streams: new SealedStreams(store.streams, keys),
    records: new SealedRecords(store.records, keys),
    blobs: new SealedBlobs(store.blobs, keys),
    fanout: store.fanout,
    healthy: () => store.healthy(),
    onRecovered: (listener) => store.onRecovered(listener),
    close: () => store.close(),
  };
}

/** As it lies in the store: a JSON text, since that is what entries are. */
export function sealedEntry(keys: Keyring, stream: string, { seq, data }: StreamEntry): StreamEntry {
  const { current } = keys;
  return current ? { seq, data: `"${sealText(current, placeOf(stream, seq), data)}"` } : { seq, data };
}

/** @throws ParleyError PARLEY_ERR_KEY_MISSING, PARLEY_ERR_SEAL_BROKEN */
export function openedEntry(keys: Keyring, stream: string, { seq, data }: StreamEntry): StreamEntry {
  const text = data.startsWith('"') ? data.slice(1, -1) : '';
  return isSealedText(text) ? { seq, data: openText(keys, placeOf(stream, seq), text) } : { seq, data };
}

function placeOf(stream: string, seq: number) {
  return { place: `stream ${stream}`, part: seq };
}

class SealedStreams implements Streams {
  constructor(
    private readonly streams: Streams,
    private readonly keys: Keyring,
  ) {}

  append(stream: string, entries: readonly StreamEntry[]): Promise<number> {
    return this.streams.append(stream, this.sealed(stream, entries));
  }

  replace(stream: string, entries: readonly StreamEntry[]): Promise<boolean> {
    return this.streams.replace(stream, this.sealed(stream, entries));
  }

  lastSeq(stream: string): Promise<number> {
    return this.streams.lastSeq(stream);
  }

  async read(stream: string, after?: number, limit?: number): Promise<StreamEntry[]> {
    const entries = await this.streams.read(stream, after, limit);
    return entries.map((entry) => openedEntry(this.keys, stream, entry));
  }

  async *follow(stream: string, after: number, signal: AbortSignal): AsyncIterable<StreamEntry> {
    for await (const entry of this.streams.follow(stream, after, signal)) yield openedEntry(this.keys, stream, entry);
  }

  list(prefix: string): Promise<string[]> {
    return this.streams.list(prefix);
  }

  expire(stream: string, ttlMs: number): Promise<void> {
    return this.streams.expire(stream, ttlMs);
  }

  private sealed(stream: string, entries: readonly StreamEntry[]): readonly StreamEntry[] {
    return this.keys.current ? entries.map((entry) => sealedEntry(this.keys, stream, entry)) : entries;
  }
}

class SealedRecords implements Records {
  constructor(
    private readonly records: Records,
    private readonly keys: Keyring,
  ) {}

  async get(key: string): Promise<VersionedRecord | undefined> {
    const record = await this.records.get(key);
    if (!record || !isSealedText(record.value)) return record;
    return { ...record, value: openText(this.keys, { place: `record ${key}` }, record.value) };
  }

  set(
    key: string,
    value: string,
    options?: { ttlMs?: number; ifVersion?: number; keepTtl?: boolean },
  ): Promise<number | undefined> {
    const { current } = this.keys;
    const kept = current && value !== '' ? sealText(current, { place: `record ${key}` }, value) : value;
    return this.records.set(key, kept, options);
  }

  delete(key: string): Promise<void> {
    return this.records.delete(key);
  }

  increment(key: string, by?: number, options?: { ttlMs?: number }): Promise<number> {
    return this.records.increment(key, by, options);
  }

  list(prefix: string): Promise<string[]> {
    return this.records.list(prefix);
  }
}

class SealedBlobs implements Blobs {
  constructor(
    private readonly blobs: Blobs,
    private readonly keys: Keyring,
  ) {}

  async get(key: string): Promise<Uint8Array | undefined> {
    const bytes = await this.blobs.get(key);
    return bytes && isSealedBytes(bytes) ? openBytes(this.keys, { place: `blob ${key}` }, bytes) : bytes;
  }

  put(key: string, bytes: Uint8Array, options?: { ttlMs?: number }): Promise<void> {
    const { current } = this.keys;
    return this.blobs.put(key, current ? sealBytes(current, { place: `blob ${key}` }, bytes) : bytes, options);
  }

  delete(key: string): Promise<void> {
    return this.blobs.delete(key);
  }
}
