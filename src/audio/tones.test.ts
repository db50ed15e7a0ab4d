import { describe, expect, it } from 'vitest';
import { cadence, once, peakOf, renderTone, ToneGenerator } from './tones.js';

const steepest = (pcm: Int16Array): number =>
  pcm.reduce((most, sample, n) => Math.max(most, Math.abs(sample - (pcm[n - 1] ?? 0))), 0);

describe('ToneGenerator', () => {
  it('is the same in frames of any size, and rises and falls without a click', () => {
    const tone = cadence('440+480', 200, 100);
    const whole = new Int16Array(8000);
    new ToneGenerator(tone, 8000, -16).add(whole);
    const parts = new Int16Array(8000);
    const generator = new ToneGenerator(tone, 8000, -16);
    for (let at = 0; at < 8000; at += 37) generator.add(parts.subarray(at, Math.min(8000, at + 37)));
    const difference = parts.reduce((most, sample, n) => Math.max(most, Math.abs(sample - whole[n]!)), 0);
    expect(difference).toBeLessThanOrEqual(1);
    expect(whole.subarray(1600, 2400).every((sample) => sample === 0)).toBe(true);
    expect(steepest(whole)).toBeLessThan(2 * peakOf(-16) * 2 * Math.PI * (480 / 8000) * 1.1);
  });

  it('has the level asked for', () => {
    for (const beep of [once([1400], 400), once([1000], 350)]) {
      expect(Math.abs(Math.max(...renderTone(beep, 16_000, -12)) / peakOf(-12) - 1)).toBeLessThan(0.02);
    }
  });
});
