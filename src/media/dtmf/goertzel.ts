/*
 * Amplitude and phase of a few frequencies in a block of samples (Goertzel 1958). The block is weighed by Hamming's
 * window: its side lobes lie below -40 dB, so that one group of the keypad is not heard in the other.
 */

/** Filters at several frequencies over blocks of one length. */
export class GoertzelBank {
  /** Mean square of a sine of each frequency in the block analysed last, by index of the frequency. */
  readonly powers: Float64Array;
  /** Its phase at the beginning of the block, radians. */
  readonly phases: Float64Array;
  private readonly turns: Float64Array;

  /**
   * @param frequencies Hz
   * @param sampleRate Hz
   */
  constructor(frequencies: readonly number[], sampleRate: number) {
    this.turns = Float64Array.from(frequencies, (hz) => (2 * Math.PI * hz) / sampleRate);
    this.powers = new Float64Array(frequencies.length);
    this.phases = new Float64Array(frequencies.length);
  }

  /** Analyses the filters from `from` to before `to` over a block that a {@link BlockWindow} has weighed. */
  analyse({ weighed, sum }: BlockWindow, from: number, to: number): void {
    const scale = 2 / (sum * sum);
    for (let k = from; k < to; k++) {
      const turn = this.turns[k]!;
      const coefficient = 2 * Math.cos(turn);
      let before = 0;
      let last = 0;
      for (let n = 0; n < weighed.length; n++) {
        const now = weighed[n]! + coefficient * last - before;
        before = last;
        last = now;
      }
      this.powers[k] = (last * last + before * before - coefficient * last * before) * scale;
      const real = last - before * Math.cos(turn);
      const imaginary = before * Math.sin(turn);
      this.phases[k] = Math.atan2(imaginary, real) - turn * (weighed.length - 1);
    }
  }
}

/** The block of samples that is analysed, weighed. */
export class BlockWindow {
  readonly weighed: Float64Array;
  /** Of the weights. */
  readonly sum: number;
  private readonly weights: Float64Array;
  private readonly squares: number;

  constructor(samples: number) {
    this.weighed = new Float64Array(samples);
    this.weights = Float64Array.from(
      { length: samples },
      (_, n) => 0.54 - 0.46 * Math.cos((2 * Math.PI * (n + 0.5)) / samples),
    );
    this.sum = this.weights.reduce((total, weight) => total + weight, 0);
    this.squares = this.weights.reduce((total, weight) => total + weight * weight, 0);
  }

  /** Takes the whole of `ring`, a circular buffer as long as the block, its oldest sample at `start`; returns the mean square. */
  take(ring: Float32Array, start: number): number {
    const { weighed, weights } = this;
    let energy = 0;
    for (let n = 0, at = start; n < weighed.length; n++) {
      const value = ring[at]! * weights[n]!;
      weighed[n] = value;
      energy += value * value;
      if (++at === ring.length) at = 0;
    }
    return energy / this.squares;
  }
}
