import { describe, expect, it } from 'vitest';
import { levelDb } from '../audio/level.js';
import { NoiseSuppressor } from './noise-suppressor.js';

/** A hum of harmonics in syllables from 1 s on, over noise. */
function line(noise: number, voice: number): Int16Array {
  let state = 5;
  return Int16Array.from({ length: 32_000 }, (_, n) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    let sum = (state / 2 ** 31) * noise;
    if (n > 8000 && n % 4000 < 2400)
      for (let h = 1; h < 12; h++) sum += (voice / h) * Math.sin((h * n * 2 * Math.PI * 130) / 8000);
    return Math.round(sum);
  });
}

function suppressed(pcm: Int16Array): Int16Array {
  const out = pcm.slice();
  const suppressor = new NoiseSuppressor(8000);
  for (let at = 0; at < out.length; at += 160) suppressor.process(out.subarray(at, at + 160), 160);
  return out;
}

describe('NoiseSuppressor', () => {
  it('turns steady noise down by 8 dB and more', () => {
    const noisy = line(600, 0);
    expect(levelDb(suppressed(noisy).subarray(8000))).toBeLessThan(levelDb(noisy.subarray(8000)) - 8);
  });

  it('leaves the voice over it as loud as it was', () => {
    const [noisy, voiced] = [line(300, 2500), (pcm: Int16Array) => pcm.subarray(20_160, 22_300)];
    expect(Math.abs(levelDb(voiced(suppressed(noisy))) - levelDb(voiced(noisy)))).toBeLessThan(1.5);
  });
});
