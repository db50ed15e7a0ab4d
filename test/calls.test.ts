import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Phone } from './kit/phone.js';
import { assertComplete, Server } from './kit/server.js';
import { runSipp } from './kit/sipp.js';
import { SlowDesk } from './kit/slow-desk.js';
import { speak } from './kit/speech.js';
import { until } from './kit/until.js';
import { silence } from './kit/wav.js';

/** Outlives its tests: SIP transactions go 32 s after the last response, and other tests run meanwhile. */
let busy: Server;

beforeAll(async () => {
  busy = await Server.start({ env: { PARLEY_LOG_LEVEL: 'warn' } });
});

afterAll(() => busy?.stop());

describe('many calls by sipp', () => {
  it('30 in sequence, all answered, all transcripts complete', async () => {
    await dial(30, 1, 400);
  });

  it('20 at once, all answered, all transcripts complete', async () => {
    await dial(20, 20, 3000);
  });

  async function dial(calls: number, atOnce: number, stayMs: number): Promise<void> {
    const before = busy.journals().size;
    const says = await speak('Where is my order?');
    const result = await runSipp({ scenario: 'caller', target: busy.sip, calls, atOnce, says, stayMs });
    expect(result).toEqual({ code: 0, succeeded: calls, failed: 0, errors: '' });
    await busy.waitForIdle();
    const journals = [...busy.journals().values()].slice(before);
    expect(journals).toHaveLength(calls);
    for (const journal of journals) {
      assertComplete(journal);
      expect(journal.map((event) => event.type)).toContain('call.answered');
      expect(journal.at(-1)).toMatchObject({ type: 'call.ended', by: 'caller' });
    }
    expect(busy.noise).toEqual([]);
  }
});

/** At whatever moment the caller goes: nothing stays open, and the transcript is whole. */
describe('the caller hangs up', () => {
  let server: Server;
  let desk: SlowDesk;
  let phone: Phone;

  beforeAll(async () => {
    desk = await SlowDesk.open();
    server = await Server.start({ env: desk.env });
  });

  afterAll(async () => {
    await server?.stop();
    desk?.close();
  });

  afterEach(async () => {
    await phone.close();
    const ended = await server.event('call.ended', { sipCallId: phone.callId });
    await server.waitForIdle();
    assertComplete(server.journal(phone.callId));
    expect(['caller', 'cancelled']).toContain(ended.by);
  });

  it('with CANCEL in the same breath as the INVITE', async () => {
    phone = await Phone.invite(server);
    phone.call.cancel();
    await giveUp(phone);
  });

  it('with CANCEL on 100 Trying', async () => {
    phone = await Phone.invite(server);
    await phone.peer.message('a first response', (message) => message.status >= 100);
    phone.call.cancel();
    await giveUp(phone);
  });

  it('with BYE instead of an ACK', async () => {
    phone = await Phone.invite(server);
    const response = await phone.call.final();
    phone.call.acknowledge(response);
    expect((await phone.call.bye()).status).toBe(200);
  });

  it('during the greeting', async () => {
    phone = await Phone.dial(server);
    await phone.firstSound();
    await phone.hangUp();
    await server.event('call.ended', { sipCallId: phone.callId });
    const greeting = server.journal(phone.callId).find((event) => event.type === 'agent.turn');
    expect(greeting).toMatchObject({ kind: 'greeting', interrupted: true });
  });

  it('during their own words', async () => {
    phone = await Phone.dial(server);
    await phone.greeted();
    void phone.rtp.play(await speak('I would like to know where my order is because it has not arrived yet'));
    await server.event('caller.started', { sipCallId: phone.callId });
    await phone.hangUp();
  });

  it('in the pause after their question, before the agent knows that it is over', async () => {
    phone = await Phone.dial(server);
    await phone.greeted();
    await phone.rtp.play(await speak('What are your opening hours?'));
    await phone.hangUp();
  });

  it('while the agent thinks', async () => {
    phone = await Phone.dial(server);
    await phone.greeted();
    await phone.rtp.play(await speak('Where is my order?'));
    await server.event('action.called', { sipCallId: phone.callId });
    await until('the request to the shop', () => desk.requests.received === 1);
    await phone.hangUp();
    await until('the request given up', () => desk.requests.abandoned === 1);
    await server.event('call.ended', { sipCallId: phone.callId });
    const said = server.journal(phone.callId).find((event) => event.type === 'caller.turn');
    expect(said, 'what the caller said is kept').toMatchObject({ text: expect.stringMatching(/order/i) });
  });

  it('during the reply', async () => {
    phone = await Phone.dial(server);
    await phone.greeted();
    void phone.rtp.play(await speak('What are your opening hours?'));
    await server.event('agent.started', { sipCallId: phone.callId, where: ({ turn }) => turn === 1 });
    await phone.hangUp();
    await server.event('call.ended', { sipCallId: phone.callId });
    const reply = server.journal(phone.callId).findLast((event) => event.type === 'agent.turn');
    expect(reply).toMatchObject({ kind: 'reply', interrupted: true });
  });

  it('after a long silence, in which the agent asked for them', async () => {
    phone = await Phone.dial(server);
    await phone.greeted();
    void phone.rtp.play(silence(20));
    await server.event('idle', { sipCallId: phone.callId, ms: 20_000 });
    await phone.hangUp();
  });
});

it('no SIP transaction of the many calls is left', async () => {
  await busy.drained();
});

/** After CANCEL: 487, or a 200 that crossed it and is ended as RFC 3261 section 9.1 has it. */
async function giveUp(phone: Phone): Promise<void> {
  const response = await phone.call.final();
  phone.call.acknowledge(response);
  if (response.status === 200) await phone.call.bye();
  else expect(response.status).toBe(487);
}
