import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JournalEventType, StoredEvent } from '../src/journal/events.js';
import { Desk } from './kit/desk.js';
import { house } from './kit/house.js';
import { Phone } from './kit/phone.js';
import { RedisServer } from './kit/redis.js';
import { assertComplete, type EventOf, Server, sipCallIdOf } from './kit/server.js';
import { until } from './kit/until.js';

/** Two servers on one Redis are one house: one line for its people, and a call is found whichever of them has it. */
describe('two nodes on one Redis', () => {
  let redis: RedisServer;
  let folder: ReturnType<typeof house>;
  let desk: Desk;
  let here: Server;
  let there: Server;

  beforeAll(async () => {
    [redis, desk] = await Promise.all([RedisServer.create(), Desk.open()]);
    const agent = { greeting: 'Hello.', escalation: { message: 'One moment.' } };
    folder = house([{ ...agent, name: 'team', escalation: { ...agent.escalation, target: 'team' } }]);
    const targets = {
      team: {
        ...{ uri: desk.uri('anna'), name: 'Anna', accept: 'answer', briefing: false, ringMs: 60_000 },
        queue: { retryMs: 500 },
      },
    };
    writeFileSync(join(folder.path, 'parley.yaml'), JSON.stringify({ targets }));
    const env = {
      PARLEY_STORE_KIND: 'redis',
      PARLEY_STORE_REDIS_URL: redis.url,
      PARLEY_STORE_NODE_LOST_MS: '12000',
    };
    [here, there] = await Promise.all([
      Server.start({ cwd: folder.path, env }),
      Server.start({ cwd: folder.path, env }),
    ]);
  });

  afterAll(async () => {
    await Promise.all([here?.stop(), there?.stop()]);
    desk?.close();
    await redis?.remove();
    folder?.remove();
  });

  async function journal(phone: Phone): Promise<StoredEvent[]> {
    const journals = [...(await redis.journals()).values()].map((entries) =>
      entries.map(({ data }) => data as StoredEvent),
    );
    return journals.find((events) => sipCallIdOf(events) === phone.callId) ?? [];
  }

  function event<T extends JournalEventType>(
    phone: Phone,
    type: T,
    where: (event: EventOf<T>) => boolean = () => true,
    ms = 15_000,
  ): Promise<StoredEvent> {
    const isWanted = (one: StoredEvent) => one.type === type && where(one as EventOf<T>);
    return until(`event ${type}`, async () => (await journal(phone)).find(isWanted), { ms });
  }

  /** Calls, and asks for a person. */
  async function handedOver(server: Server): Promise<Phone> {
    const phone = await Phone.dial(server, '1');
    await phone.rtp.spoken(0, 300);
    phone.rtp.press('0');
    return phone;
  }

  const inPlace = (phone: Phone, place: number, ms?: number) =>
    event(phone, 'transfer.queued', (queued) => queued.place === place, ms);

  it('say which of them has the call whose place a phone takes', async () => {
    const phone = await handedOver(here);
    const anna = await desk.called('anna');
    await anna.answer();
    await event(phone, 'transfer.bridged');
    const unknown = await Phone.invite(there, '1', {
      headers: [`Replaces: ${anna.replaces}x`, 'Require: replaces'],
    });
    const replaces = { headers: [`Replaces: ${anna.replaces}`, 'Require: replaces'] };
    const other = await Phone.invite(there, '1', replaces);
    const phones = [phone, unknown, other];
    try {
      const [nobody, redirected] = await Promise.all([unknown.call.final(), other.call.final()]);
      unknown.call.acknowledge(nobody);
      other.call.acknowledge(redirected);
      expect([nobody.status, redirected.status]).toEqual([481, 302]);
      expect(redirected.header('contact')).toContain(`${here.sip.host}:${here.sip.port}`);
      const moved = await Phone.invite(here, '1', replaces);
      phones.push(moved);
      moved.rtp.start((await moved.call.answered()).body);
      await until('BYE at the desk', () => anna.ended === 'bye');
      await event(phone, 'transfer.replaced');
      await phone.hangUp();
      await until('BYE', () => moved.call.ended);
    } finally {
      for (const one of phones) await one.close();
    }
    await Promise.all([here.waitForIdle(), there.waitForIdle()]);
  });

  it('have one line: everybody is told their place, whoever goes, and a node that dies leaves nobody in it', async () => {
    const phones: Phone[] = [];
    const next = async (server: Server) => phones[phones.push(await handedOver(server)) - 1]!;
    try {
      const first = await next(here);
      const ringing = await desk.called('anna');
      ringing.ring();
      const second = await next(there);
      await inPlace(second, 2);
      await event(second, 'agent.turn', ({ kind, heard }) => kind === 'notice' && heard.startsWith('You are number 2'));
      const third = await next(here);
      await inPlace(third, 3);
      await second.hangUp();
      await inPlace(third, 2);
      // Who goes while being told their place.
      const brief = await next(there);
      await inPlace(brief, 3);
      await brief.hangUp();
      const fourth = await next(there);
      await inPlace(fourth, 3);
      await event(first, 'transfer.dialling');

      process.kill(here.pid, 'SIGKILL');
      await until('the end of the node', () => !here.alive);
      const anna = until('a call for the fourth', () => desk.calls.find((call) => !call.taken), { ms: 30_000 });
      await inPlace(fourth, 1, 30_000);
      // Its calls have an end, by the node that is there; those of that node go on.
      for (const phone of [first, third]) {
        await event(phone, 'call.ended', ({ by }) => by === 'node-lost');
        const events = await journal(phone);
        assertComplete(events);
        expect(events.slice(-3).map(({ type }) => type)).toEqual(['node.lost', 'call.summary', 'call.ended']);
      }
      const call = await anna;
      await call.answer();
      await event(fourth, 'transfer.bridged');
      await fourth.hangUp();
      await until('BYE', () => call.ended === 'bye');
      await there.waitForIdle();
      const places = (await journal(fourth)).flatMap((one) => (one.type === 'transfer.queued' ? [one.place] : []));
      expect(places).toEqual([3, 1]);
      const left = (await redis.keys()).filter((key) => /queue:|record:node:/.test(key));
      expect(left, 'the record of the node that is there').toEqual([expect.stringContaining('record:node:')]);
      expect([here.noise, there.noise]).toEqual([[], []]);
    } finally {
      for (const phone of phones) phone.rtp.close();
    }
  });
});
