/*
 * ITU-T G.711: 8-bit companded PCM at 8 kHz. Decoding is a table of 256 samples; encoding a table over all 65,536
 * sample values, built from the decoder's segments, so that a frame costs one look-up a sample either way.
 *
 * mu-law byte (sent inverted):   S EEE MMMM   value = ((2 * M + 33) << E) - 33, scaled to 16 bits by 4
 * A-law byte (even bits inverted): S EEE MMMM   value = (2 * M + 1 (+ 32 if E)) << max(0, E - 1), scaled by 8
 */

/** A companding law: `decode` has 256 entries, `encode` is indexed by the sample as an unsigned 16-bit number. */
export interface G711Law {
  readonly decode: Int16Array;
  readonly encode: Uint8Array;
}

/** mu-law (North America, Japan): RTP payload type 0, PCMU. */
export const MU_LAW: G711Law = makeLaw(muLawMagnitude, 0xff);

/** A-law (elsewhere): RTP payload type 8, PCMA. */
export const A_LAW: G711Law = makeLaw(aLawMagnitude, 0xd5);

/** Decodes `bytes[start..end)` into the beginning of `out` (one sample a byte); returns the samples written. */
export function decodeG711(law: G711Law, bytes: Uint8Array, start: number, end: number, out: Int16Array): number {
  const count = Math.min(end - start, out.length);
  const table = law.decode;
  for (let n = 0; n < count; n++) out[n] = table[bytes[start + n]!]!;
  return count;
}

/** Encodes `samples` of `pcm` from its beginning into `out` at `offset`. */
export function encodeG711(law: G711Law, pcm: Int16Array, samples: number, out: Uint8Array, offset: number): void {
  const table = law.encode;
  for (let n = 0; n < samples; n++) out[offset + n] = table[pcm[n]! & 0xffff]!;
}

/** @param flip bits inverted on the line; bit 7 of it makes a set sign bit mean positive */
function makeLaw(magnitude: (code: number) => number, flip: number): G711Law {
  const decode = new Int16Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const code = byte ^ flip;
    const value = magnitude(code & 0x7f);
    decode[byte] = code & 0x80 ? -value : value;
  }
  return { decode, encode: invert(magnitude, flip) };
}

/** For every sample value the byte whose decoded value is nearest. */
function invert(magnitude: (code: number) => number, flip: number): Uint8Array {
  const encode = new Uint8Array(65536);
  let code = 0;
  for (let level = 0; level <= 32768; level++) {
    while (code < 127 && magnitude(code + 1) - level <= level - magnitude(code)) code++;
    if (level < 32768) encode[level] = code ^ flip;
    if (level > 0) encode[65536 - level] = (code | 0x80) ^ flip;
  }
  return encode;
}

function muLawMagnitude(code: number): number {
  return (((((code & 15) << 1) + 33) << (code >> 4)) - 33) << 2;
}

function aLawMagnitude(code: number): number {
  const exponent = code >> 4;
  const mantissa = ((code & 15) << 1) + 1 + (exponent > 0 ? 32 : 0);
  return mantissa << (exponent > 0 ? exponent + 2 : 3);
}
