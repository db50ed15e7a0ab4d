import { describe, expect, it } from 'vitest';
import { levelDb } from './level.js';
import { Doubler, Halver } from './octave.js';

function tone(hz: number, sampleRate: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, n) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * hz * n) / sampleRate)),
  );
}

/** What is left of `pcm` after the best sine of that frequency is taken out, dB below it. */
function snr(pcm: Int16Array, hz: number, sampleRate: number): number {
  const step = (2 * Math.PI * hz) / sampleRate;
  let [re, im] = [0, 0];
  pcm.forEach((sample, n) => {
    re += (2 * sample * Math.cos(step * n)) / pcm.length;
    im += (2 * sample * Math.sin(step * n)) / pcm.length;
  });
  const rest = pcm.map((sample, n) => Math.round(sample - re * Math.cos(step * n) - im * Math.sin(step * n)));
  return levelDb(pcm) - levelDb(rest);
}

/** Frames as they come in a call. */
function inFrames(converter: Doubler | Halver, pcm: Int16Array, frame: number, factor: number): Int16Array {
  const out = new Int16Array(pcm.length * factor);
  for (let at = 0; at < pcm.length; at += frame) {
    const part = out.subarray(at * factor, (at + frame) * factor);
    expect(converter.process(pcm.subarray(at, at + frame), frame, part)).toBe(frame * factor);
  }
  return out;
}

describe('Doubler and Halver', () => {
  it.each([300, 1000, 3300])('carry %i Hz unchanged, whatever the frames', (hz) => {
    const up = inFrames(new Doubler(), tone(hz, 8000, 8000), 80, 2);
    expect(snr(up.subarray(1600, 14_400), hz, 16_000)).toBeGreaterThan(55);
    expect(up).toEqual(inFrames(new Doubler(), tone(hz, 8000, 8000), 4000, 2));
    const down = inFrames(new Halver(), tone(hz, 16_000, 16_000), 160, 0.5);
    expect(snr(down.subarray(800, 7200), hz, 8000)).toBeGreaterThan(55);
    expect(down).toEqual(inFrames(new Halver(), tone(hz, 16_000, 16_000), 8000, 0.5));
    expect(Math.abs(levelDb(down) - levelDb(up))).toBeLessThan(0.1);
  });

  it('lets nothing above 4.7 kHz fold down', () => {
    const down = inFrames(new Halver(), tone(4700, 16_000, 16_000), 320, 0.5);
    expect(levelDb(down.subarray(400))).toBeLessThan(-60);
  });

  it('write no further than there is room', () => {
    expect(new Doubler().process(tone(500, 8000, 400), 400, new Int16Array(100))).toBe(100);
    expect(new Halver().process(tone(500, 8000, 400), 400, new Int16Array(100))).toBe(100);
  });
});
