import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderTranscript, transcript } from '../src/journal/transcript.js';
import { fixture } from './kit/fixture.js';
import { Phone } from './kit/phone.js';
import { type PeerCall, RawPeer } from './kit/raw-peer.js';
import { RtpPeer } from './kit/rtp-peer.js';
import { scratchFolder } from './kit/scratch.js';
import { assertComplete, Server } from './kit/server.js';
import { transcribe } from './kit/speech.js';

const TOKEN = 'a-token-for-the-tests';
const DOCUMENT = {
  ivr: 'front desk',
  topic: 'orders',
  menu: ['Customers', 'Orders'],
  digits: [
    { name: 'orderNumber', digits: '482715' },
    { name: 'pin', digits: '9137', sensitive: true },
  ],
  transcript: [
    { at: '2020-01-01T00:00:00Z', who: 'ivr', text: 'Please key your PIN.' },
    { at: '2020-01-01T00:00:05Z', who: 'caller', text: '9137', from: 'dtmf' },
    { at: '2020-01-01T00:00:09Z', who: 'caller', text: 'My card is 4111 1111 1111 1111.' },
  ],
};

/** An IVR posts what it knows, and forwards the call with a token in whatever header it can set. */
describe('context of an IVR', () => {
  let server: Server;

  fixture(async (keep) => {
    const folder = keep(scratchFolder('ivr'));
    const context = { trust: true, variables: { why: 'Diversion.reason' } };
    const entries = [
      { name: 'trusted', match: { to: '9001' }, answer: { agent: 'orders', context } },
      { name: 'all', default: true, answer: { agent: 'orders' } },
    ];
    writeFileSync(join(folder.path, 'test.yaml'), JSON.stringify(entries));
    server = await Server.start({
      env: { PARLEY_DIALPLANS: folder.path, PARLEY_HTTP_TOKEN: TOKEN, PARLEY_LOG_LEVEL: 'trace' },
    });
    return server;
  });

  async function post(document: unknown, token = TOKEN): Promise<{ status: number; token: string }> {
    const headers = { Authorization: `Bearer ${token}` };
    const response = await fetch(`${server.http}/v1/handoffs`, {
      method: 'POST',
      headers,
      body: JSON.stringify(document),
    });
    return { status: response.status, token: String(((await response.json()) as { token?: string }).token) };
  }

  /** One short call with these headers, and what its journal says. */
  async function journalOf(
    headers: string[],
    number = '8001',
    more?: (sdp: string) => string,
    during?: (call: PeerCall) => Promise<void>,
  ) {
    using peer = await RawPeer.open(server.sip);
    using rtp = await RtpPeer.open();
    const call = peer.invite(number, more ? more(rtp.sdp()) : rtp.sdp(), headers);
    await call.answered();
    await during?.(call);
    await call.bye();
    await server.event('call.ended', { sipCallId: call.callId });
    const journal = server.journal(call.callId);
    assertComplete(journal);
    return journal;
  }

  it('is found by a token in any header, once', async () => {
    expect((await post(DOCUMENT, 'not-the-token-of-this')).status).toBe(401);
    expect((await post({ topic: 5 })).status).toBe(400);
    const hex = (text: string) => Buffer.from(text).toString('hex');
    const forms: ((token: string) => string)[] = [
      (token) => `User-to-User: 04${hex(token)};encoding=hex;purpose=isdn-uui`,
      (token) => `Diversion: <sip:2000@pbx>;reason=no-answer, <sip:${token}@ivr>;reason=unconditional`,
      (token) => `History-Info: <sip:${token}@ivr>;index=1, <sip:8001@parley>;index=1.1`,
      (token) => `P-Asserted-Identity: "${token}" <sip:+49301@ims>`,
      (token) => `Remote-Party-ID: <sip:+49301@ims>;party=calling;x=${token}`,
      (token) => `Referred-By: <sip:${token}@ivr>`,
      (token) => `Call-Info: <https://ivr.example/handoffs/${token}>;purpose=info`,
      (token) => `X-Handoff: ${token}`,
    ];
    for (const form of forms) {
      const { token } = await post(DOCUMENT);
      const header = form(token);
      const journal = await journalOf([header]);
      expect(journal.filter(({ type }) => type === 'ivr.segment').length, header).toBeGreaterThanOrEqual(4);
      expect(journal.find(({ type }) => type === 'topic')).toMatchObject({ topic: 'order-status', turn: 0 });
      expect(transcript(journal)[0], header).toMatchObject({
        text: 'from front desk: Customers > Orders, topic orders',
      });
      expect(renderTranscript(transcript(journal))).not.toContain('9137');
    }
    const { token } = await post(DOCUMENT);
    await journalOf([`X-Handoff: ${token}`]);
    const second = await journalOf([`X-Handoff: ${token}`]);
    // At the most verbose level the log has neither what is sensitive nor tokens; its lines say of which call they are.
    const log = JSON.stringify(server.log);
    for (const secret of ['9137', '4111', TOKEN, token, 'not-the-token-of-this']) expect(log).not.toContain(secret);
    expect(log).toContain(`"sipCallId":"${second[0]?.type === 'call.received' ? second[0].sipCallId : ''}"`);
    expect(second.find(({ type }) => type === 'error')).toMatchObject({ code: 'PARLEY_ERR_HANDOFF_UNUSABLE' });
    expect(second.some(({ type }) => type === 'ivr.segment')).toBe(false);
  });

  it('is in the INVITE itself, beside the session description, and mapped from headers, where that is trusted', async () => {
    const body = (sdp: string) =>
      `--b\r\nContent-Type: application/sdp\r\n\r\n${sdp}\r\n--b\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(
        {
          topic: 'refund',
          variables: { orderNumber: '482716' },
        },
      )}\r\n--b--\r\n`;
    const headers = ['Content-Type: multipart/mixed;boundary=b', 'Diversion: <sip:2000@pbx>;reason=no-answer'];
    const info = '--b\r\nContent-Type: application/json\r\n\r\n{"tier":"gold"}\r\n--b--\r\n';
    const tell = (status: number) => async (call: PeerCall) => {
      await server.event('call.answered', { sipCallId: call.callId });
      expect((await call.again('INFO', info)).status).toBe(status);
    };
    const trusted = await journalOf(headers, '9001', body, tell(200));
    expect(trusted).toContainEqual(expect.objectContaining({ part: 'start', by: 'info', variables: { tier: 'gold' } }));
    expect(trusted.find(({ type }) => type === 'topic')).toMatchObject({ topic: 'refund' });
    expect(trusted).toContainEqual(expect.objectContaining({ part: 'signalling', diversion: ['2000'] }));
    const untrusted = await journalOf(headers, '8001', body, tell(415));
    expect(untrusted.some(({ type }) => type === 'topic')).toBe(false);
  });

  it('is matched by the numbers, and the agent greets with it', async () => {
    expect((await post({ ...DOCUMENT, ani: 'kit', dnis: '8001' })).status).toBe(201);
    expect((await post({ ...DOCUMENT, ani: '+4930 77', dnis: '8001' })).status).toBe(201);
    await using phone = await Phone.dial(server, '8001', { headers: ['P-Asserted-Identity: <sip:004930-77@ims>'] });
    await phone.greeted();
    expect((await transcribe(phone.rtp.sound())).toLowerCase()).toMatch(/asking about your order/);
    await phone.hangUp();
    await server.event('call.ended', { sipCallId: phone.callId });
    expect(server.journal(phone.callId)).toContainEqual(expect.objectContaining({ part: 'start', by: 'number' }));
  });
});
