import type { AdaptiveFilter } from './adaptive-filter.js';
import { CURVE_POINTS, minimumPhase, TAPS } from './minimum-phase.js';

/*
 * What the adaptive filter leaves of the echo (codecs, loudspeakers that distort, a path that moves) is turned down per
 * band. The residual is the expected echo times a leakage (Valin 2007) that follows the ratio seen when only the far end
 * speaks. The gains become a minimum-phase filter, so that nothing is delayed. Nothing fills what is taken away: those who
 * listen are a detector and a recogniser.
 */

/** First bins of the bands at 31.25 Hz per bin; those above 4 kHz are for 16 kHz calls. */
const EDGES = [2, 5, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 76, 88, 104, 128, 160, 192, 256];
const BANDS_8K = EDGES.indexOf(128);
/** The residual is taken for this many times as strong as expected. */
const OVERESTIMATE = 6;
/** A residual so many times as strong as expected may still be one. */
const EXPLAINS = 4;
/** Lowest gain, -36 dB in power terms. */
const FLOOR = 2.5e-4;
/** Leakage before anything was learnt, and its bounds. */
const LEAKAGE = 0.2;
const LEAKAGE_MIN = 0.001;
const LEAKAGE_MAX = 1;
/** Smoothing of band powers, per block. */
const SMOOTHING = 0.5;
/** Gains fall at once and rise by at most this factor per block, so that speech comes back without clicks. */
const RISE = 4;
/** Mean square per sample of noise that is no noise. */
const QUIET = 1;

/** Residual echo suppression behind an {@link AdaptiveFilter}. */
export class Suppressor {
  /** 0 to 1: how well the expected residual echo explains the block. */
  likelihood = 0;
  private readonly bands: number;
  private readonly error: Float32Array;
  private readonly echo: Float32Array;
  private readonly leakage: Float32Array;
  private readonly gains: Float32Array;
  private readonly noise: Float32Array;
  private readonly bandOfPoint: Uint8Array;
  private readonly curve = new Float32Array(CURVE_POINTS);
  private taps = new Float32Array(TAPS);
  private before = new Float32Array(TAPS);
  private readonly line: Float32Array;
  private idle = true;

  /** @param sampleRate Hz */
  constructor(
    private readonly sampleRate: number,
    private readonly filter: AdaptiveFilter,
  ) {
    const block = sampleRate / 100;
    this.bands = sampleRate === 8000 ? BANDS_8K : EDGES.length - 1;
    this.error = new Float32Array(this.bands);
    this.echo = new Float32Array(this.bands);
    this.leakage = new Float32Array(this.bands).fill(LEAKAGE);
    this.gains = new Float32Array(this.bands).fill(1);
    this.noise = new Float32Array(this.bands).fill(1e9);
    this.line = new Float32Array(block + TAPS - 1);
    this.bandOfPoint = Uint8Array.from(this.curve, (_, point) => this.bandAt((point * sampleRate) / 64));
    this.taps[0] = this.before[0] = 1;
  }

  /** Forgets what leaks; to be called when the echo path is another. */
  reset(): void {
    this.leakage.fill(LEAKAGE);
    this.echo.fill(0);
  }

  /** Takes the block that the filter has just made; learns only. */
  learn(): void {
    this.measure();
    this.weigh();
  }

  /** Takes the block that the filter has just made and writes it to `out`, what is echo turned down. */
  process(out: Float32Array): void {
    this.learn();
    const { line, filter, before } = this;
    const block = out.length;
    line.copyWithin(0, block);
    line.set(filter.error, TAPS - 1);
    let open = true;
    for (let b = 0; b < this.bands; b++) if (this.gains[b]! < 0.8) open = false;
    if (open && this.idle) {
      out.set(filter.error);
      return;
    }
    this.before = this.taps;
    this.taps = before;
    this.design(open);
    this.convolve(out);
    this.idle = open;
  }

