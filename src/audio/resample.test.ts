import { describe, expect, it } from 'vitest';
import { Resampler, resample } from './resample.js';

function sine(frequency: number, rate: number, samples: number, amplitude = 28000): Int16Array {
  return Int16Array.from({ length: samples }, (_, n) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * frequency * n) / rate)),
  );
}

/** Signal to noise, dB, against the ideal sine, edges left out. */
function snr(pcm: Int16Array, frequency: number, rate: number, amplitude = 28000): number {
  let signal = 0;
  let noise = 0;
  for (let n = 200; n < pcm.length - 200; n++) {
    const ideal = amplitude * Math.sin((2 * Math.PI * frequency * n) / rate);
    signal += ideal * ideal;
    noise += (pcm[n]! - ideal) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

function rms(pcm: Int16Array): number {
  const middle = pcm.subarray(200, pcm.length - 200);
  return Math.sqrt(middle.reduce((sum, x) => sum + x * x, 0) / middle.length);
}

describe('resample', () => {
  it.each([
    [16000, 8000],
    [8000, 16000],
    [22050, 8000],
    [44100, 16000],
    [24000, 8000],
    [48000, 16000],
  ])('keeps a sine in the pass band: %i -> %i', (from, to) => {
    for (const frequency of [300, 1000, 2500, 3100]) {
      expect(snr(resample(sine(frequency, from, from), from, to), frequency, to)).toBeGreaterThan(80);
    }
  });

  it('removes what the lower rate cannot hold', () => {
    for (const frequency of [4300, 5000, 7000]) {
      const out = resample(sine(frequency, 16000, 16000), 16000, 8000);
      expect(20 * Math.log10(28000 / Math.SQRT2 / Math.max(rms(out), 1e-3))).toBeGreaterThan(80);
    }
  });

  it('gives the same samples in pieces of any size as at once', () => {
    const input = sine(777, 22050, 22050);
    const whole = resample(input, 22050, 8000);
    expect(whole.length).toBe(8000);
    const resampler = new Resampler(22050, 8000);
    const pieces: number[] = [];
    for (let at = 0, size = 1; at < input.length; at += size, size = (size * 7 + 3) % 501) {
      pieces.push(...resampler.process(input.subarray(at, at + size)));
    }
    pieces.push(...resampler.flush());
    expect(Int16Array.from(pieces)).toEqual(whole);
  });

  it('clips instead of wrapping round', () => {
    const square = Int16Array.from({ length: 1600 }, (_, n) => (n % 160 < 80 ? 32767 : -32768));
    const out = resample(square, 8000, 16000);
    expect(Math.min(...out.subarray(330, 470))).toBeGreaterThan(20000);
    expect(Math.max(...out.subarray(490, 630))).toBeLessThan(-20000);
  });

  it('survives tiny and empty inputs', () => {
    expect(resample(new Int16Array(0), 16000, 8000).length).toBe(0);
    expect(resample(Int16Array.of(5), 16000, 8000).length).toBe(1);
    const resampler = new Resampler(48000, 8000);
    for (let n = 0; n < 100; n++) resampler.process(Int16Array.of(1000));
    expect(() => resampler.flush()).not.toThrow();
    expect(() => new Resampler(0, 8000)).toThrow(RangeError);
  });
});
