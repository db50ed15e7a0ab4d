import { type RealFft, realFft } from '../../audio/fft.js';
import type { FarEnd } from './far-end.js';

/*
 * Where in the caller's audio what was played comes back: generalised cross-correlation of both (Knapp & Carter 1976)
 * with partly whitened spectra, added up over time. Windows are 64 ms, lags are searched in stretches of 30 ms, each with
 * a cross-spectrum of its own, so that one far-end window per step serves all lags.
 */

/** Bins used: 190 Hz to 2 kHz. Dropping the upper ones makes the correlation's step a quarter of a millisecond. */
const FIRST_BIN = 12;
const BINS = 128;
const LAGS = 256;
/** Lags of a stretch: 30 ms. */
const STRETCH = 120;
/** Lags from -15 to 585 ms. */
const STRETCHES = 20;
/** What a step leaves of the sums so far: they reach about 400 ms back. */
const MEMORY = 0.93;
/** Lags over which the echo of a room is spread: 12 ms. */
const SPREAD = 48;
/** Spectra are divided by this power of their magnitude; 1 is PHAT. */
const WHITENING = 0.8;
/** Windows below this mean square say nothing: -66 dBFS. */
const SILENT = 32768 ** 2 * 2.5e-7;

/** Estimates the echo's delay from the correlation of far end and near end. */
export class DelayFinder {
  /** Samples per step: 30 ms. */
  readonly step: number;
  /** Samples of a window: 64 ms. */
  readonly window: number;
  /** Delay of the highest peak in the 12 ms with most correlation, samples. */
  delay = 0;
  /** The highest peak over the correlation's root mean square: from 8 on an echo, 4 to 5 for unrelated speech. */
  sharpness = 0;
  /** The same of the 12 ms with most correlation, which tells better for a room: from 3 on an echo, 1.8 for unrelated speech. */
  mass = 0;
  /** Steps since the sums were begun. */
  steps = 0;
  private readonly fft: RealFft;
  private readonly short: RealFft = realFft(LAGS);
  private readonly taper: Float32Array;
  private readonly time: Float32Array;
  private readonly re: Float32Array;
  private readonly im: Float32Array;
  private readonly nearRe = new Float32Array(BINS + 1);
  private readonly nearIm = new Float32Array(BINS + 1);
  /** Whitened far-end windows, newest at `newest`, and the smoothed cross-spectra of the stretches. */
  private readonly farRe = new Float32Array(STRETCHES * (BINS + 1));
  private readonly farIm = new Float32Array(STRETCHES * (BINS + 1));
  private readonly crossRe = new Float32Array(STRETCHES * (BINS + 1));
  private readonly crossIm = new Float32Array(STRETCHES * (BINS + 1));
  private readonly lags = new Float32Array(LAGS);
  /** Squared correlation at all lags. */
  private readonly squares = new Float32Array(STRETCHES * STRETCH);
  private readonly sumRe = new Float32Array(BINS + 1);
  private readonly sumIm = new Float32Array(BINS + 1);
  private newest = 0;
  /** Far-end position of the newest window's end. */
  private position = Number.NaN;
  /** Samples of a lag. */
  private readonly unit: number;

