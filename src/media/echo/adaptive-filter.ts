import { type RealFft, realFft } from '../../audio/fft.js';
import type { FarEnd } from './far-end.js';

/*
 * Partitioned-block frequency-domain adaptive filter (the multidelay filter of Soo & Pang 1990) whose step per partition
 * and bin is that of a Kalman filter (Enzner & Vary 2006; Kuech et al. 2014): it grows with the uncertainty of the filter
 * and shrinks with the near end's power, which makes it fast at the beginning and safe in double talk without a detector.
 * Blocks are 10 ms, transforms 32 ms, partitions 20 ms; one partition per block is brought back to its length
 * (the alternating constraint of the AUMDF).
 */

const PARTITIONS = 4;
/** Far-end spectra kept: partitions are two blocks apart. */
const HISTORY = 2 * PARTITIONS;
/** How much of the echo path remains from block to block. */
const TRANSITION = 0.998;
const FORGET = 1 - TRANSITION * TRANSITION;
/** Share of the block in a transform. */
const BLOCK_SHARE = 80 / 256;
/** Uncertainty of a path that is not known: an echo of about -9 dB where the echo is expected, less later. */
const UNKNOWN = [0.12, 0.03, 0.008, 0.004] as const;
/** Uncertainty of a path that was estimated, as a share of its energy. */
const SEEDED = [0.03, 0.02, 0.01, 0.005] as const;
/** Share of the estimated echo that must be found in the near end, and mean square of an estimate that is too faint to tell. */
const AGREEMENT = 0.4;
const FAINT = 300;
/** The line's own noise per bin, so that silence divides nothing by zero. */
const FLOOR = 256 * 4;

export class AdaptiveFilter {
  /** The block's echo as the filter has it, and what is left without it. */
  readonly echo: Float32Array;
  readonly error: Float32Array;
  /** Spectrum of `error`, of a transform that is zero but for the block. */
  readonly errorRe: Float32Array;
  readonly errorIm: Float32Array;
  /** Whether the estimated echo was found in the near end of late; if not, the path is another, and `error` is the near end. */
  agrees = true;
  /** Power per bin that the echo is expected to have whatever its phase: by it an echo is known that is not met exactly. */
  readonly expected: Float32Array;
  /** Transform of the filter. */
  readonly fft: RealFft;
  /** Products of near end and estimated echo, and of the echo with itself, over the last 30 ms or so. */
  private shared = 0;
  private estimated = 0;
  private readonly block: number;
  private readonly part: number;
  private readonly time: Float32Array;
  private readonly xRe: Float32Array;
  private readonly xIm: Float32Array;
  private readonly xPower: Float32Array;
  private readonly wRe: Float32Array;
  private readonly wIm: Float32Array;
  private readonly uncertainty: Float32Array;
  private readonly nearPower: Float32Array;
  private readonly re: Float32Array;
  private readonly im: Float32Array;
  private readonly denominator: Float32Array;
  private newest = 0;
  /** Far-end position after the newest spectrum. */
  private position = Number.NaN;
  private constrained = 0;

  /** @param sampleRate Hz */
  constructor(sampleRate: number) {
    this.block = sampleRate / 100;
    this.part = 2 * this.block;
    this.fft = realFft((256 * sampleRate) / 8000);
    const { bins, size } = this.fft;
    this.time = new Float32Array(size);
    this.echo = new Float32Array(this.block);
    this.error = new Float32Array(this.block);
    this.errorRe = new Float32Array(bins);
    this.errorIm = new Float32Array(bins);
    this.expected = new Float32Array(bins);
    this.re = new Float32Array(bins);
    this.im = new Float32Array(bins);
    this.denominator = new Float32Array(bins);
    this.nearPower = new Float32Array(bins);
    this.xRe = new Float32Array(HISTORY * bins);
    this.xIm = new Float32Array(HISTORY * bins);
    this.xPower = new Float32Array(HISTORY * bins);
    this.wRe = new Float32Array(PARTITIONS * bins);
    this.wIm = new Float32Array(PARTITIONS * bins);
    this.uncertainty = new Float32Array(PARTITIONS * bins);
    this.reset();
  }

  /** Forgets the echo path. */
  reset(): void {
    this.wRe.fill(0);
    this.wIm.fill(0);
    this.nearPower.fill(0);
    this.position = Number.NaN;
    this.shared = this.estimated = 0;
    this.agrees = true;
    const { bins } = this.fft;
    for (let p = 0; p < PARTITIONS; p++) this.uncertainty.fill(UNKNOWN[p]!, p * bins, (p + 1) * bins);
  }

  /**
   * Takes over an estimate of the path.
   *
   * @param taps impulse response from tap `offset` on
   */
  seed(taps: Float32Array, offset: number): void {
    const { fft, time, re, im, wRe, wIm, part, uncertainty } = this;
    const { bins } = fft;
    this.shared = this.estimated = 0;
    let total = 0;
    for (let n = 0; n < taps.length; n++) total += taps[n]! * taps[n]!;
    for (let p = 0; p < PARTITIONS; p++) {
      time.fill(0);
      for (let n = 0; n < part; n++) time[n] = taps[p * part + n - offset] ?? 0;
      fft.forward(time, re, im);
      wRe.set(re, p * bins);
      wIm.set(im, p * bins);
      uncertainty.fill(total * SEEDED[p]!, p * bins, (p + 1) * bins);
    }
  }

