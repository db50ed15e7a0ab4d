/** How far back an echo may come from, and its tail with it, ms. */
export const REACH_MS = 640;
/** Blocks whose power is remembered. */
const BLOCKS = 256;
/** Quieter blocks cannot be heard as an echo: mean square of samples, -60 dBFS. */
const ACTIVE_POWER = 32768 ** 2 * 1e-6;

/** What was played in the last two seconds, by sample position, with its power per block of 10 ms. */
export class FarEnd {
  /** Position after the newest sample. */
  end = 0;
  private readonly samples: Float32Array;
  private readonly mask: number;
  private readonly powers = new Float32Array(BLOCKS);
  private readonly block: number;
  private power = 0;
  private activeAt = Number.NEGATIVE_INFINITY;

  /** @param sampleRate Hz */
  constructor(sampleRate: number) {
    this.block = sampleRate / 100;
    // A power of two, so that a position is found by masking.
    const size = 2048 * (sampleRate / 1000);
    this.samples = new Float32Array(size);
    this.mask = size - 1;
  }

  /** Samples that are remembered. */
  get capacity(): number {
    return this.samples.length;
  }

  /** Where the last block that could be heard ends. */
  get lastActive(): number {
    return this.activeAt;
  }

  write(frame: Int16Array): void {
    const { samples, mask, block } = this;
    let at = this.end & mask;
    let left = block - (this.end % block);
    let { power } = this;
    for (let n = 0; n < frame.length; n++) {
      const value = frame[n]!;
      samples[at] = value;
      at = (at + 1) & mask;
      power += value * value;
      if (--left > 0) continue;
      this.close(power, this.end + n + 1);
      power = 0;
      left = block;
    }
    this.power = power;
    this.end += frame.length;
  }

  /** Fills `out` with the samples from `from` on; what was not played, or is forgotten, is silence. */
  copy(from: number, out: Float32Array): void {
    const { samples, mask, end } = this;
    const oldest = Math.max(0, end - samples.length);
    for (let n = 0; n < out.length; n++) {
      const position = from + n;
      out[n] = position >= oldest && position < end ? samples[position & mask]! : 0;
    }
  }

  /** Mean square of the loudest block that ends in (from, to]. */
  loudest(from: number, to: number): number {
    const first = Math.max(0, Math.ceil(from / this.block));
    const last = Math.min(Math.floor(to / this.block), Math.floor(this.end / this.block));
    let most = 0;
    for (let n = Math.max(first, last - BLOCKS + 1); n < last; n++) {
      const power = this.powers[n & (BLOCKS - 1)]!;
      if (power > most) most = power;
    }
    return most;
  }

  private close(power: number, end: number): void {
    const mean = power / this.block;
    this.powers[(end / this.block - 1) & (BLOCKS - 1)] = mean;
    if (mean > ACTIVE_POWER) this.activeAt = end;
  }
}
