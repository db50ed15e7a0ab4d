import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../src/journal/events.js';
import { OPENING_HOURS } from './kit/examples.js';
import { Phone } from './kit/phone.js';
import { RedisServer } from './kit/redis.js';
import { assertComplete, Server } from './kit/server.js';
import { transcribe } from './kit/speech.js';
import { until } from './kit/until.js';

describe('Redis goes away during a call', () => {
  let redis: RedisServer;
  let server: Server;
  let phone: Phone;

  beforeAll(async () => {
    redis = await RedisServer.create();
    server = await Server.start({ env: { PARLEY_STORE_KIND: 'redis', PARLEY_STORE_REDIS_URL: redis.url } });
  });

  afterAll(async () => {
    await phone?.close();
    await server?.stop();
    await redis?.remove();
  });

  it('the caller notices nothing, and no event is lost', async () => {
    phone = await Phone.dial(server);
    await phone.greeted();
    await until('the call in Redis', async () => (await events()).length > 0);

    await redis.stop();
    const without = await phone.ask(OPENING_HOURS.question);
    await redis.start();
    await until('what was said meanwhile, in Redis', async () => (await events()).some(isReply), { ms: 15_000 });

    await redis.stop();
    await redis.start({ empty: true });
    const after = await phone.ask(OPENING_HOURS.question);
    await phone.hangUp();
    await server.waitForIdle(15_000);

    expect(await transcribe(without), 'answered without Redis').toMatch(OPENING_HOURS.answer);
    expect(await transcribe(after), 'answered after a restart').toMatch(OPENING_HOURS.answer);
    const stored = await events();
    assertComplete(stored);
    expect(stored.filter(isReply)).toHaveLength(2);
    expect(server.noise).toEqual([]);
  });

  it('a call that ends while Redis is away is written when it is back', async () => {
    const before = (await redis.journals()).size;
    await redis.stop();
    await phone.close();
    phone = await Phone.dial(server);
    await phone.greeted();
    await phone.hangUp();
    await redis.start();
    await until('the second call in Redis', async () => (await redis.journals()).size > before, { ms: 15_000 });
    await server.waitForIdle(15_000);
    assertComplete(await events());
  });

  it('a server that is stopped while Redis is away ends its calls, and itself, in order', async () => {
    phone = await Phone.dial(server);
    await phone.greeted();
    await redis.stop();
    // Events are waited for once (3 s), and not once more for each part: else it would be killed after 10 s.
    const { code } = await server.stop();
    expect(phone.call.ended).toBe(true);
    expect(code).toBe(0);
  });

  /** The newest call's events, their entry ids checked: `<seq+1>-0`. */
  async function events(): Promise<StoredEvent[]> {
    const streams = await redis.journals();
    const newest = [...streams.keys()].sort().at(-1) ?? '';
    return (streams.get(newest) ?? []).map(({ id, data }) => {
      const seq = Number(id.split('-')[0]) - 1;
      return { ...(data as object), seq } as StoredEvent;
    });
  }
});

function isReply(event: StoredEvent): boolean {
  return event.type === 'agent.turn' && event.kind === 'reply';
}
