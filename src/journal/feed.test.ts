import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisServer } from '../../test/kit/redis.js';
import { until } from '../../test/kit/until.js';
import { storeConfig } from '../store/config.js';
import { openStore } from '../store/open.js';
import type { Store } from '../store/store.js';
import { createLogger } from '../telemetry/log.js';
import { JournalFeed } from './feed.js';
import { JournalBook, newCallId } from './journal.js';

const logger = createLogger('silent');
let server: RedisServer;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  server = await RedisServer.create();
});

afterAll(async () => {
  for (const part of open.reverse()) await part.close();
  await server.remove();
});

async function node(): Promise<{ store: Store; book: JournalBook; feed: JournalFeed }> {
  const store = await openStore(storeConfig.parse({ kind: 'redis', redis: { url: server.url } }), '', logger);
  const book = new JournalBook(store, logger, { retentionMs: 60_000 });
  const feed = new JournalFeed(book, store, logger);
  open.push(store, book, feed);
  return { store, book, feed };
}

it('tells of a call on another node: that it is there, its events, and its partials', async () => {
  const [there, here] = [await node(), await node()];
  const heard: string[] = [];
  here.feed.onCall((call) => heard.push(call));
  const journal = await until('word of a call', () => {
    // The subscription is made in the background: whatever came before it is not heard.
    const made = there.book.open(newCallId(), 0);
    made.append({ type: 'call.received', time: 't', from: '1', to: '2', source: 's', sipCallId: 'x' }, 0);
    return until('its word', () => (heard.includes(made.call) ? made : undefined), { ms: 500 }).catch(() => undefined);
  });
  expect(await here.feed.has(journal.call)).toBe(true);
  expect(await here.feed.has('nobody')).toBe(false);
  const partials: [string, number][] = [];
  const forget = here.feed.onPartial(journal.call, (json, after) => partials.push([JSON.parse(json).text, after]));
  await until('a partial', () => {
    journal.append({ type: 'caller.partial', text: 'where' }, 1);
    return partials.length > 0;
  });
  expect(partials[0]).toEqual(['where', 1]);
  forget();
  journal.append({ type: 'call.ended', by: 'caller', reason: 'BYE', durationMs: 1 }, 2);
  const types: string[] = [];
  for await (const { type } of here.feed.follow(journal.call, 0, new AbortController().signal)) types.push(type);
  expect(types).toEqual(['call.received', 'call.ended']);
});
