import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RedisServer } from '../../test/kit/redis.js';
import { createLogger } from '../telemetry/log.js';
import { storeConfig } from './config.js';
import { openStore } from './open.js';
import type { Store, StreamEntry } from './store.js';

const logger = createLogger('silent');

let server: RedisServer;
let folder: string;

beforeAll(async () => {
  server = await RedisServer.create();
  folder = await mkdtemp(join(tmpdir(), 'parley-store-'));
});

afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

function open(kind: 'files' | 'redis', url = server.url): Promise<Store> {
  return openStore(storeConfig.parse({ kind, redis: { url } }), folder, logger);
}

function entries(from: number, to: number): StreamEntry[] {
  return Array.from({ length: to - from + 1 }, (_, i) => ({ seq: from + i, data: JSON.stringify({ n: from + i }) }));
}

async function take(source: AsyncIterable<StreamEntry>, count: number): Promise<StreamEntry[]> {
  const taken: StreamEntry[] = [];
  for await (const entry of source) {
    taken.push(entry);
    if (taken.length === count) break;
  }
  return taken;
}

describe.each(['files', 'redis'] as const)('the store contract: %s', (kind) => {
  // Two instances stand for two processes.
  let store: Store;
  let other: Store;

  beforeAll(async () => {
    store = await open(kind);
    other = await open(kind);
  });

  afterAll(async () => {
    await store.close();
    await other.close();
  });

  it('is healthy', async () => {
    expect(await store.healthy()).toBe(true);
  });

  describe('streams', () => {
    it('keeps entries in order, and once when written repeatedly', async () => {
      expect(await store.streams.append('a/1', entries(1, 3))).toBe(0);
      expect(await store.streams.append('a/1', entries(2, 5)), 'skipped').toBe(2);
      expect(await store.streams.append('a/1', entries(1, 2))).toBe(2);
      expect(await other.streams.read('a/1')).toEqual(entries(1, 5));
      expect(await other.streams.read('a/1', 2, 2)).toEqual(entries(3, 4));
      expect(await other.streams.lastSeq('a/1')).toBe(5);
      expect(await store.streams.lastSeq('a/none')).toBe(0);
      expect(await store.streams.read('a/none')).toEqual([]);
    });

    it('refuses an entry that leaves a gap, and says where the stream ends', async () => {
      await store.streams.append('gap', entries(1, 2));
      const refused = store.streams.append('gap', [...entries(3, 3), ...entries(5, 6)]);
      await expect(refused).rejects.toMatchObject({ code: 'PARLEY_ERR_STORE_GAP', details: { last: 3 } });
      expect(await store.streams.read('gap')).toEqual(entries(1, 3));
    });

    it('puts entries in place of those there, and keeps their time', async () => {
      await store.streams.append('swap', entries(1, 3));
      await store.streams.expire('swap', 60_000);
      const anew = entries(1, 3).map(({ seq }) => ({ seq, data: `"${seq}"` }));
      expect(await other.streams.replace('swap', anew.slice(0, 2))).toBe(false);
      expect(await other.streams.replace('swap', anew)).toBe(true);
      expect(await other.streams.replace('swap-none', anew)).toBe(false);
      await store.streams.append('swap', entries(4, 4));
      expect(await store.streams.read('swap')).toEqual([...anew, ...entries(4, 4)]);
      await store.records.set('swap', 'a', { ttlMs: 40 });
      await store.records.set('swap', 'b', { keepTtl: true });
      expect((await other.records.get('swap'))?.value).toBe('b');
      await vi.waitFor(async () => expect(await store.records.get('swap')).toBeUndefined());
    });

    it('pages through more entries than one command takes, whatever text they hold', async () => {
      const many = entries(1, 1203).map(({ seq }) => ({ seq, data: JSON.stringify(`é\n"${seq}" 漢字 🎧`) }));
      await store.streams.append('many', many);
      expect(await other.streams.read('many')).toEqual(many);
    });

    it('stays whole when two processes append to it', async () => {
      const pieces = Array.from({ length: 40 }, (_, i) => entries(i + 1, i + 1));
      const writeAll = async (writer: Store) => {
        for (const piece of pieces) await writer.streams.append('both', piece);
      };
      await Promise.all([writeAll(store), writeAll(other)]);
      expect(await store.streams.read('both')).toEqual(entries(1, 40));
    });

    it('lists names by prefix, newest last', async () => {
      for (const name of ['call-03', 'call-01', 'call-02', 'cold']) await store.streams.append(name, entries(1, 1));
      expect(await other.streams.list('call-')).toEqual(['call-01', 'call-02', 'call-03']);
      expect(await other.streams.list('')).toContain('cold');
    });

    it('follows what another process appends, until told to stop', async () => {
      const stop = new AbortController();
      await store.streams.append('followed', entries(1, 2));
      const taken = take(other.streams.follow('followed', 1, stop.signal), 4);
      await store.streams.append('followed', entries(3, 3));
      await store.streams.append('followed', entries(4, 5));
      expect(await taken).toEqual(entries(2, 5));

      const nothing = take(other.streams.follow('followed', 5, stop.signal), 1);
      const unborn = take(other.streams.follow('unborn', 0, stop.signal), 2);
      await store.streams.append('unborn', entries(1, 2));
      expect(await unborn).toEqual(entries(1, 2));
      stop.abort();
      expect(await nothing).toEqual([]);
    });

    it('deletes a stream at once, or after its time', async () => {
      for (const name of ['gone', 'going', 'staying']) await store.streams.append(name, entries(1, 1));
      await store.streams.expire('gone', 0);
      await store.streams.expire('going', 30);
      await store.streams.expire('staying', 60_000);
      await vi.waitFor(async () => expect(await store.streams.list('go')).toEqual([]));
      expect(await store.streams.read('going')).toEqual([]);
      expect(await other.streams.lastSeq('going')).toBe(0);
      expect(await store.streams.read('staying')).toEqual(entries(1, 1));
      await store.streams.append('going', entries(1, 2));
      expect(await other.streams.read('going')).toEqual(entries(1, 2));
    });
  });

  describe('records', () => {
    it('sets, gets, lists and deletes', async () => {
      await store.records.set('r:b', 'one');
      const version = await store.records.set('r:b', 'two');
      await store.records.set('r:a*?[x]', '');
      expect(await other.records.get('r:b')).toEqual({ value: 'two', version });
      expect(await other.records.list('r:')).toEqual(['r:a*?[x]', 'r:b']);
      await other.records.delete('r:b');
      expect(await store.records.get('r:b')).toBeUndefined();
      expect(await store.records.list('r:')).toEqual(['r:a*?[x]']);
    });

    it('takes keys of any length and content', async () => {
      const key = `../${'long/'.repeat(100)}%2F é`;
      await store.records.set(key, 'v');
      expect((await other.records.get(key))?.value).toBe('v');
      expect(await other.records.list('../')).toEqual([key]);
    });

    it('compares and sets: of many at once, one wins', async () => {
      const attempts = [...Array(10).keys()];
      const results = await Promise.all(
        attempts.map((i) => (i % 2 ? store : other).records.set('cas', `by ${i}`, { ifVersion: 0 })),
      );
      const winner = results.findIndex((version) => version !== undefined);
      expect(results.filter((version) => version !== undefined)).toHaveLength(1);
      expect(await store.records.get('cas')).toEqual({ value: `by ${winner}`, version: results[winner] });
      const version = results[winner] ?? 0;
      expect(await store.records.set('cas', 'next', { ifVersion: version })).toBeGreaterThan(version);
      expect(await store.records.set('cas', 'late', { ifVersion: version })).toBeUndefined();
    });

    it('never matches a version from before a deletion', async () => {
      const version = (await store.records.set('aba', 'first')) ?? 0;
      await store.records.delete('aba');
      await store.records.set('aba', 'second');
      expect(await store.records.set('aba', 'third', { ifVersion: version })).toBeUndefined();
    });

    it('counts without losing any', async () => {
      await Promise.all([...Array(30).keys()].map((i) => (i % 2 ? store : other).records.increment('count')));
      expect(await store.records.increment('count', -7)).toBe(23);
      expect((await store.records.get('count'))?.value).toBe('23');
      await store.records.set('words', 'no number');
      await expect(store.records.increment('words')).rejects.toThrow();
    });

    it('forgets a record after its time to live, and keeps it when set again without one', async () => {
      await store.records.set('ttl:record', 'x', { ttlMs: 30 });
      await store.records.increment('ttl:count', 5, { ttlMs: 30 });
      await store.records.set('ttl:kept', 'x', { ttlMs: 30 });
      await store.records.set('ttl:kept', 'y');
      await vi.waitFor(async () => expect(await other.records.list('ttl:')).toEqual(['ttl:kept']));
      expect(await store.records.get('ttl:record')).toBeUndefined();
      expect(await store.records.increment('ttl:count')).toBe(1);
      expect(await store.records.set('ttl:record', 'again', { ifVersion: 0 })).toBeGreaterThan(0);
    });
  });

  describe('blobs', () => {
    it('keeps bytes as they are', async () => {
      const bytes = new Uint8Array(1000).map((_, i) => i & 255);
      await store.blobs.put('clips/a', bytes.subarray(3));
      expect(new Uint8Array((await other.blobs.get('clips/a')) ?? [])).toEqual(bytes.subarray(3));
      await other.blobs.delete('clips/a');
      expect(await store.blobs.get('clips/a')).toBeUndefined();
      await store.blobs.delete('clips/never');
    });

    it('forgets a blob after its time to live', async () => {
      await store.blobs.put('brief', new Uint8Array(1), { ttlMs: 30 });
      await store.blobs.put('kept', new Uint8Array(1), { ttlMs: 30 });
      await store.blobs.put('kept', new Uint8Array(2));
      await vi.waitFor(async () => expect(await other.blobs.get('brief')).toBeUndefined());
      expect((await other.blobs.get('kept'))?.length).toBe(2);
    });
  });

  describe('fan-out', () => {
    it('reaches each listener of the channel, a throwing one notwithstanding, until it unsubscribes', async () => {
      const heard: string[] = [];
      const listener = kind === 'redis' ? other : store;
      const stopBad = await listener.fanout.subscribe('news', () => {
        throw new Error('bad listener');
      });
      const stop = await listener.fanout.subscribe('news', (message) => heard.push(`1 ${message}`));
      const stopLast = await listener.fanout.subscribe('news', (message) => heard.push(`2 ${message}`));
      await listener.fanout.subscribe('other', (message) => heard.push(message));
      await store.fanout.publish('news', 'é');
      await vi.waitFor(() => expect(heard).toEqual(['1 é', '2 é']));
      await stop();
      await stopBad();
      await store.fanout.publish('news', 'b');
      await vi.waitFor(() => expect(heard.slice(2)).toEqual(['2 b']));
      await stopLast();
      await store.fanout.publish('news', 'unheard');
      await store.fanout.publish('other', 'end');
      await vi.waitFor(() => expect(heard.slice(3)).toEqual(['end']));
    });
  });
});

