import { describe, expect, it } from 'vitest';
import { isRtcp, parseRtp, rtpFields, writeRtpHeader } from './packet.js';

function packet(first: number, ...rest: number[]): Uint8Array {
  return Uint8Array.from([first, 0x80, 0x12, 0x34, 0, 0, 1, 0, 0xde, 0xad, 0xbe, 0xef, ...rest]);
}

function payload(datagram: Uint8Array): number[] | undefined {
  const fields = rtpFields();
  return parseRtp(datagram, fields) ? [...datagram.subarray(fields.payloadStart, fields.payloadEnd)] : undefined;
}

describe('RTP packets', () => {
  it('are written and read back', () => {
    const out = new Uint8Array(14);
    writeRtpHeader(out, 101, true, 65_535, 4_294_967_295, 3_735_928_559);
    const fields = rtpFields();
    expect(parseRtp(out, fields)).toBe(true);
    expect(fields).toEqual({
      payloadType: 101,
      marker: true,
      sequence: 65_535,
      timestamp: 4_294_967_295,
      ssrc: 3_735_928_559,
      payloadStart: 12,
      payloadEnd: 14,
      at: 0,
    });
  });

  it('may have contributing sources, an extension and padding', () => {
    expect(payload(packet(0x80, 1, 2, 3))).toEqual([1, 2, 3]);
    expect(payload(packet(0x82, 9, 9, 9, 9, 8, 8, 8, 8, 1))).toEqual([1]);
    expect(payload(packet(0x90, 0xbe, 0xde, 0, 1, 7, 7, 7, 7, 1, 2))).toEqual([1, 2]);
    expect(payload(packet(0xa0, 1, 2, 0, 2))).toEqual([1, 2]);
    expect(payload(packet(0xa0, 0, 0, 3))).toEqual([]);
    expect(payload(packet(0x80))).toEqual([]);
  });

  it('are refused when they lie about their length', () => {
    expect(payload(packet(0x80).subarray(0, 11))).toBeUndefined();
    expect(payload(packet(0x40, 1))).toBeUndefined();
    expect(payload(packet(0x8f, 1, 2, 3))).toBeUndefined();
    expect(payload(packet(0x90, 0, 0))).toBeUndefined();
    expect(payload(packet(0x90, 0, 0, 0xff, 0xff, 1))).toBeUndefined();
    expect(payload(packet(0xa0, 1, 2, 0))).toBeUndefined();
    expect(payload(packet(0xa0, 1, 2, 4))).toBeUndefined();
    expect(payload(packet(0xbf, 255))).toBeUndefined();
    expect(payload(new Uint8Array(0))).toBeUndefined();
  });

  it('of random octets never throw', () => {
    const fields = rtpFields();
    for (let seed = 1, n = 0; n < 5000; n++) {
      const bytes = Uint8Array.from({ length: n % 40 }, () => {
        seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
        return seed >> 16;
      });
      if (!parseRtp(bytes, fields)) continue;
      expect(fields.payloadStart).toBeLessThanOrEqual(fields.payloadEnd);
      expect(fields.payloadEnd).toBeLessThanOrEqual(bytes.length);
    }
  });

  it('are told from RTCP', () => {
    expect(isRtcp(Uint8Array.of(0x80, 200, 0, 1, 0, 0, 0, 0))).toBe(true);
    expect(isRtcp(packet(0x80))).toBe(false);
  });
});
