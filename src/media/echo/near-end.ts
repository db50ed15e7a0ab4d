/** Near end that is remembered, for the filter to learn from once the delay is known, ms. */
const RECALL_MS = 300;
/** Quieter near end can be no speech, mean square: -58 dBFS. */
const NEAR_POWER = 32768 ** 2 * 1.6e-6;
/** What is heard stands this far above the line's noise, in power: 6 dB. The noise estimate rises by 2 dB a second. */
const ABOVE_NOISE = 4;
const NOISE_RISE = 1.0046;
/** What a line's noise is taken for before it was heard: -40 dBFS. */
const LOUDEST_NOISE = 32768 ** 2 * 1e-4;

/** What the caller's line brought in the last 300 ms, and whether its newest block of 10 ms is more than noise. */
export class NearEnd {
  /** All that is remembered, the newest last, and views of it, block by block. */
  readonly recalled: Float32Array;
  readonly blocks: readonly Float32Array[];
  /** Of the newest block, mean square of its samples. */
  power = 0;
  /** Whether it is more than the line's noise, and how many before it were not. */
  heard = false;
  silentBlocks = 0;
  private noise = LOUDEST_NOISE;
  private readonly block: number;

  /** @param sampleRate Hz */
  constructor(sampleRate: number) {
    const block = sampleRate / 100;
    const recalled = new Float32Array((sampleRate * RECALL_MS) / 1000);
    this.blocks = Array.from({ length: recalled.length / block }, (_, n) =>
      recalled.subarray(n * block, (n + 1) * block),
    );
    this.block = block;
    this.recalled = recalled;
  }

  get newest(): Float32Array {
    return this.blocks[this.blocks.length - 1]!;
  }

  /** Measures the block of `pcm` that begins at `at`. */
  measure(pcm: Int16Array, at: number): void {
    const { block } = this;
    let power = 0;
    for (let n = at; n < at + block; n++) power += pcm[n]! * pcm[n]!;
    this.power = power / block;
    this.noise = Math.max(1, Math.min(this.power, this.noise * NOISE_RISE));
    this.heard = this.power > Math.max(NEAR_POWER, ABOVE_NOISE * this.noise);
    this.silentBlocks = this.heard ? 0 : this.silentBlocks + 1;
  }

  /** Remembers it. */
  remember(pcm: Int16Array, at: number): void {
    const { recalled, block } = this;
    recalled.copyWithin(0, block);
    for (let n = 0, to = recalled.length - block; n < block; n++, to++) recalled[to] = pcm[at + n]!;
  }

  forget(): void {
    this.recalled.fill(0);
  }
}
