/** Blocks that are remembered: 2.5 s. */
const BLOCKS = 256;

/** How likely each block of the near end holds echo rather than speech, 0 to 1. */
export class Evidence {
  private readonly values = new Float32Array(BLOCKS);

  /** @param block its samples */
  constructor(private readonly block: number) {}

  /** Of the block that begins at sample `position`. */
  set(position: number, value: number): void {
    this.values[Math.floor(position / this.block) % BLOCKS] = value;
  }

  /** Of all blocks that begin in [from, to), samples. */
  fill(from: number, to: number, value: number): void {
    const last = Math.floor(to / this.block);
    for (let n = Math.max(0, Math.floor(from / this.block), last - BLOCKS); n < last; n++)
      this.values[n % BLOCKS] = value;
  }

  /** Mean of the blocks that touch [from, to), of which those up to sample `end` are known; 0 when there is none. */
  mean(from: number, to: number, end: number): number {
    const first = Math.max(0, Math.floor(from / this.block), Math.floor(end / this.block) - BLOCKS);
    const last = Math.ceil(Math.min(to, end) / this.block);
    if (last <= first) return 0;
    let sum = 0;
    for (let n = first; n < last; n++) sum += this.values[n % BLOCKS]!;
    return sum / (last - first);
  }
}