  /** @param sampleRate Hz */
  constructor(sampleRate: number) {
    this.step = (sampleRate * 30) / 1000;
    this.window = (sampleRate * 64) / 1000;
    this.unit = this.window / LAGS;
    this.fft = realFft(this.window);
    this.time = new Float32Array(this.window);
    this.taper = Float32Array.from(this.time, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 0.5)) / this.window));
    this.re = new Float32Array(this.fft.bins);
    this.im = new Float32Array(this.fft.bins);
  }

  /** Forgets what was added up. */
  reset(): void {
    this.crossRe.fill(0);
    this.crossIm.fill(0);
    this.position = Number.NaN;
    this.steps = 0;
    this.sharpness = this.mass = 0;
  }

  /**
   * Adds a window of the near end.
   *
   * @param near the newest 64 ms
   * @param position far-end position that belongs to the window's end at a delay of 0
   */
  push(near: Float32Array, far: FarEnd, position: number): void {
    this.time.set(near);
    if (!this.whiten(this.nearRe, this.nearIm, 0)) return;
    this.follow(far, position);
    this.correlate();
    this.steps++;
    this.search();
  }

  /** Brings the far-end windows up to `position`. */
  private follow(far: FarEnd, position: number): void {
    const missing = Math.min(STRETCHES, Math.round((position - this.position) / this.step));
    const inStep = position - this.position === missing * this.step;
    for (let back = (inStep ? missing : STRETCHES) - 1; back >= 0; back--) {
      this.newest = (this.newest + 1) % STRETCHES;
      far.copy(position - back * this.step - this.window, this.time);
      this.whiten(this.farRe, this.farIm, this.newest * (BINS + 1));
    }
    this.position = position;
  }

  /** The spectrum of `time`, whitened and of unit power; zero, and false, for silence. */
  private whiten(outRe: Float32Array, outIm: Float32Array, at: number): boolean {
    const { time, taper, re, im } = this;
    let power = 0;
    for (let n = 0; n < time.length; n++) {
      power += time[n]! * time[n]!;
      time[n] = time[n]! * taper[n]!;
    }
    const heard = power > SILENT * time.length;
    if (heard) this.fft.forward(time, re, im);
    let total = 0;
    for (let k = 0; k <= BINS; k++) {
      let scale = 0;
      if (heard && k >= FIRST_BIN && k < BINS) {
        const square = re[k]! * re[k]! + im[k]! * im[k]!;
        scale = (square + 1) ** (-WHITENING / 2);
        total += square * scale * scale;
      }
      outRe[at + k] = scale === 0 ? 0 : re[k]! * scale;
      outIm[at + k] = scale === 0 ? 0 : im[k]! * scale;
    }
    if (total === 0) return false;
    const unit = 1 / Math.sqrt(total);
    for (let k = FIRST_BIN; k < BINS; k++) {
      outRe[at + k] = outRe[at + k]! * unit;
      outIm[at + k] = outIm[at + k]! * unit;
    }
    return true;
  }

  private correlate(): void {
    const { nearRe, nearIm, farRe, farIm, crossRe, crossIm } = this;
    for (let stretch = 0; stretch < STRETCHES; stretch++) {
      let from = ((this.newest - stretch + STRETCHES) % STRETCHES) * (BINS + 1) + FIRST_BIN;
      let to = stretch * (BINS + 1) + FIRST_BIN;
      for (let k = FIRST_BIN; k < BINS; k++, from++, to++) {
        const xRe = farRe[from]!;
        const xIm = farIm[from]!;
        crossRe[to] = MEMORY * crossRe[to]! + xRe * nearRe[k]! + xIm * nearIm[k]!;
        crossIm[to] = MEMORY * crossIm[to]! + xRe * nearIm[k]! - xIm * nearRe[k]!;
      }
    }
  }

  private search(): void {
    const { squares, sumRe, sumIm, crossRe, crossIm } = this;
    for (let stretch = 0; stretch < STRETCHES; stretch++) {
      const at = stretch * (BINS + 1);
      for (let k = FIRST_BIN; k < BINS; k++) {
        sumRe[k] = crossRe[at + k]!;
        sumIm[k] = crossIm[at + k]!;
      }
      this.short.inverse(sumRe, sumIm, this.lags);
      const to = stretch * STRETCH;
      for (let lag = 0; lag < STRETCH; lag++) {
        const value = this.lags[(lag - STRETCH / 2) & (LAGS - 1)]!;
        squares[to + lag] = value * value;
      }
    }
    this.peak();
  }

  private peak(): void {
    const { squares } = this;
    let sum = 0;
    let most = 0;
    let within = 0;
    let densest = 0;
    let end = SPREAD;
    for (let lag = 0; lag < squares.length; lag++) {
      const square = squares[lag]!;
      sum += square;
      if (square > most) most = square;
      within += square - (lag >= SPREAD ? squares[lag - SPREAD]! : 0);
      if (within <= densest) continue;
      densest = within;
      end = lag + 1;
    }
    let best = Math.max(0, end - SPREAD);
    for (let lag = best; lag < end; lag++) if (squares[lag]! > squares[best]!) best = lag;
    this.delay = (best - STRETCH / 2) * this.unit;
    const mean = sum / squares.length + 1e-30;
    this.sharpness = Math.sqrt(most / mean);
    this.mass = Math.sqrt(densest / SPREAD / mean);
  }
}
