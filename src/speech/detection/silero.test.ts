import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchVad } from './silero.js';

const RATE = 8000;
let vad: BatchVad;

beforeAll(async () => {
  vad = await BatchVad.load(RATE);
});
afterAll(() => vad.close());

/** A sound of `seconds` whose sample at `t` seconds is `wave(t)` of full scale. */
function sound(seconds: number, wave: (t: number) => number): Int16Array {
  return Int16Array.from({ length: seconds * RATE }, (_, i) => Math.round(32767 * wave(i / RATE)));
}

async function probabilities(...streams: Int16Array[]): Promise<number[][]> {
  const states = streams.map(() => vad.createState());
  const heard: number[][] = streams.map(() => []);
  for (let at = 0; at + vad.windowSamples <= (streams[0]?.length ?? 0); at += vad.windowSamples) {
    const batch = streams.map((pcm, i) => ({ state: states[i]!, window: pcm.subarray(at, at + vad.windowSamples) }));
    (await vad.run(batch)).forEach((p, i) => {
      heard[i]?.push(p);
    });
  }
  return heard;
}

/** Glottal pulses through two moving formants: near enough to a voice for the detector. */
function voiceLike(seconds: number): Int16Array {
  return sound(seconds, (t) => {
    const pulse = (t * (110 + 15 * Math.sin(2 * Math.PI * 2 * t))) % 1;
    const open = 0.5 + 0.5 * Math.sin(2 * Math.PI * 3 * t);
    const formants = Math.sin(2 * Math.PI * 650 * t) + 0.6 * Math.sin(2 * Math.PI * (1200 + 500 * open) * t);
    return 0.25 * open * Math.exp(-6 * pulse) * formants;
  });
}

describe('BatchVad', () => {
  it('is silent on silence and tones', async () => {
    const dialTone = sound(1, (t) => 0.2 * (Math.sin(2 * Math.PI * 350 * t) + Math.sin(2 * Math.PI * 440 * t)));
    const dtmf = sound(1, (t) => 0.2 * (Math.sin(2 * Math.PI * 770 * t) + Math.sin(2 * Math.PI * 1336 * t)));
    for (const stream of await probabilities(new Int16Array(RATE), dialTone, dtmf)) {
      expect(Math.max(...stream)).toBeLessThan(0.5);
    }
  });

  it('fires on a voice, and gives each stream of a batch what it would get alone', async () => {
    const voice = voiceLike(1.5);
    const [alone] = await probabilities(voice);
    const [, together] = await probabilities(new Int16Array(voice.length), voice, voiceLike(1.5));
    expect(Math.max(...alone!)).toBeGreaterThan(0.5);
    together!.forEach((p, i) => {
      expect(p).toBeCloseTo(alone![i]!, 4);
    });
  });

  it('keeps the order of runs asked for at once', async () => {
    const voice = voiceLike(0.5);
    const windows = [0, 1, 2, 3].map((i) => voice.subarray(i * 256, (i + 1) * 256));
    const inTurn = vad.createState();
    const atOnce = vad.createState();
    const expected: number[] = [];
    for (const window of windows) expected.push((await vad.run([{ state: inTurn, window }]))[0]!);
    const results = await Promise.all(windows.map((window) => vad.run([{ state: atOnce, window }])));
    expect(results.map((result) => result[0])).toEqual(expected);
  });
});
