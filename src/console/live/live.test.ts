import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { JournalFeed } from '../../journal/feed.js';
import { type CallJournal, JournalBook, newCallId } from '../../journal/journal.js';
import { storeConfig } from '../../store/config.js';
import { openStore } from '../../store/open.js';
import type { Store } from '../../store/store.js';
import { createLogger } from '../../telemetry/log.js';
import { Access } from '../access.js';
import { TokenBook } from '../tokens.js';
import { webhooksConfig } from '../webhooks/config.js';
import { signature } from '../webhooks/delivery.js';
import { Webhooks } from '../webhooks/webhooks.js';
import type { AudibleCall } from './audible.js';
import { LiveServer } from './live-server.js';
import { Outlet } from './outlet.js';

const logger = createLogger('silent');
let store: Store;
let folder: string;
let book: JournalBook;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-live-'));
  store = await openStore(storeConfig.parse({}), folder, logger);
  book = new JournalBook(store, logger, { retentionMs: 60_000 });
});

afterEach(async () => {
  await book.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

function begin(): CallJournal {
  const journal = book.open(newCallId(), 0);
  const event = { type: 'call.received', time: 't', from: '1', to: '2', source: 's', sipCallId: 'x' } as const;
  journal.append(event, 0);
  return journal;
}

function say(journal: CallJournal, ...texts: string[]): void {
  for (const text of texts) journal.append({ type: 'caller.turn', turn: 1, text, from: 'speech' }, 1);
}

function end(journal: CallJournal): Promise<void> {
  journal.append({ type: 'call.ended', by: 'caller', reason: 'BYE', durationMs: 1 }, 2);
  return journal.close();
}

describe('live socket', () => {
  let http: ReturnType<typeof createServer>;
  let live: LiveServer;
  let tokens: TokenBook;
  const ears = new Map<string, (pcm: Int16Array | undefined) => void>();
  const said: unknown[] = [];
  const audit = { note: async () => undefined };
  const calls = {
    get: (id: string): AudibleCall | undefined =>
      id === 'up'
        ? {
            supervision: {
              listen: (by, rate, to, ear) => {
                said.push([by, rate, to]);
                ears.set(by, ear);
                return {
                  say: (pcm) => void said.push([...pcm]),
                  talkTo: (whom) => void said.push(whom),
                  end: () => void said.push('ended'),
                };
              },
            },
          }
        : undefined,
  };
  let feed: JournalFeed;
  let port: number;

  beforeEach(async () => {
    feed = new JournalFeed(book, store, logger);
    tokens = new TokenBook(store.records);
    live = new LiveServer(feed, new Access('the-token-of-the-test', tokens), logger, calls, audit, 200);
    http = createServer().on('upgrade', (request, socket, head) => void live.upgrade(request, socket, head));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    port = (http.address() as AddressInfo).port;
  });

  afterEach(async () => {
    live.close();
    await feed.close();
    http.close();
    http.closeAllConnections();
  });

  /** A reader, what it was sent, and how it was closed. */
  function read(path: string, token = 'the-token-of-the-test') {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['parley.v1', `parley.token.${token}`]);
    const frames: Record<string, unknown>[] = [];
    const reader = { socket, frames, code: 0, status: 0, opened: false };
    socket.on('open', () => {
      reader.opened = true;
    });
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    socket.on('close', (code) => {
      reader.code = code;
    });
    socket.on('unexpected-response', (_, response: IncomingMessage) => {
      reader.status = response.statusCode ?? 0;
    });
    socket.on('error', () => undefined);
    return reader;
  }
  const seqs = ({ frames }: { frames: Record<string, unknown>[] }) => frames.flatMap(({ seq }) => (seq ? [seq] : []));

  it('replays a call, follows it, shows partials, and ends with it; a reader that comes again misses nothing', async () => {
    const journal = begin();
    say(journal, 'one', 'two');
    const first = read(`/v1/calls/${journal.call}/events`);
    await until('replay', () => first.frames.length === 3);
    journal.append({ type: 'caller.partial', text: 'thr' }, 1);
    await until('partial', () => first.frames.some(({ type, after }) => type === 'caller.partial' && after === 3));
    first.socket.terminate();
    say(journal, 'three', 'four');
    const second = read(`/v1/calls/${journal.call}/events?after=3&partials=false`);
    await until('what was missed', () => seqs(second).length === 2);
    journal.append({ type: 'caller.partial', text: 'never shown' }, 1);
    say(journal, 'five');
    await end(journal);
    await until('end', () => second.code !== 0);
    expect([seqs(second), second.code]).toEqual([[4, 5, 6, 7], 1000]);
    expect(second.frames.at(-1)).toEqual({ type: 'end', call: journal.call });
    expect(second.frames.some(({ type }) => type === 'caller.partial')).toBe(false);
    const late = read(`/v1/calls/${journal.call}/events?after=5`);
    await until('end', () => late.code === 1000);
    expect(seqs(late)).toEqual([6, 7]);
  });

  it('tells of all calls, also of those that came and went while a reader was away', async () => {
    const [old, seen] = [begin(), begin()];
    const reader = read('/v1/events');
    await until('calls that live', () => reader.frames.length === 2);
    reader.socket.terminate();
    say(seen, 'while away');
    const missed = begin();
    await end(missed);
    await until('stored', () => book.pending() === 0);
    const again = read(`/v1/events?since=${seen.call}&after=${old.call}:1,${seen.call}:1`);
    const present = begin();
    await until('everything', () => again.frames.length >= 4);
    const told = (journal: CallJournal) =>
      again.frames.filter(({ call }) => call === journal.call).map(({ seq }) => seq);
    expect([told(old), told(seen), told(missed), told(present)]).toEqual([[], [2], [1, 2], [1]]);
  });

  it('carries the audio of a call both ways, and says to whom a supervisor talks', async () => {
    said.length = 0;
    const { socket, frames, ...state } = read('/v1/calls/up/audio?rate=16000&talk=all');
    const pcm: Buffer[] = [];
    socket.removeAllListeners('message');
    socket.on('message', (data: Buffer, binary) => (binary ? pcm.push(data) : frames.push(JSON.parse(String(data)))));
    await until('start', () => frames.length === 1);
    expect(frames[0]).toEqual({ type: 'start', call: 'up', rate: 16_000, talk: 'all' });
    ears.get('http.token')?.(Int16Array.of(1, -2, 300));
    await until('sound', () => pcm.length === 1);
    expect(pcm[0]?.readInt16LE(4)).toBe(300);
    socket.send(Buffer.from(Int16Array.of(5, -6).buffer));
    socket.send('{"type":"talk","to":"person"}');
    socket.send('{"type":"sing"}');
    await until('an answer to nonsense', () => frames.length === 2);
    expect(frames[1]).toMatchObject({ type: 'error', code: 'PARLEY_ERR_LIVE_FRAME' });
    expect(said).toEqual([['http.token', 16_000, 'all'], [5, -6], 'person']);
    ears.get('http.token')?.(undefined);
    await until('the end', () => said.includes('ended'));
    expect(frames.at(-1)).toEqual({ type: 'end', call: 'up' });
    expect(state.status).toBe(0);
    for (const [path, status] of [
      ['/v1/calls/down/audio', 404],
      ['/v1/calls/up/audio?rate=44100', 400],
    ] as const) {
      const reader = read(path);
      await until('refusal', () => reader.status === status);
    }
  });

  it('lets go who may no longer read, and who is gone', async () => {
    said.length = 0;
    const { token, entry } = await tokens.create('somebody', 'supervisor');
    const path = `/v1/calls/${begin().call}/events`;
    const [revoked, reader, gone] = [read('/v1/calls/up/audio', token), read(path, token), read('/v1/calls/up/audio')];
    await until('open', () => revoked.opened && reader.opened && gone.opened);
    await tokens.revoke(entry.id);
    await until('the end', () => revoked.code === 1008 && reader.code === 1008);
    // A laptop that was closed: nothing is read, nothing answered.
    gone.socket.pause();
    await until('nobody listens', () => said.filter((one) => one === 'ended').length === 2 && live.readers === 0);
    gone.socket.terminate();
  });

  it('says what is wrong', async () => {
    const journal = begin();
    const path = `/v1/calls/${journal.call}/events`;
    const refusals: [string, string, number][] = [
      [path, 'wrong', 401],
      ['/v1/calls/nobody/events', 'the-token-of-the-test', 404],
      [`${path}?after=x`, 'the-token-of-the-test', 400],
      ['/v1/elsewhere', 'the-token-of-the-test', 404],
    ];
    for (const [where, token, status] of refusals) {
      const reader = read(where, token);
      await until(`refusal of ${where}`, () => reader.status === status);
    }
    const reader = read(path);
    await until('open', () => reader.opened);
    reader.socket.send('{"type":"ping"}');
    reader.socket.send('nonsense');
    await until('answers', () => reader.frames.some(({ code }) => code === 'PARLEY_ERR_LIVE_FRAME'));
    expect(reader.frames.some(({ type }) => type === 'pong')).toBe(true);
    for (let i = 0; i < 10; i++) reader.socket.send(Buffer.from([i]));
    await until('closed', () => reader.code === 1008);
    const huge = read(path);
    await until('open', () => huge.opened);
    huge.socket.send('x'.repeat(20_000));
    await until('closed', () => huge.code === 1009);
  });

  it('fetches nothing for a reader that does not read', async () => {
    const waiting: (() => void)[] = [];
    const socket = {
      readyState: 1,
      OPEN: 1,
      once: () => undefined,
      send: (_: string, done: () => void) => waiting.push(done),
    };
    const flush = () => {
      for (const done of waiting.splice(0)) done();
    };
    const outlet = new Outlet(socket as unknown as WebSocket);
    let sent = 0;
    const all = (async () => {
      for (; sent < 100; sent++) await outlet.send('x'.repeat(10_000));
    })();
    await new Promise((resolve) => setImmediate(resolve));
    expect([sent < 30, outlet.isKeepingUp]).toEqual([true, false]);
    const pump = setInterval(flush, 1);
    await all;
    clearInterval(pump);
    flush();
    expect([sent, outlet.isKeepingUp]).toEqual([100, true]);
  });
});

describe('webhooks', () => {
  const SECRET = 'a secret of the receiver';
  let receiver: ReturnType<typeof createServer>;
  let failures = 0;
  let got: { call: string; seq: number; type: string }[] = [];
  let attempts = 0;

  beforeEach(async () => {
    [failures, attempts, got] = [0, 0, []];
    receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (text) => {
        body += text;
      });
      request.on('end', () => {
        attempts++;
        const given = String(request.headers['parley-signature']);
        const time = Number(/^t=(\d+),/.exec(given)?.[1]);
        const event = JSON.parse(body);
        const right = given === signature(SECRET, body, time) && Math.abs(Date.now() / 1000 - time) < 10;
        response.statusCode = !right ? 400 : failures-- > 0 ? 503 : 204;
        if (response.statusCode === 204) got.push(event);
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  });

  afterEach(() => {
    receiver.close();
    receiver.closeAllConnections();
  });

  function hooks(events: string[], journals = book) {
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    const config = webhooksConfig.parse([{ name: 'crm', url, events, secret: SECRET }]);
    return new Webhooks(config, journals, store.records, logger, { firstPauseMs: 5, sweepMs: 100 });
  }

  it('come signed and in order, all of them, though the receiver fails first', async () => {
    const webhooks = hooks(['call.*', 'caller.turn']);
    failures = 3;
    const [one, two] = [begin(), begin()];
    say(one, 'a', 'b');
    one.append({ type: 'idle', count: 1 }, 1);
    say(two, 'c');
    await Promise.all([end(one), end(two)]);
    await until('all', () => got.length === 7 && webhooks.pending === 0);
    const of = (journal: CallJournal) => got.filter(({ call }) => call === journal.call).map(({ seq }) => seq);
    expect([of(one), of(two)]).toEqual([
      [1, 2, 3, 5],
      [1, 2, 3],
    ]);
    expect(attempts).toBe(10);
    expect(await store.records.list('webhook:')).toEqual([]);
    await webhooks.close();
  });

  it('wait in the store alone while the receiver is down for long, which one of them tries, and all come when it is back', async () => {
    const webhooks = hooks(['*']);
    failures = Number.POSITIVE_INFINITY;
    const journals = Array.from({ length: 60 }, () => begin());
    const [live, ...over] = journals;
    for (const journal of over) await end(journal);
    await until('nobody waits', () => webhooks.pending <= 1, { ms: 20_000 });
    const before = attempts;
    await until('an attempt', () => attempts > before + 1);
    expect(webhooks.pending).toBeLessThan(2);
    failures = 0;
    await until('all', () => got.length === 1 + 2 * over.length, { ms: 20_000 });
    say(live!, 'still there');
    await end(live!);
    await until('the end', () => got.length === 3 + 2 * over.length && webhooks.pending === 0);
    for (const { call } of over) expect(got.filter((one) => one.call === call).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await store.records.list('webhook:')).toEqual([]);
    await webhooks.close();
  });

  it('that a run has left are sent by the next, from where it was', async () => {
    const before = hooks(['*']);
    const journal = begin();
    await until('the first', () => got.length === 1);
    failures = Number.POSITIVE_INFINITY;
    say(journal, 'while the receiver is down');
    await end(journal);
    // Its node dies: it has no end, and is told of as far as it went.
    const lost = begin();
    say(lost, 'the last words');
    await until('stored', () => book.pending() === 0);
    await until('an attempt', () => attempts >= 3);
    await before.close();
    expect(await store.records.list('webhook:')).toHaveLength(2);
    failures = 0;
    const next = new JournalBook(store, logger, { retentionMs: 60_000 });
    const after = hooks(['*'], next);
    await until('the rest', () => got.length === 5 && after.pending === 0);
    const told = ({ call: id }: CallJournal) => got.filter(({ call }) => call === id).map(({ seq }) => seq);
    expect([told(journal), told(lost)]).toEqual([
      [1, 2, 3],
      [1, 2],
    ]);
    expect(await store.records.list('webhook:')).toEqual([expect.stringContaining(lost.call)]);
    // Another node ends it.
    await next.endLost(lost.call, 'node-1', Date.now(), async () => true);
    await until('its end', () => got.length === 8 && after.pending === 0);
    expect(got.slice(-3).map(({ type }) => type)).toEqual(['node.lost', 'call.summary', 'call.ended']);
    expect(await store.records.list('webhook:')).toEqual([]);
    await after.close();
    await next.close();
  });
});
