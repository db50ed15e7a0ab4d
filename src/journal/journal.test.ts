import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RedisServer } from '../../test/kit/redis.js';
import { ParleyError } from '../errors.js';
import { storeConfig } from '../store/config.js';
import { openStore } from '../store/open.js';
import type { Store } from '../store/store.js';
import { monotonicMs } from '../telemetry/clock.js';
import { createLogger } from '../telemetry/log.js';
import type { JournalEvent, StoredEvent } from './events.js';
import { type CallJournal, JournalBook, type JournalBookOptions, newCallId } from './journal.js';

const logger = createLogger('silent');
const received: JournalEvent = {
  type: 'call.received',
  time: '2026-01-02T03:04:05.678Z',
  from: '100',
  to: '8001',
  source: '127.0.0.1',
  sipCallId: 'x',
};
const ended: JournalEvent = { type: 'call.ended', by: 'caller', reason: 'BYE', durationMs: 5 };

function digit(n: number): JournalEvent {
  return { type: 'dtmf', digit: String(n), durationMs: n };
}

function bookOn(store: Store, options: Partial<JournalBookOptions> = {}): JournalBook {
  return new JournalBook(store, logger, { retentionMs: 60_000, ...options });
}

function append(journal: CallJournal, from: number, to: number): void {
  for (let n = from; n <= to; n++) journal.append(digit(n));
}

function digitsOf(events: readonly StoredEvent[]): number[] {
  return events.flatMap((event) => (event.type === 'dtmf' ? [event.durationMs] : []));
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}

async function collect(source: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of source) events.push(event);
  return events;
}

describe('call ids', () => {
  it('sort by when they were made, and are never the same', () => {
    const ids = Array.from({ length: 2000 }, newCallId);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(2000);
    for (const id of ids) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  });
});

describe('a journal', () => {
  let store: Store;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-journal-'));
    store = await openStore(storeConfig.parse({}), folder, logger);
  });

  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('numbers what it stores, shows the rest live, and tells everyone', async () => {
    const book = bookOn(store);
    const call = newCallId();
    const published: string[] = [];
    await store.fanout.subscribe(`call:${call}`, (message) => published.push(message));
    const start = monotonicMs();
    const journal = book.open(call, start);
    const heard: unknown[] = [];
    journal.onEvent(() => {
      throw new Error('bad listener');
    });
    const stop = journal.onEvent((event) => heard.push(event));
    const following = collect(book.follow(call, 0, new AbortController().signal));

    expect(journal.append(received, start)).toEqual({ call, seq: 1, at: 0, ...received });
    const partial = journal.append({ type: 'caller.partial', text: 'hel' }, start + 10.04);
    expect(partial).toEqual({ call, after: 1, at: 10, type: 'caller.partial', text: 'hel' });
    const last = journal.append(ended, start - 20);
    expect(last).toMatchObject({ seq: 2, at: -20 });
    stop();
    await journal.close();
    expect(journal.append(digit(1))).toMatchObject({ after: 2 });

    expect(heard).toEqual([journal.events[0], partial, last]);
    expect(await following).toEqual(journal.events);
    expect(await book.read(call)).toEqual(journal.events);
    await vi.waitFor(() => expect(published).toHaveLength(4));
    expect(published.slice(0, 3).map((text) => JSON.parse(text))).toEqual(heard);
    expect(book.pending()).toBe(0);
    expect(book.live.size).toBe(0);
    await book.close();
  });

  it('is read, listed and followed from another process', async () => {
    const elsewhere = await openStore(storeConfig.parse({}), folder, logger);
    const book = bookOn(store);
    const other = bookOn(elsewhere);
    const calls = [newCallId(), newCallId(), newCallId()];
    const journals = calls.map((call) => book.open(call, monotonicMs()));
    for (const journal of journals) journal.append(received);
    expect(await book.flush(5000)).toBe(true);
    const following = collect(other.follow(calls[2] ?? '', 0, new AbortController().signal));
    for (const journal of journals.slice(1)) {
      journal.append(ended);
      await journal.close();
    }
    expect((await following).map(({ type }) => type)).toEqual(['call.received', 'call.ended']);
    const summaries = await other.list(3);
    expect(summaries.map(({ call }) => call)).toEqual(calls);
    expect(summaries[0]).toMatchObject({ from: '100', to: '8001', time: received.time });
    expect(summaries.map((summary) => summary.ended?.by)).toEqual([undefined, 'caller', 'caller']);
    expect(await other.read('unknown')).toEqual([]);
    await book.close();
    await other.close();
    await elsewhere.close();
  });

  it('survives what is no JSON', async () => {
    const book = bookOn(store);
    const journal = book.open(newCallId(), monotonicMs());
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    journal.append({ type: 'action.called', turn: 1, action: 'a', sideEffects: false, parameters: circular });
    journal.append(ended);
    await journal.close();
    expect((await book.read(journal.call)).map(({ type }) => type)).toEqual(['error', 'call.ended']);
    await book.close();
  });

  it('keeps what can not be stored, up to a bound', async () => {
    let up = false;
    const streams: Store['streams'] = {
      ...store.streams,
      expire: async () => {},
      append: async (stream, entries) => {
        if (!up) throw new ParleyError('PARLEY_ERR_STORE_UNAVAILABLE', { reason: 'test' });
        return store.streams.append(stream, entries);
      },
    };
    const down = { ...store, streams, fanout: store.fanout, onRecovered: () => () => {} };
    const book = bookOn(down, { closeTimeoutMs: 10, maxPending: 10 });
    const journals = [newCallId(), newCallId(), newCallId()].map((call) => book.open(call, monotonicMs()));
    for (const journal of journals) {
      append(journal, 1, 4);
      await journal.close();
    }
    expect(book.pending()).toBe(8);
    expect(await book.flush(10)).toBe(false);
    up = true;
    expect(await book.flush(10_000)).toBe(true);
    expect(await store.streams.lastSeq(`call-${journals[0]?.call}`)).toBe(0);
    expect(await store.streams.lastSeq(`call-${journals[2]?.call}`)).toBe(4);
    await book.close();
  });
});

