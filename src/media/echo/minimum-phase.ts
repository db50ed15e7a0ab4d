import { realFft } from '../../audio/fft.js';

/** Points of a gain curve, evenly from 0 Hz to half the sample rate. */
export const CURVE_POINTS = 33;
/** Taps of the filter made of it. */
export const TAPS = 32;

const fft = realFft(2 * (CURVE_POINTS - 1));
const none = new Float32Array(fft.bins);
const cepstrum = new Float32Array(fft.size);

/**
 * The minimum-phase filter with a given gain curve: its cepstrum is the curve's folded to positive time (Oppenheim &
 * Schafer, "Homomorphic signal processing"). Such a filter changes the spectrum without delaying the sound.
 *
 * @param curve natural logarithm of the gain at {@link CURVE_POINTS} frequencies
 * @param taps filled with {@link TAPS} coefficients
 */
export function minimumPhase(curve: Float32Array, taps: Float32Array): void {
  fft.inverse(curve, none, cepstrum);
  taps[0] = Math.exp(cepstrum[0]!);
  for (let n = 1; n < TAPS; n++) {
    let sum = 0;
    for (let k = 1; k <= n; k++) sum += k * cepstrum[k]! * taps[n - k]!;
    taps[n] = (2 * sum) / n;
  }
}
