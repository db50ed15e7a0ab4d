import { describe, expect, it } from 'vitest';
import { levelDb } from '../audio/level.js';
import { OpusLibrary, opusLibrary } from '../audio/opus.js';
import { createCodec, usableCodecs } from './codec.js';
import { CODEC_NAMES, type CodecName, type PcmRate } from './negotiated.js';

/** Where its library could not be built there is no Opus, and nothing to test about it. */
const HERE = CODEC_NAMES.filter((name) => name !== 'opus' || opusLibrary.problem === undefined);
const OPUS = { bitrate: 24_000, fec: true, dtx: false };

/** Something like a voice: a buzz of harmonics that swells and fades. */
function voice(sampleRate: number, seconds: number): Int16Array {
  return Int16Array.from({ length: sampleRate * seconds }, (_, n) => {
    const t = n / sampleRate;
    let sum = 0;
    for (let k = 1; k <= 18; k++) sum += Math.sin(2 * Math.PI * 150 * k * t) / k;
    return Math.round(5000 * Math.abs(Math.sin(2 * Math.PI * 2 * t)) * sum);
  });
}

/** Through two legs of this rate, in packets of 20 ms. */
function roundTrip(name: CodecName, sampleRate: PcmRate, pcm: Int16Array): { heard: Int16Array; octets: number } {
  const [sender, receiver] = [createCodec(name, sampleRate, OPUS), createCodec(name, sampleRate)];
  const frame = new Int16Array(sampleRate / 50);
  const decoded = new Int16Array(4096);
  const wire = new Uint8Array(1500);
  const heard = new Int16Array(pcm.length);
  let octets = 0;
  for (let at = 0; at < pcm.length; at += frame.length) {
    frame.set(pcm.subarray(at, at + frame.length));
    const size = sender.encode(frame, frame.length, wire, 12);
    octets += size;
    expect(receiver.decode(wire, 12, 12 + size, decoded)).toBe(frame.length);
    heard.set(decoded.subarray(0, frame.length), at);
  }
  return { heard, octets };
}

/** Signal to noise at the delay, in samples, at which the two agree best, dB. */
function likeness(said: Int16Array, heard: Int16Array): number {
  const part = said.subarray(1000, -2000);
  let best = -100;
  for (let delay = 0; delay < 400; delay++) {
    const noise = part.map((sample, n) => Math.max(-32_768, Math.min(32_767, sample - heard[1000 + n + delay]!)));
    best = Math.max(best, levelDb(part) - levelDb(noise));
  }
  return best;
}

describe.each(HERE)('%s', (name) => {
  it.each([8000, 16_000] as const)('carries a voice over legs of %i Hz', (sampleRate) => {
    const said = voice(sampleRate, 1);
    const { heard, octets } = roundTrip(name, sampleRate, said);
    // Opus keeps the sound, not the wave.
    expect(likeness(said, heard)).toBeGreaterThan(name === 'opus' ? 6 : 16);
    expect(octets).toBeLessThanOrEqual(name === 'opus' ? 4500 : 8000);
  });

  it('survives payloads of any length and content', () => {
    const codec = createCodec(name, 16_000);
    const out = new Int16Array(4096);
    let state = 1;
    for (let n = 0; n < 300; n++) {
      const bytes = Uint8Array.from({ length: n * 7 }, () => {
        state = Math.imul(state, 48_271) % 0x7fffffff;
        return state & 255;
      });
      const samples = codec.decode(bytes, 0, bytes.length, out);
      expect(samples).toBeLessThanOrEqual(out.length);
      expect(samples).toBeGreaterThanOrEqual(0);
    }
    expect(codec.decode(new Uint8Array(0), 0, 0, out)).toBe(0);
  });
});

describe('a wideband voice', () => {
  it.each(HERE.filter((name) => name === 'G722' || name === 'opus'))('keeps by %s what G.711 cuts off', (name) => {
    const hiss = Int16Array.from({ length: 16_000 }, (_, n) => 6000 * Math.sin((2 * Math.PI * 5200 * n) / 16_000));
    expect(levelDb(roundTrip(name, 16_000, hiss).heard.subarray(4000))).toBeGreaterThan(levelDb(hiss) - 3);
    expect(levelDb(roundTrip('PCMU', 16_000, hiss).heard.subarray(4000))).toBeLessThan(-60);
  });
});

describe.skipIf(opusLibrary.problem !== undefined)('Opus', () => {
  it('sends nothing while there is silence, when it is told so', () => {
    const codec = createCodec('opus', 16_000, { ...OPUS, dtx: true });
    const sizes = Array.from({ length: 100 }, () => codec.encode(new Int16Array(320), 320, new Uint8Array(1500), 0));
    expect(sizes.filter((size) => size === 0).length).toBeGreaterThan(60);
    expect(sizes.at(0)).toBeGreaterThan(0);
  });
});

describe('usableCodecs', () => {
  it('leaves Opus out, and says so once, where its library cannot be loaded', () => {
    const logged: unknown[] = [];
    const logger = { warn: (details: unknown) => logged.push(details) };
    const absent = new OpusLibrary(() => {
      throw new Error("Cannot find module '@discordjs/opus'\nRequire stack: ...");
    });
    expect(usableCodecs(CODEC_NAMES, logger, absent)).toEqual(['G722', 'PCMU', 'PCMA']);
    expect(logged).toEqual([{ reason: "Cannot find module '@discordjs/opus'" }]);
    expect(usableCodecs(['opus'], logger, absent)).toEqual(['PCMU', 'PCMA']);
    expect(usableCodecs(['PCMA'], logger, new OpusLibrary(() => ({})))).toEqual(['PCMA']);
    expect(() => new OpusLibrary(() => ({})).coder(16_000)).toThrow('not what was expected');
    expect(logged.length).toBe(2);
  });
});