  private measure(): void {
    const { filter } = this;
    for (let b = 0; b < this.bands; b++) {
      let error = 0;
      let echo = 0;
      for (let k = EDGES[b]!; k < EDGES[b + 1]!; k++) {
        error += filter.errorRe[k]! * filter.errorRe[k]! + filter.errorIm[k]! * filter.errorIm[k]!;
        echo += filter.expected[k]!;
      }
      this.error[b] = SMOOTHING * this.error[b]! + (1 - SMOOTHING) * error;
      // The echo fades more slowly than it comes: what follows it in a room is not in the filter.
      this.echo[b] = Math.max(0.75 * this.echo[b]!, SMOOTHING * this.echo[b]! + (1 - SMOOTHING) * echo);
      this.noise[b] = Math.max(QUIET, Math.min(this.error[b]!, this.noise[b]! * 1.003));
    }
  }

  private weigh(): void {
    const { agrees } = this.filter;
    let total = 0;
    let explained = 0;
    let expected = 0;
    for (let b = 0; b < this.bands; b++) {
      const error = this.error[b]!;
      const echo = this.echo[b]!;
      const noise = this.noise[b]!;
      const leakage = agrees ? this.leakage[b]! : 1;
      if (agrees && echo > 8 * noise) {
        const seen = Math.max(0, error - noise) / echo;
        const next = seen < leakage ? leakage + 0.08 * (seen - leakage) : Math.min(seen, leakage * 1.015);
        this.leakage[b] = Math.min(LEAKAGE_MAX, Math.max(LEAKAGE_MIN, next));
      }
      const residual = (agrees ? this.leakage[b]! : 1) * echo;
      total += error;
      expected += echo;
      explained += Math.min(error, EXPLAINS * residual + noise);
      const wanted = Math.max(FLOOR, 1 - (OVERESTIMATE * residual) / (error + 1));
      this.gains[b] = Math.min(wanted, this.gains[b]! * RISE);
    }
    // Of an echo alone most is explained, and little is left of it; a caller is neither.
    const share = explained / (total + 1);
    const left = 10 * Math.log10((total + 1) / (expected + 1));
    const likelihood = Math.max((share - 0.12) / 0.18, (-4 - left) / 6);
    this.likelihood = this.strength() > 0 ? Math.min(1, Math.max(0, likelihood)) : 0;
  }

  /** Whether there is an echo at all now: bands where it is above the noise. */
  private strength(): number {
    let count = 0;
    for (let b = 0; b < this.bands; b++) if (this.leakage[b]! * this.echo[b]! > 0.5 * this.noise[b]!) count++;
    return count;
  }

  private design(open: boolean): void {
    const { curve, bandOfPoint, gains } = this;
    if (open) {
      this.taps.fill(0);
      this.taps[0] = 1;
      return;
    }
    for (let point = 0; point < CURVE_POINTS; point++) curve[point] = 0.5 * Math.log(gains[bandOfPoint[point]!]!);
    minimumPhase(curve, this.taps);
  }

  /** The line through the new filter; over the first part of the block the old one fades into it. */
  private convolve(out: Float32Array): void {
    const { line, taps, before } = this;
    const fade = out.length / 4;
    for (let n = 0; n < out.length; n++) {
      let sum = 0;
      for (let k = 0; k < TAPS; k++) sum += taps[k]! * line[n + TAPS - 1 - k]!;
      out[n] = sum;
    }
    for (let n = 0; n < fade; n++) {
      let sum = 0;
      for (let k = 0; k < TAPS; k++) sum += before[k]! * line[n + TAPS - 1 - k]!;
      out[n] = sum + (out[n]! - sum) * ((n + 1) / (fade + 1));
    }
  }

  private bandAt(hertz: number): number {
    const bin = hertz / (this.sampleRate / this.filter.fft.size);
    for (let b = 0; b < this.bands; b++) if (bin < EDGES[b + 1]!) return b;
    return this.bands - 1;
  }
}
