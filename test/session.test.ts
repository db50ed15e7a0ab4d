import { describe, expect, it } from 'vitest';
import { fixture } from './kit/fixture.js';
import { Phone } from './kit/phone.js';
import { RawPeer } from './kit/raw-peer.js';
import { RtpPeer } from './kit/rtp-peer.js';
import { assertComplete, Server } from './kit/server.js';

/** Calls that there is room for: those of the tests that run at the same time, and those that are just over. */
const ROOM = 6;

/** What happens to a call around the talk itself: offers, holds, keys, the dialplan's other ways. */
describe('a session', () => {
  let server: Server;
  let peer: RawPeer;
  let rtp: RtpPeer;

  fixture(async (keep) => {
    server = await Server.start({ env: { PARLEY_LIMITS_CALLS: String(ROOM) } });
    peer = keep(await RawPeer.open(server.sip));
    rtp = keep(await RtpPeer.open());
    return server;
  });

  it.concurrent('is offered by Parley when the INVITE has no offer, and greets on the answer in the ACK', async () => {
    using late = await RtpPeer.open();
    const call = peer.invite('8001', '');
    const response = await call.final();
    expect(response.status).toBe(200);
    expect(response.body).toMatch(/^m=audio \d+ RTP\/AVP .*\b0 8\b.* 101\r$/m);
    call.acknowledge(response, late.sdp());
    late.start(response.body);
    await late.spoken(0);
    await call.bye();
    await server.event('call.ended', { sipCallId: call.callId });
    const greeting = server.journal(call.callId).find((event) => event.type === 'agent.turn');
    expect(greeting).toMatchObject({ kind: 'greeting', interrupted: false });
  });

  it.concurrent('stands through hold and resume, by re-INVITE, and answers INFO, UPDATE and OPTIONS meanwhile', async () => {
    await using phone = await Phone.dial(server);
    await phone.greeted();
    const held = await phone.call.again('INVITE', phone.rtp.sdp('sendonly'));
    expect(held.body).toMatch(/^a=recvonly/m);
    await server.event('hold', { sipCallId: phone.callId, where: ({ on }) => on });
    for (const method of ['INFO', 'UPDATE', 'OPTIONS']) expect((await phone.call.again(method)).status).toBe(200);
    const resumed = await phone.call.again('INVITE', phone.rtp.sdp());
    expect(resumed.body).toMatch(/^a=sendrecv/m);
    await server.event('hold', { sipCallId: phone.callId, where: ({ on }) => !on });
    expect((await phone.ask('What are your opening hours?')).pcm.length).toBeGreaterThan(0);
    const refused = await phone.call.again('INVITE', phone.rtp.sdp().replace('AVP 0 101', 'AVP 97'));
    expect(refused.status).toBe(488);
    expect(phone.call.ended).toBe(false);
    await phone.hangUp();
    await server.event('call.ended', { sipCallId: phone.callId });
    assertComplete(server.journal(phone.callId));
  });

  it.concurrent('takes an order number by keys, each once', async () => {
    await using phone = await Phone.dial(server);
    await phone.greeted();
    await phone.ask('Where is my order?');
    for (const digit of '482715') phone.rtp.press(digit);
    const turn = await server.event('caller.turn', { sipCallId: phone.callId, where: ({ from }) => from === 'dtmf' });
    expect(turn.text).toBe('482715');
    await phone.hangUp();
  });

  it.concurrent('is rejected, redirected and given a notice as the dialplan says', async () => {
    const moved = peer.invite('8009', rtp.sdp());
    const redirected = await moved.final();
    moved.acknowledge(redirected);
    expect([redirected.status, redirected.header('contact')]).toEqual([302, '<sip:8001@127.0.0.1:5060>']);

    await using phone = await Phone.dial(server, '8003');
    const notice = await server.event('agent.turn', { sipCallId: phone.callId });
    expect(notice).toMatchObject({ kind: 'notice', heard: 'This call may be recorded to improve our service.' });
    await phone.hangUp();
  });

  it('is refused with 503 and Retry-After when there is no room, and 488 without a codec in common', async () => {
    // The calls of the tests before are hung up, and may not be over.
    await server.waitForIdle();
    const phones: Phone[] = [];
    try {
      await Promise.all(Array.from({ length: ROOM }, async () => phones.push(await Phone.dial(server))));
      const oneMore = peer.invite('8001', rtp.sdp());
      const refused = await oneMore.final();
      oneMore.acknowledge(refused);
      expect([refused.status, refused.header('retry-after')]).toEqual([503, '10']);
    } finally {
      await Promise.all(phones.map((phone) => phone.close()));
    }
    await server.waitForIdle();
    const strange = peer.invite('8001', rtp.sdp().replace('AVP 0 101', 'AVP 97'));
    const unsuited = await strange.final();
    strange.acknowledge(unsuited);
    expect(unsuited.status).toBe(488);
  });
});
