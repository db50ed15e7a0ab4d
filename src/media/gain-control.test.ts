import { describe, expect, it } from 'vitest';
import { levelDb } from '../audio/level.js';
import { GainControl } from './gain-control.js';

/** Syllables of a tone, four a second, at this amplitude over a little noise. */
function talk(seconds: number, amplitude: number): Int16Array {
  return Int16Array.from({ length: 8000 * seconds }, (_, n) => {
    const voiced = n % 2000 < 1400 ? amplitude : 0;
    return Math.round(voiced * Math.sin(n * 0.4)) + ((n * 7) % 5) - 2;
  });
}

describe('GainControl', () => {
  it('raises a quiet caller, by 18 dB at most', () => {
    const pcm = talk(8, 300);
    const before = levelDb(pcm.subarray(-8000));
    const control = new GainControl(8000);
    for (let at = 0; at < pcm.length; at += 160) control.process(pcm.subarray(at, at + 160), 160);
    const raised = levelDb(pcm.subarray(-8000)) - before;
    expect(raised).toBeGreaterThan(15);
    expect(raised).toBeLessThan(18.5);
  });

  it('leaves a caller of normal level, and noise, as they are', () => {
    const noise = Int16Array.from({ length: 32_000 }, (_, n) => ((n * 7919) % 201) - 100);
    for (const pcm of [talk(4, 8000), noise]) {
      const same = pcm.slice();
      new GainControl(8000).process(pcm, pcm.length);
      expect(pcm).toEqual(same);
    }
  });

  it('does not clip when a quiet caller shouts', () => {
    const control = new GainControl(8000);
    control.process(talk(8, 300), 64_000);
    expect(control.gain).toBeGreaterThan(5);
    const shout = talk(1, 25_000);
    control.process(shout, shout.length);
    expect(shout.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeLessThanOrEqual(30_000);
  });
});
