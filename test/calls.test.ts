import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from './kit/fixture.js';
import { Phone } from './kit/phone.js';
import { assertComplete, Server, sipCallIdOf } from './kit/server.js';
import { runSipp } from './kit/sipp.js';
import { SlowDesk } from './kit/slow-desk.js';
import { speak } from './kit/speech.js';
import { until } from './kit/until.js';
import { silence } from './kit/wav.js';

/** Calls by sipp; all are answered, and their transcripts complete. */
async function dial(server: Server, calls: number, atOnce: number, stayMs: number): Promise<void> {
  const says = await speak('Where is my order?');
  const result = await runSipp({ scenario: 'caller', target: server.sip, calls, atOnce, says, stayMs });
  expect(result).toEqual({ code: 0, succeeded: calls, failed: 0, errors: '' });
  const bySipp = () => [...server.journals().values()].filter((events) => !sipCallIdOf(events)?.endsWith('@kit'));
  await until('their ends', () => bySipp().filter((events) => events.at(-1)?.type === 'call.ended').length === calls);
  for (const journal of bySipp()) {
    assertComplete(journal);
    expect(journal.map((event) => event.type)).toContain('call.answered');
    expect(journal.at(-1)).toMatchObject({ type: 'call.ended', by: 'caller' });
  }
}

/** Come first, as SIP transactions go 32 s after the last response; other tests run meanwhile. */
describe('20 calls at once', () => {
  let busy: Server;

  beforeAll(async () => {
    busy = await Server.start({ env: { PARLEY_LOG_LEVEL: 'warn' } });
  });

  afterAll(() => busy?.stop());

  it('are all answered, all transcripts complete', async () => {
    await dial(busy, 20, 20, 3000);
    await busy.waitForIdle();
  });

  describe.concurrent('and others meanwhile', () => {
    let server: Server;
    let desk: SlowDesk;

    fixture(async (keep) => {
      desk = keep(await SlowDesk.open());
      server = await Server.start({ env: desk.env });
      return server;
    });

    it('30 in sequence are all answered, all transcripts complete', () => dial(server, 30, 1, 400));

    /** At whatever moment the caller goes: nothing stays open, and the transcript is whole. */
    async function expectEnd({ callId: sipCallId }: Phone): Promise<void> {
      const ended = await server.event('call.ended', { sipCallId });
      assertComplete(server.journal(sipCallId));
      expect(['caller', 'cancelled']).toContain(ended.by);
    }

    it('hang up with CANCEL in the same breath as the INVITE', async () => {
      await using phone = await Phone.invite(server);
      phone.call.cancel();
      await giveUp(phone);
      await expectEnd(phone);
    });

    it('hang up with CANCEL on 100 Trying', async () => {
      await using phone = await Phone.invite(server);
      await phone.peer.message('a first response', (message) => message.status >= 100);
      phone.call.cancel();
      await giveUp(phone);
      await expectEnd(phone);
    });

    it('hang up with BYE right after the ACK', async () => {
      await using phone = await Phone.invite(server);
      const response = await phone.call.final();
      phone.call.acknowledge(response);
      expect((await phone.call.bye()).status).toBe(200);
      await expectEnd(phone);
    });

    it('hang up during the greeting', async () => {
      await using phone = await Phone.dial(server);
      await phone.firstSound();
      await phone.hangUp();
      await expectEnd(phone);
      const greeting = server.journal(phone.callId).find((event) => event.type === 'agent.turn');
      expect(greeting).toMatchObject({ kind: 'greeting', interrupted: true });
    });

    it('hang up during their own words', async () => {
      await using phone = await Phone.dial(server);
      await phone.greeted();
      void phone.rtp.play(await speak('I would like to know where my order is because it has not arrived yet'));
      await server.event('caller.started', { sipCallId: phone.callId });
      await phone.hangUp();
      await expectEnd(phone);
    });

    it('hang up in the pause after their question, before the agent knows that it is over', async () => {
      await using phone = await Phone.dial(server);
      await phone.greeted();
      await phone.rtp.play(await speak('What are your opening hours?'));
      await phone.hangUp();
      await expectEnd(phone);
    });

    it('hang up while the agent thinks', async () => {
      await using phone = await Phone.dial(server);
      await phone.greeted();
      await phone.rtp.play(await speak('Where is my order?'));
      await server.event('action.called', { sipCallId: phone.callId });
      await until('the request to the shop', () => desk.requests.received === 1);
      const asked = performance.now();
      await until('somebody at a keyboard', () => phone.since(asked).pcm.some((sample) => Math.abs(sample) > 300));
      await phone.hangUp();
      await until('the request given up', () => desk.requests.abandoned === 1);
      await expectEnd(phone);
      const said = server.journal(phone.callId).find((event) => event.type === 'caller.turn');
      expect(said, 'what the caller said is kept').toMatchObject({ text: expect.stringMatching(/order/i) });
    });

    it('hang up during the reply', async () => {
      await using phone = await Phone.dial(server);
      await phone.greeted();
      void phone.rtp.play(await speak('What are your opening hours?'));
      await server.event('agent.started', { sipCallId: phone.callId, where: ({ turn }) => turn === 1 });
      await phone.hangUp();
      await expectEnd(phone);
      const reply = server.journal(phone.callId).findLast((event) => event.type === 'agent.turn');
      expect(reply).toMatchObject({ kind: 'reply', interrupted: true });
    });

    it('hang up after a long silence, in which the agent asked for them', async () => {
      await using phone = await Phone.dial(server);
      await phone.greeted();
      void phone.rtp.play(silence(20));
      await server.event('idle', { sipCallId: phone.callId, ms: 20_000 });
      await phone.hangUp();
      await expectEnd(phone);
    });
  });

  it('leave no SIP transaction', async () => {
    await busy.drained();
    expect(busy.noise).toEqual([]);
  });
});

/** After CANCEL: 487, or a 200 that crossed it and is ended as RFC 3261 section 9.1 has it. */
async function giveUp(phone: Phone): Promise<void> {
  const response = await phone.call.final();
  phone.call.acknowledge(response);
  if (response.status === 200) await phone.call.bye();
  else expect(response.status).toBe(487);
}
