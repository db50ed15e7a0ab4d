import { describe, expect, it } from 'vitest';
import { A_LAW, decodeG711, encodeG711, MU_LAW } from './g711.js';

describe.each([
  ['mu-law', MU_LAW],
  ['A-law', A_LAW],
])('%s', (name, law) => {
  it('decodes and encodes back every code', () => {
    for (let byte = 0; byte < 256; byte++) {
      const again = law.decode[law.encode[law.decode[byte]! & 0xffff]!]!;
      expect(again).toBe(law.decode[byte]);
    }
  });

  it('stays within half a step of every sample', () => {
    for (let sample = -32124; sample <= 32124; sample += 7) {
      const decoded = law.decode[law.encode[sample & 0xffff]!]!;
      expect(Math.abs(decoded - sample)).toBeLessThanOrEqual(Math.max(16, Math.abs(sample) / 30));
    }
  });

  it('codes a frame', () => {
    const pcm = Int16Array.from({ length: 160 }, (_, n) => Math.round(8000 * Math.sin(n / 5)));
    const wire = new Uint8Array(172);
    encodeG711(law, pcm, 160, wire, 12);
    const back = new Int16Array(160);
    expect(decodeG711(law, wire, 12, 172, back)).toBe(160);
    for (let n = 0; n < 160; n++) expect(Math.abs(back[n]! - pcm[n]!)).toBeLessThan(300);
    expect(name).toBeTruthy();
  });
});

it('agrees with the known points of G.711', () => {
  // ITU-T G.711 tables: the extreme and zero codes.
  expect([MU_LAW.decode[0x00], MU_LAW.decode[0x80], MU_LAW.decode[0xff], MU_LAW.decode[0x7f]]).toEqual([
    -32124, 32124, 0, 0,
  ]);
  expect([A_LAW.decode[0xd5], A_LAW.decode[0x55], A_LAW.decode[0xaa], A_LAW.decode[0x2a]]).toEqual([
    8, -8, 32256, -32256,
  ]);
  expect(MU_LAW.encode[0]).toBe(0xff);
  expect(A_LAW.encode[0]).toBe(0xd5);
});
