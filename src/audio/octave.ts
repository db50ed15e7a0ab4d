import { kaiser, sinc } from './resample.js';

/*
 * Twice and half the sample rate, frame by frame: what goes in comes out twice as long or half as long, at once and
 * without allocation, 2 ms late. A half-band filter (Bellanger 1974): every second tap but the middle one is zero.
 */

/** Taps other than zero on one side of the middle. */
const SIDE = 16;
/** Kaiser's beta for 60 dB of stopband. */
const BETA = 6;
/** Weight of the pair of samples 2k + 1 away from the middle at the higher rate, for a gain of 1 of all pairs together. */
const PAIRS = pairs();
/** Samples worked on at a time. */
const BLOCK = 960;

/** Doubles the rate of one stream. */
export class Doubler {
  private readonly work = new Float32Array(2 * SIDE - 1 + BLOCK);

  /** Converts the first `samples` of `pcm` into `out`, as far as it is long enough; returns the samples written. */
  process(pcm: Int16Array, samples: number, out: Int16Array): number {
    const total = Math.min(samples, out.length >> 1);
    const { work } = this;
    for (let done = 0; done < total; done += BLOCK) {
      const count = Math.min(BLOCK, total - done);
      for (let n = 0; n < count; n++) work[2 * SIDE - 1 + n] = pcm[done + n]!;
      for (let n = 0; n < count; n++) {
        let between = 0;
        for (let k = 0; k < SIDE; k++) between += PAIRS[k]! * (work[n + SIDE - 1 - k]! + work[n + SIDE + k]!);
        out[2 * (done + n)] = work[n + SIDE - 1]!;
        out[2 * (done + n) + 1] = rounded(between);
      }
      work.copyWithin(0, count, count + 2 * SIDE - 1);
    }
    return 2 * total;
  }

  /** Begins a new stream: what follows does not ring on from what came before. */
  reset(): void {
    this.work.fill(0);
  }
}

/** Halves the rate of one stream. */
export class Halver {
  private readonly work = new Float32Array(4 * SIDE - 2 + 2 * BLOCK);

  /** Converts the first `samples` (an even number) of `pcm` into `out`; returns the samples written: half as many. */
  process(pcm: Int16Array, samples: number, out: Int16Array): number {
    const total = Math.min(samples >> 1, out.length);
    const middle = 2 * SIDE - 1;
    const { work } = this;
    for (let done = 0; done < total; done += BLOCK) {
      const count = Math.min(BLOCK, total - done);
      for (let n = 0; n < 2 * count; n++) work[2 * middle + n] = pcm[2 * done + n]!;
      for (let n = 0; n < count; n++) {
        const at = 2 * n + middle;
        let beside = 0;
        for (let k = 0; k < SIDE; k++) beside += PAIRS[k]! * (work[at - 2 * k - 1]! + work[at + 2 * k + 1]!);
        out[done + n] = rounded((work[at]! + beside) / 2);
      }
      work.copyWithin(0, 2 * count, 2 * count + 2 * middle);
    }
    return total;
  }

  /** Begins a new stream: what follows does not ring on from what came before. */
  reset(): void {
    this.work.fill(0);
  }
}

function pairs(): Float64Array {
  const weights = Float64Array.from({ length: SIDE }, (_, k) => sinc(k + 0.5) * kaiser((k + 0.5) / SIDE, BETA));
  const sum = weights.reduce((total, weight) => total + 2 * weight, 0);
  return weights.map((weight) => weight / sum);
}

function rounded(sample: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(sample)));
}