  /**
   * Filters and adapts on one block.
   *
   * @param near the block
   * @param position far-end position that belongs to the block's end
   */
  process(near: Float32Array, far: FarEnd, position: number): void {
    this.follow(far, position);
    this.estimate(near);
    this.adapt();
    this.constrain();
    this.compare(near);
  }

  /** A caller leaves the share of the estimate in the near end what it is: nearly 1. A path that moved does not. */
  private compare(near: Float32Array): void {
    const { block, time, fft, echo, error } = this;
    let shared = 0;
    let estimated = 0;
    for (let n = 0; n < block; n++) {
      shared += near[n]! * echo[n]!;
      estimated += echo[n]! * echo[n]!;
    }
    this.shared = 0.7 * this.shared + shared;
    this.estimated = 0.7 * this.estimated + estimated;
    this.agrees = this.estimated < block * FAINT || this.shared > AGREEMENT * this.estimated;
    if (this.agrees) return;
    error.set(near);
    time.fill(0, 0, fft.size - block);
    time.set(near, fft.size - block);
    fft.forward(time, this.errorRe, this.errorIm);
  }

  private follow(far: FarEnd, position: number): void {
    const { bins, size } = this.fft;
    const missing = Math.min(HISTORY, (position - this.position) / this.block);
    const back = Number.isInteger(missing) && missing > 0 ? missing : HISTORY;
    for (let n = back - 1; n >= 0; n--) {
      this.newest = (this.newest + 1) % HISTORY;
      far.copy(position - n * this.block - size, this.time);
      const at = this.newest * bins;
      this.fft.forward(this.time, this.re, this.im);
      for (let k = 0; k < bins; k++) {
        const re = this.re[k]!;
        const im = this.im[k]!;
        this.xRe[at + k] = re;
        this.xIm[at + k] = im;
        this.xPower[at + k] = re * re + im * im;
      }
    }
    this.position = position;
  }

  private estimate(near: Float32Array): void {
    const { block, time, fft, re, im, xRe, xIm, wRe, wIm, expected } = this;
    const { bins, size } = fft;
    re.fill(0);
    im.fill(0);
    expected.fill(0);
    for (let p = 0; p < PARTITIONS; p++) {
      let x = this.spectrum(p);
      let w = p * bins;
      for (let k = 0; k < bins; k++, x++, w++) {
        const real = xRe[x]! * wRe[w]! - xIm[x]! * wIm[w]!;
        const turned = xRe[x]! * wIm[w]! + xIm[x]! * wRe[w]!;
        re[k] = re[k]! + real;
        im[k] = im[k]! + turned;
        expected[k] = expected[k]! + BLOCK_SHARE * (real * real + turned * turned);
      }
    }
    fft.inverse(re, im, time);
    const from = size - block;
    for (let n = 0; n < block; n++) {
      const echo = time[from + n]!;
      this.echo[n] = echo;
      this.error[n] = near[n]! - echo;
    }
    time.fill(0, 0, from);
    time.set(this.error, from);
    fft.forward(time, this.errorRe, this.errorIm);
  }

  private adapt(): void {
    const { errorRe, errorIm, xRe, xIm, xPower, wRe, wIm, uncertainty, nearPower, denominator } = this;
    const { bins } = this.fft;
    for (let k = 0; k < bins; k++) {
      const power = errorRe[k]! * errorRe[k]! + errorIm[k]! * errorIm[k]!;
      // The present block counts at once, so that a caller who begins to speak does not bend the filter.
      nearPower[k] = Math.max(power * 0.5, 0.8 * nearPower[k]! + 0.2 * power);
      denominator[k] = nearPower[k]! / BLOCK_SHARE + FLOOR;
    }
    for (let p = 0; p < PARTITIONS; p++) {
      let x = this.spectrum(p);
      let w = p * bins;
      for (let k = 0; k < bins; k++, x++, w++) {
        denominator[k] = denominator[k]! + uncertainty[w]! * xPower[x]!;
      }
    }
    for (let p = 0; p < PARTITIONS; p++) {
      let x = this.spectrum(p);
      let w = p * bins;
      for (let k = 0; k < bins; k++, x++, w++) {
        const far = xRe[x]!;
        const turned = xIm[x]!;
        const step = uncertainty[w]! / denominator[k]!;
        const kept = 1 - BLOCK_SHARE * step * xPower[x]!;
        const real = wRe[w]!;
        const imaginary = wIm[w]!;
        const before = real * real + imaginary * imaginary;
        uncertainty[w] = (1 - FORGET) * Math.max(kept, 0) * uncertainty[w]! + FORGET * before;
        wRe[w] = real + step * (far * errorRe[k]! + turned * errorIm[k]!);
        wIm[w] = imaginary + step * (far * errorIm[k]! - turned * errorRe[k]!);
      }
    }
  }

  /** Cuts one partition back to its 20 ms. */
  private constrain(): void {
    const { fft, re, im, wRe, wIm, time, part } = this;
    const { bins } = fft;
    const p = this.constrained;
    this.constrained = (p + 1) % PARTITIONS;
    const at = p * bins;
    for (let k = 0; k < bins; k++) {
      re[k] = wRe[at + k]!;
      im[k] = wIm[at + k]!;
    }
    fft.inverse(re, im, time);
    time.fill(0, part);
    fft.forward(time, re, im);
    wRe.set(re, at);
    wIm.set(im, at);
  }

  /** Where the far-end spectrum of a partition lies. */
  private spectrum(p: number): number {
    return ((this.newest - 2 * p + HISTORY) % HISTORY) * this.fft.bins;
  }
}