describe('the files store', () => {
  it('ignores a torn last line and writes over it', async () => {
    const store = await open('files');
    const path = join(folder, 'streams', 'torn.jsonl');
    await store.streams.append('torn', entries(1, 2));
    await appendFile(path, '{"seq":3,"data":{"n":');
    expect(await store.streams.read('torn')).toEqual(entries(1, 2));
    await store.streams.append('torn', entries(3, 4));
    expect(await store.streams.read('torn')).toEqual(entries(1, 4));
    await appendFile(path, '\0\0\0\n');
    const other = await open('files');
    await other.streams.append('torn', entries(5, 5));
    expect(await readFile(path, 'utf8')).toBe([1, 2, 3, 4, 5].map((n) => `{"seq":${n},"data":{"n":${n}}}\n`).join(''));
    await store.close();
    await other.close();
  });

  it('deletes at its time what is due, without going through all there is, and also what an earlier run has left', async () => {
    const root = join(folder, 'expiring');
    const store = await openStore(storeConfig.parse({}), root, logger);
    for (const name of ['soon', 'later', 'sooner']) await store.streams.append(name, entries(1, 1));
    await store.streams.expire('later', 7_200_000);
    await store.streams.expire('soon', 60);
    await store.streams.expire('sooner', 20);
    await store.blobs.put('blob', new Uint8Array(3), { ttlMs: 40 });
    await vi.waitFor(async () => expect(await store.streams.list('')).toEqual(['later']));
    await vi.waitFor(async () => expect((await readdir(join(root, 'blobs'), { recursive: true })).length).toBe(1));
    await store.streams.append('sooner', entries(1, 1));
    await store.streams.expire('sooner', 30);
    await store.close();
    await new Promise((resolve) => setTimeout(resolve, 40));
    const next = await openStore(storeConfig.parse({}), root, logger);
    await vi.waitFor(async () => expect(await next.streams.list('')).toEqual(['later']));
    await next.close();
  });

  it('says when the disk fails, and that it is back', async () => {
    const root = join(folder, 'blocked');
    await appendFile(root, 'a file where the directory should be');
    const store = await openStore(storeConfig.parse({}), root, logger);
    const recovered = vi.fn();
    store.onRecovered(recovered);
    expect(await store.healthy()).toBe(false);
    await expect(store.streams.append('s', entries(1, 1))).rejects.toMatchObject({
      code: 'PARLEY_ERR_STORE_UNAVAILABLE',
    });
    await rm(root);
    await store.streams.append('s', entries(1, 1));
    expect(await store.healthy()).toBe(true);
    expect(recovered).toHaveBeenCalledTimes(1);
    await store.close();
  });
});

