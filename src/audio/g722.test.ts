import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { G722Decoder, G722Encoder } from './g722.js';

const SAMPLES = 16_000;

/** What exercises a codec, in whole numbers: a sweeping triangle with noise, full-scale noise, steps from rail to rail. */
const SIGNALS: Record<string, (n: number, noise: number) => number> = {
  sweep: (n, noise) => Math.abs((((n * n) >> 3) % 24_000) - 12_000) - 6000 + 3000 * noise,
  noise: (_, noise) => 65_535 * noise,
  steps: (n) => (Math.floor(n / 500) % 2 ? 32_767 : -32_768),
};

/**
 * SHA-256 of the octets of each signal and of the PCM decoded from them. They are those that FFmpeg's g722 makes, with
 * which the test compares again where FFmpeg is installed.
 */
const EXPECTED: Record<string, { octets: string; pcm: string }> = {
  sweep: {
    octets: '76a6b63cb9f5a8e90ebf2a68c83f78f1327b04fc10b49477c66856a9538d5e7e',
    pcm: 'ade9519720929d80e3b52c8046d4775ae2569b9bff34a10a31af87a9eb7654d5',
  },
  noise: {
    octets: '62cf1898d068694adf1489591de29d7538e2ca6717ecb84edc12e3eed7026226',
    pcm: 'f7c1163b5a953c4f462e27ad3ed47e2aef959b8e1fdd20f4ea68194b4b3d56cd',
  },
  steps: {
    octets: 'a83d583f5e0f00746daefbba2ad5bd37a4eb29afcc35c43a02c8180486038ddf',
    pcm: '69478be04effd1ac60db2c8c9018086e00e66da3ff43b8f4dcf86a8fda345a25',
  },
};

function signal(name: string): Int16Array {
  let state = 12_345;
  return Int16Array.from({ length: SAMPLES }, (_, n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.round(SIGNALS[name]!(n, state / 2 ** 32 - 0.5));
  });
}

/** In packets of 20 ms. */
function encode(pcm: Int16Array): Uint8Array {
  const encoder = new G722Encoder();
  const octets = new Uint8Array(pcm.length / 2);
  for (let at = 0; at < pcm.length; at += 320) encoder.encode(pcm.subarray(at, at + 320), 320, octets, at / 2);
  return octets;
}

function decode(octets: Uint8Array): Int16Array {
  const decoder = new G722Decoder();
  const pcm = new Int16Array(octets.length * 2);
  for (let at = 0; at < octets.length; at += 160) decoder.decode(octets, at, at + 160, pcm.subarray(2 * at));
  return pcm;
}

function bytesOf(pcm: Int16Array): Buffer {
  return Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const PCM = ['-f', 's16le', '-ar', '16000', '-ac', '1', '-i', '-'];

/** Undefined where FFmpeg is not installed. */
function ffmpeg(input: Uint8Array, ...options: string[]): Buffer | undefined {
  const { stdout, status, error } = spawnSync('ffmpeg', ['-v', 'error', ...options, '-'], {
    input,
    maxBuffer: 1 << 26,
  });
  if (error) return undefined;
  expect(status).toBe(0);
  return stdout;
}

describe('G.722', () => {
  it.each(Object.keys(SIGNALS))('makes the octets and the sound of every other implementation: %s', (name) => {
    const pcm = signal(name);
    const octets = encode(pcm);
    const heard = decode(octets);
    expect({ octets: sha256(octets), pcm: sha256(bytesOf(heard)) }).toEqual(EXPECTED[name]);
    const theirs = ffmpeg(bytesOf(pcm), ...PCM, '-f', 'g722');
    if (theirs) expect(theirs.equals(octets)).toBe(true);
    const heardByThem = ffmpeg(octets, '-f', 'g722', '-i', '-', '-f', 's16le');
    if (heardByThem) expect(heardByThem.equals(bytesOf(heard))).toBe(true);
  });

  it('takes blocks of any even length and writes no further than there is room', () => {
    const pcm = signal('sweep').subarray(0, 6000);
    const octets = new Uint8Array(3010);
    const encoder = new G722Encoder();
    expect(encoder.encode(pcm, 2000, octets, 10)).toBe(1000);
    expect(encoder.encode(pcm.subarray(2000), 4000, octets, 1010)).toBe(2000);
    expect(octets.subarray(10)).toEqual(encode(signal('sweep')).subarray(0, 3000));
    expect(new G722Decoder().decode(octets, 10, 3010, new Int16Array(401))).toBe(400);
  });
});
