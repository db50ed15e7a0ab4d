import { describe, expect, it } from 'vitest';
import { RealFft, realFft } from './fft.js';

/** Deterministic noise in [-1, 1). */
function noise(length: number): Float32Array {
  let seed = 1;
  return Float32Array.from({ length }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 31 - 1;
  });
}

describe('RealFft', () => {
  it.each([16, 32, 64, 256, 512])('of %d samples is the discrete Fourier transform', (size) => {
    const fft = realFft(size);
    const x = noise(size);
    const re = new Float32Array(fft.bins);
    const im = new Float32Array(fft.bins);
    fft.forward(x, re, im);
    for (let k = 0; k < fft.bins; k++) {
      let sumRe = 0;
      let sumIm = 0;
      x.forEach((value, n) => {
        sumRe += value * Math.cos((2 * Math.PI * k * n) / size);
        sumIm -= value * Math.sin((2 * Math.PI * k * n) / size);
      });
      expect(re[k]).toBeCloseTo(sumRe, 3);
      expect(im[k]).toBeCloseTo(sumIm, 3);
    }
    const back = new Float32Array(size);
    fft.inverse(re, im, back);
    for (let n = 0; n < size; n++) expect(back[n]).toBeCloseTo(x[n]!, 5);
  });

  it('refuses a size that is no power of two', () => {
    expect(() => new RealFft(160)).toThrow('power of two');
  });
});
