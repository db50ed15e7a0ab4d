import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../src/journal/events.js';
import { fixture } from './kit/fixture.js';
import { Phone } from './kit/phone.js';
import { RawPeer } from './kit/raw-peer.js';
import { RtpPeer } from './kit/rtp-peer.js';
import { scratchFolder } from './kit/scratch.js';
import { assertComplete, Server } from './kit/server.js';
import { runSipp, SIPP_PCAPS, type SippOptions } from './kit/sipp.js';
import { hasSox, keysBySox } from './kit/sox-keys.js';
import { speak } from './kit/speech.js';
import { until } from './kit/until.js';
import { silence } from './kit/wav.js';

const NOTICE = 'This call may be recorded.';

/** What changes on a call that stands, and before it does: by callers of another make, against the whole server. */
describe.concurrent('a session', () => {
  let server: Server;

  fixture(async (keep) => {
    const dialplans = keep(scratchFolder('dialplans'));
    const early = { agent: 'orders', notice: NOTICE, earlyMedia: true };
    const entries = [
      { name: 'early', match: { to: '8004' }, answer: early },
      { name: 'orders', default: true, answer: { agent: 'orders' } },
    ];
    writeFileSync(join(dialplans.path, 'test.yaml'), JSON.stringify(entries));
    server = await Server.start({ env: { PARLEY_DIALPLANS: dialplans.path } });
    return server;
  });

  /** Plays a scenario of one call; returns its journal. */
  async function play(scenario: string, number: string, more: Partial<SippOptions> = {}): Promise<StoredEvent[]> {
    const callId = `${scenario}-${randomBytes(3).toString('hex')}@sipp`;
    const result = await runSipp({ scenario, target: server.sip, number, callId, says: silence(0.1), ...more });
    expect(result).toEqual({ code: 0, succeeded: 1, failed: 0, errors: '' });
    await server.event('call.ended', { sipCallId: callId });
    const journal = server.journal(callId);
    assertComplete(journal);
    return journal;
  }

  it('is held, moved, given another codec, refreshed and sent keys, and ends when the caller says so', async () => {
    const journal = await play('session-changes', '8001');
    const holds = journal.flatMap((event) => (event.type === 'hold' ? [`${event.on} ${event.by}`] : []));
    expect(holds).toEqual(['true caller', 'false caller']);
    const keys = journal.flatMap((event) => (event.type === 'dtmf' ? [event.digit] : []));
    expect(keys.join('')).toBe('482*');
    expect(journal.at(-1)).toMatchObject({ type: 'call.ended', by: 'caller' });
  });

  it.runIf(hasSox)('is sent keys that only sound, over the greeting', async () => {
    const journal = await play('caller', '8001', { formats: '0', says: keysBySox('1590*#D7'), stayMs: 3000 });
    const keys = journal.flatMap((event) => (event.type === 'dtmf' ? [event.digit] : []));
    expect(keys.join('')).toBe('1590*#D7');
  });

  it.runIf(existsSync(SIPP_PCAPS))('is spoken and keyed into from recorded packets', async () => {
    const journal = await play('pcap', '8001', { says: await speak('What are your opening hours?'), stayMs: 6000 });
    expect(journal.find((event) => event.type === 'caller.turn')).toMatchObject({
      text: expect.stringMatching(/opening hours/i),
    });
    const keys = journal.flatMap((event) => (event.type === 'dtmf' ? [event.digit] : []));
    expect(keys.join('')).toBe('24#');
  });

  it('is refused when it would have to be refreshed too often, and answered when it must be reliable', async () => {
    using peer = await RawPeer.open(server.sip);
    using rtp = await RtpPeer.open();
    const short = peer.invite('8001', rtp.sdp(), ['Supported: timer', 'Session-Expires: 60']);
    const refused = await short.final();
    short.acknowledge(refused);
    expect([refused.status, refused.header('min-se')]).toEqual([422, '90']);
    const reliable = peer.invite('8001', rtp.sdp(), ['Require: 100rel, timer', 'Session-Expires: 90;refresher=uas']);
    const answer = await reliable.answered();
    expect(answer.header('session-expires')).toBe('90;refresher=uas');
    await reliable.bye();
  });

  it('has its sound where the caller moves it in mid-call', async () => {
    await using phone = await Phone.dial(server);
    using moved = await RtpPeer.open();
    await phone.greeted();
    const answer = await phone.call.again('INVITE', moved.sdp());
    expect(answer.status).toBe(200);
    moved.start(answer.body);
    await until('sound at the new port', () => moved.heard.length > 50);
    const before = phone.rtp.heard.length;
    await until('more sound there', () => moved.heard.length > 100);
    expect(phone.rtp.heard.length).toBe(before);
    const held = await phone.call.again('INVITE', moved.sdp('sendonly'));
    expect(held.body).toMatch(/^a=recvonly/m);
    await server.event('hold', { sipCallId: phone.callId });
    const quiet = moved.heard.length;
    const resumed = await phone.call.again('UPDATE', moved.sdp());
    expect(moved.heard.length - quiet, 'nothing is sent to who holds').toBeLessThan(5);
    expect(resumed.body).toMatch(/^a=sendrecv/m);
    const since = moved.heard.length;
    await until('sound after the hold', () => moved.heard.length > since + 20);
    await phone.hangUp();
  });

  it.each(['early-media', 'early-media-plain'])('begins with its notice before the answer: %s', async (scenario) => {
    const journal = await play(scenario, '8004', { stayMs: 2500 });
    const order = journal.map((event) => event.type);
    const notice = journal.find((event) => event.type === 'agent.turn');
    expect(notice).toMatchObject({ kind: 'notice', heard: NOTICE, interrupted: false });
    expect(order.indexOf('agent.turn')).toBeLessThan(order.indexOf('call.answered'));
    expect(journal.findLast((event) => event.type === 'agent.turn')).toMatchObject({ kind: 'greeting' });
  });

  it('is cancelled while its notice plays', async () => {
    const journal = await play('early-media-cancel', '8004', { stayMs: 300 });
    expect(journal.find((event) => event.type === 'agent.turn')).toMatchObject({ kind: 'notice', interrupted: true });
    expect(journal.at(-1)).toMatchObject({ type: 'call.ended', by: 'cancelled' });
  });

  it('is heard before the answer: RTP comes with the 183', async () => {
    await using phone = await Phone.invite(server, '8004');
    const progress = await phone.peer.message('183', (message) => message.status === 183);
    phone.rtp.start(progress.body);
    await phone.firstSound();
    const answer = await phone.call.answered();
    expect(answer.body).toBe(progress.body);
    await phone.rtp.spoken(0);
    await phone.hangUp();
  });

  it('without an offer has its notice after the answer', async () => {
    using peer = await RawPeer.open(server.sip);
    using late = await RtpPeer.open();
    const call = peer.invite('8004', '');
    const response = await call.final();
    expect(response.status).toBe(200);
    call.acknowledge(response, late.sdp());
    late.start(response.body);
    const notice = await server.event('agent.turn', { sipCallId: call.callId });
    expect(notice).toMatchObject({ kind: 'notice', heard: NOTICE });
    await call.bye();
  });
});
