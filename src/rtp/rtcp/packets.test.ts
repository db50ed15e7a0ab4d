import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRtcp, type ReportBlock, type SenderInfo, writeBye, writeDescription, writeReport } from './packets.js';

const block: ReportBlock = {
  ssrc: 0xdead_beef,
  fractionLost: 0.25,
  lost: -3,
  highestSequence: 0x0001_ffff,
  jitter: 77,
  lastReport: 0x8000_0001,
  sinceLastReport: 65_536,
};
const sender: SenderInfo = { ntpSeconds: 4e9, ntpFraction: 0xffff_ffff, rtpTimestamp: 1, packets: 2, octets: 3 };

function compound(): Uint8Array {
  const out = new Uint8Array(400);
  const view = new DataView(out.buffer);
  let end = writeReport(view, 0, 0xf000_0001, sender, [block]);
  end = writeDescription(view, end, 0xf000_0001, 'call@host');
  return out.subarray(0, writeBye(view, end, 0xf000_0001));
}

describe('RTCP packets', () => {
  it('are written and read back', () => {
    expect(parseRtcp(compound())).toEqual([
      { type: 'sr', ssrc: 0xf000_0001, sender, reports: [block] },
      { type: 'sdes', chunks: [{ ssrc: 0xf000_0001, cname: 'call@host' }] },
      { type: 'bye', ssrcs: [0xf000_0001], reason: undefined },
    ]);
  });

  it('name a source in any length', () => {
    for (let length = 0; length < 256; length++) {
      const out = new Uint8Array(400).fill(0xff);
      const cname = 'x'.repeat(length);
      const end = writeDescription(new DataView(out.buffer), 0, 1, cname);
      expect(parseRtcp(out.subarray(0, end))).toEqual([{ type: 'sdes', chunks: [{ ssrc: 1, cname }] }]);
    }
  });

  it('may come alone, be of other types, be padded at the end, and say why they leave', () => {
    expect(parseRtcp(Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 9))).toEqual([{ type: 'rr', ssrc: 9, reports: [] }]);
    expect(parseRtcp(Uint8Array.of(0x81, 206, 0, 2, 0, 0, 0, 9, 0, 0, 0, 8))).toEqual([]);
    expect(parseRtcp(Uint8Array.of(0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4))).toHaveLength(1);
    const bye = Uint8Array.of(0x81, 203, 0, 2, 0, 0, 0, 9, 3, 0x65, 0x6e, 0x64);
    expect(parseRtcp(bye)).toEqual([{ type: 'bye', ssrcs: [9], reason: 'end' }]);
  });

  it('are refused when they lie about their length', () => {
    const whole = compound();
    for (let cut = 1; cut < whole.length; cut++) {
      const part = parseRtcp(whole.subarray(0, cut));
      // Where a packet ends, what is before it is whole.
      if (part) expect(cut % 4).toBe(0);
    }
    expect(parseRtcp(new Uint8Array(0))).toBeUndefined();
    expect(parseRtcp(Uint8Array.of(0x81, 201, 0, 1, 0, 0, 0, 9))).toBeUndefined();
    expect(parseRtcp(Uint8Array.of(0x82, 203, 0, 1, 0, 0, 0, 9))).toBeUndefined();
    expect(parseRtcp(Uint8Array.of(0xa0, 201, 0, 1, 0, 0, 0, 0))).toBeUndefined();
    expect(parseRtcp(Uint8Array.of(0x81, 202, 0, 2, 0, 0, 0, 9, 1, 200, 0x61, 0))).toBeUndefined();
    expect(parseRtcp(Uint8Array.of(0x81, 202, 0, 2, 0, 0, 0, 9, 1, 2, 0x61, 0x61))).toBeUndefined();
  });

  it('of random octets never throw', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const likely = fc
      .tuple(
        fc.integer({ min: 0x80, max: 0xbf }),
        fc.integer({ min: 200, max: 204 }),
        fc.array(octet, { maxLength: 60 }),
      )
      .map(([first, type, rest]) => Uint8Array.of(first, type, 0, rest.length >> 2, ...rest));
    fc.assert(
      fc.property(likely, (datagram) => void parseRtcp(datagram)),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (datagram) => void parseRtcp(datagram)));
  });
});