describe('the Redis store', () => {
  it('starts without its server, fails fast, and recovers by itself with its subscriptions', async () => {
    const own = await RedisServer.create();
    await own.stop();
    const store = await open('redis', own.url);
    const recovered = vi.fn();
    store.onRecovered(recovered);
    try {
      expect(await store.healthy()).toBe(false);
      const unavailable = { code: 'PARLEY_ERR_STORE_UNAVAILABLE' };
      await expect(store.streams.append('s', entries(1, 1))).rejects.toMatchObject(unavailable);
      await expect(store.records.get('r')).rejects.toMatchObject(unavailable);
      await own.start({ empty: true });
      await vi.waitFor(() => expect(recovered).toHaveBeenCalledTimes(1), 10_000);
      const heard: string[] = [];
      await store.fanout.subscribe('c', (message) => heard.push(message));
      await store.streams.append('s', entries(1, 1));
      const followed = take(store.streams.follow('s', 0, new AbortController().signal), 2);

      await own.stop();
      await expect(store.streams.lastSeq('s')).rejects.toMatchObject(unavailable);
      await own.start({ empty: true });
      await vi.waitFor(() => expect(recovered).toHaveBeenCalledTimes(2), 10_000);
      await store.streams.append('s', entries(1, 2));
      expect(await followed).toEqual(entries(1, 2));
      await vi.waitFor(async () => {
        await store.fanout.publish('c', 'hello');
        expect(heard).toContain('hello');
      }, 10_000);
    } finally {
      await store.close();
      await own.remove();
    }
  });

  it('does not wait for a server that has stopped answering', async () => {
    const own = await RedisServer.create();
    const store = await open('redis', own.url);
    try {
      own.freeze();
      expect(await store.healthy()).toBe(false);
      own.thaw();
      await vi.waitFor(async () => expect(await store.healthy()).toBe(true), 10_000);
    } finally {
      await store.close();
      await own.remove();
    }
  });
});
