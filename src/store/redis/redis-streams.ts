import { setTimeout as delay } from 'node:timers/promises';
import { gap } from '../availability.js';
import type { StreamEntry, Streams } from '../store.js';
import type { Connection } from './connection.js';
import { Keys, ttlArgument } from './keys.js';
import { APPEND, EXPIRE, REPLACE } from './scripts.js';

/** Entries per command, so that no single one holds up the server. */
const PAGE = 500;
/** How long one blocking read waits for entries, ms. */
const BLOCK_MS = 1000;

/** Each stream is a Redis Stream; entry ids are `<seq+1>-0`. */
export class RedisStreams implements Streams {
  readonly #keys: Keys;
  readonly #following = new Set<Connection>();

  constructor(
    private readonly connection: Connection,
    prefix: string,
  ) {
    this.#keys = new Keys(prefix, 'stream');
  }

  async append(stream: string, entries: readonly StreamEntry[]): Promise<number> {
    let skipped = 0;
    for (let at = 0; at < entries.length; at += PAGE) {
      const args = entries.slice(at, at + PAGE).flatMap((entry) => [String(entry.seq), entry.data]);
      try {
        skipped += Number(await APPEND.run(this.connection, this.#keys.of(stream), [stream, ...args]));
      } catch (error) {
        throw gapOf(stream, error) ?? error;
      }
    }
    return skipped;
  }

  async replace(stream: string, entries: readonly StreamEntry[]): Promise<boolean> {
    if (entries.length === 0) return false;
    const args = entries.flatMap(({ seq, data }) => [String(seq), data]);
    return (await REPLACE.run(this.connection, this.#keys.of(stream), [stream, ...args])) === 1;
  }

  async lastSeq(stream: string): Promise<number> {
    const key = this.#keys.value(stream);
    const newest = await this.connection.run((client) => client.xRevRange(key, '+', '-', { COUNT: 1 }));
    const id = newest?.[0]?.id;
    return id === undefined ? 0 : seqOf(id);
  }

  async read(stream: string, after = 0, limit = Number.POSITIVE_INFINITY): Promise<StreamEntry[]> {
    const key = this.#keys.value(stream);
    const entries: StreamEntry[] = [];
    for (let last = after; entries.length < limit; ) {
      const count = Math.min(PAGE, limit - entries.length);
      const start = `${last + 2}-0`;
      const page = await this.connection.run((client) => client.xRange(key, start, '+', { COUNT: count }));
      for (const { id, message } of page ?? []) {
        last = seqOf(id);
        entries.push({ seq: last, data: message.d ?? '' });
      }
      if ((page?.length ?? 0) < count) break;
    }
    return entries;
  }

  async *follow(stream: string, after: number, signal: AbortSignal): AsyncIterable<StreamEntry> {
    if (signal.aborted) return;
    // A blocking read holds up its connection, so each follower has its own.
    const connection = this.connection.another();
    const end = () => connection.close();
    signal.addEventListener('abort', end, { once: true });
    this.#following.add(connection);
    try {
      await connection.start(BLOCK_MS);
      let last = after;
      while (!signal.aborted && this.#following.has(connection)) {
        for (const entry of await this.#next(connection, stream, last)) {
          if (signal.aborted) return;
          last = entry.seq;
          yield entry;
        }
      }
    } finally {
      signal.removeEventListener('abort', end);
      this.#following.delete(connection);
      connection.close();
    }
  }

  list(prefix: string): Promise<string[]> {
    return this.#keys.list(this.connection, prefix);
  }

  async expire(stream: string, ttlMs: number): Promise<void> {
    await EXPIRE.run(this.connection, this.#keys.of(stream), [stream, ttlArgument(ttlMs)]);
  }

  /** Ends every follower. */
  close(): void {
    for (const connection of this.#following) connection.close();
    this.#following.clear();
  }

  /** Entries after `last`; none when there are none for a while or the server is away, which a follower waits out. */
  async #next(connection: Connection, stream: string, last: number): Promise<StreamEntry[]> {
    const from = { key: this.#keys.value(stream), id: `${last + 1}-0` };
    try {
      const reply = await connection.run(
        (client) => client.xRead(from, { BLOCK: BLOCK_MS, COUNT: PAGE }),
        BLOCK_MS + 4000,
      );
      const messages: { id: string; message: Record<string, string> }[] = reply?.[0]?.messages ?? [];
      return messages.map(({ id, message }) => ({ seq: seqOf(id), data: message.d ?? '' }));
    } catch {
      await delay(100);
      return [];
    }
  }
}

function seqOf(id: string): number {
  return Number.parseInt(id, 10) - 1;
}

function gapOf(stream: string, error: unknown): Error | undefined {
  const match = error instanceof Error ? /^GAP (\d+) (\d+)/.exec(error.message) : null;
  return match ? gap(stream, Number(match[1]), Number(match[2])) : undefined;
}