describe('a journal in Redis', () => {
  let server: RedisServer;
  let store: Store;

  beforeAll(async () => {
    server = await RedisServer.create();
    store = await openStore(storeConfig.parse({ kind: 'redis', redis: { url: server.url } }), '', logger);
  });

  afterAll(async () => {
    await store.close();
    await server.remove();
  });

  it('loses nothing when the server is stopped, and comes back empty, while calls go on', async () => {
    const book = bookOn(store, { closeTimeoutMs: 50 });
    const [busy, quiet, over] = [newCallId(), newCallId(), newCallId()].map((call) => book.open(call, monotonicMs()));
    if (!busy || !quiet || !over) throw new Error('unreachable');
    append(quiet, 1, 3);
    append(busy, 1, 500);
    append(over, 1, 20);
    expect(await book.flush(10_000)).toBe(true);

    // Events come in while the server goes, is away and comes back.
    let n = 500;
    const talk = setInterval(() => busy.append(digit(++n)), 1);
    append(over, 21, 40);
    await server.stop();
    append(over, 41, 60);
    over.append(ended);
    await over.close();
    expect(await book.read(over.call)).toHaveLength(61);
    await server.start({ empty: true });
    await vi.waitFor(() => expect(book.pending()).toBeLessThan(10), 15_000);
    await server.stop();
    await server.start({ empty: true });
    await vi.waitFor(async () => expect(await store.streams.lastSeq(`call-${quiet.call}`)).toBe(3), 15_000);
    clearInterval(talk);
    busy.append(ended);
    await busy.close();
    expect(await book.flush(10_000)).toBe(true);

    const readBack = bookOn(store);
    const events = await readBack.read(busy.call);
    expect(digitsOf(events)).toEqual(upTo(n));
    expect(events.map(({ seq }) => seq)).toEqual(upTo(n + 1));
    expect(events).toEqual(busy.events);
    expect(digitsOf(await readBack.read(quiet.call))).toEqual(upTo(3));
    await readBack.close();
    await book.close();
  });

  it('writes a call that ended during an outage when the server is back', async () => {
    const book = bookOn(store, { closeTimeoutMs: 50 });
    const journal = book.open(newCallId(), monotonicMs());
    append(journal, 1, 10);
    expect(await book.flush(10_000)).toBe(true);
    await server.stop();
    append(journal, 11, 20);
    await journal.close();
    expect(book.live.size).toBe(0);
    await server.start({ empty: true });
    expect(await book.flush(15_000)).toBe(true);
    expect(digitsOf(await bookOn(store).read(journal.call))).toEqual(upTo(20));
    await book.close();
  });

  it('writes again what was flushed from a server that never went away', async () => {
    const own = await RedisServer.create();
    const config = (prefix: string) => storeConfig.parse({ kind: 'redis', redis: { url: own.url, prefix } });
    const shared = await openStore(config('p:'), '', logger);
    const book = bookOn(shared);
    const journal = book.open(newCallId(), monotonicMs());
    append(journal, 1, 10);
    expect(await book.flush(10_000)).toBe(true);
    await shared.streams.expire(`call-${journal.call}`, 0);
    append(journal, 11, 12);
    await journal.close();
    expect(digitsOf(await bookOn(shared).read(journal.call))).toEqual(upTo(12));
    await book.close();
    await shared.close();
    await own.remove();
  });

  it('exactly once, when a stalled server answers after the write was tried again', async () => {
    const book = bookOn(store);
    const journal = book.open(newCallId(), monotonicMs());
    append(journal, 1, 5);
    expect(await book.flush(10_000)).toBe(true);
    server.freeze();
    append(journal, 6, 10);
    expect(await book.flush(2500)).toBe(false);
    server.thaw();
    expect(await book.flush(15_000)).toBe(true);
    expect(digitsOf(await bookOn(store).read(journal.call))).toEqual(upTo(10));
    await book.close();
  });
});
