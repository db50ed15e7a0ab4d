import { describe, expect, it } from 'vitest';
import { estimatePath, PATH_TAPS } from './path-estimate.js';

/** Speech-like: two resonances, hardly anything above 1 kHz. */
function vowel(length: number, seed: number): Float32Array {
  let state = seed;
  let [a, b] = [0, 0];
  return Float32Array.from({ length }, (_, n) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const pulse = n % 67 === 0 ? 4000 : (state / 2 ** 31) * 100;
    const next = pulse + 1.75 * a - 0.9 * b;
    b = a;
    a = next;
    return next;
  });
}

function through(far: Float32Array, path: readonly number[], length: number): Float32Array {
  return Float32Array.from({ length }, (_, n) =>
    path.reduce((sum, tap, k) => sum + tap * far[n + PATH_TAPS - 1 - k]!, 0),
  );
}

describe('estimatePath', () => {
  const far = vowel(800 + PATH_TAPS - 1, 3);
  const taps = new Float32Array(PATH_TAPS);

  it('learns from one vowel what holds for every sound: which tap, and how much', () => {
    const path = Array.from({ length: PATH_TAPS }, (_, k) => (k === 32 ? 0.5 : k === 61 ? -0.2 : 0));
    expect(estimatePath(through(far, path, 800), far, 32, taps)).toBeGreaterThan(0.99);
    taps.forEach((tap, k) => {
      expect(Math.abs(tap - path[k]!)).toBeLessThan(0.06);
    });
  });

  it('explains little of what is no echo', () => {
    const noise = vowel(800, 9).map((_, n) => 3000 * Math.sin(n * n * 0.001));
    expect(estimatePath(noise, far, 32, taps)).toBeLessThan(0.5);
  });

  it('finds no path in silence', () => {
    expect(estimatePath(new Float32Array(800), far, 32, taps)).toBe(0);
    expect(taps.every((tap) => tap === 0)).toBe(true);
  });
});
