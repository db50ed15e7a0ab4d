import { describe, expect, it } from 'vitest';
import { inviteRefusal, sdpOf } from './offer.js';

const SDP = 'v=0\r\ns=-\r\n';

function refusal(headers: Record<string, string>, body = SDP): number | undefined {
  const all: Record<string, string | undefined> = { Contact: '<sip:caller@127.0.0.1>', ...headers };
  return inviteRefusal((name) => all[name], body, { expires: 1800, min: 90 })?.status;
}

describe('inviteRefusal', () => {
  it('refuses what RFC 3261 8.2 has refused, and nothing else', () => {
    expect(refusal({})).toBeUndefined();
    expect(refusal({ Require: '100rel, timer', Accept: 'application/sdp;level=1, text/plain' })).toBeUndefined();
    expect(refusal({ Accept: 'application/*' }, '')).toBeUndefined();
    expect(refusal({ Require: '100rel, precondition' })).toBe(420);
    expect(refusal({ 'Content-Type': 'application/unknownformat' })).toBe(415);
    expect(refusal({ 'Content-Encoding': 'gzip' })).toBe(415);
    expect(refusal({ Contact: '' })).toBe(400);
    expect(refusal({ Accept: 'text/nobodyKnowsThis' })).toBe(406);
    expect(refusal({ 'Session-Expires': '60' })).toBe(422);
  });
});

describe('sdpOf', () => {
  it('finds the session description among other parts', () => {
    const parts = ['Content-Type: application/isup\r\n\r\nxx', `Content-Type: application/sdp\r\n\r\n${SDP.trim()}`];
    const body = `${parts.map((part) => `--b 1\r\n${part}\r\n`).join('')}--b 1--\r\n`;
    expect(sdpOf('multipart/mixed; boundary="b 1"', body)).toBe(SDP);
    expect(sdpOf('multipart/mixed', body)).toBeUndefined();
    expect(sdpOf('multipart/mixed;boundary=c', body)).toBeUndefined();
  });
});
