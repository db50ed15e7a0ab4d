/**
 * Packets as blocks of one length, changed in place. Nothing is delayed while packets are whole multiples of a block; once
 * others come, all audio is a block late.
 */
export class Blocks {
  /** Used once a packet came that is no multiple: what is not whole yet, and what was made of the block before. */
  private pending: Int16Array | undefined;
  private ready: Int16Array | undefined;
  private filled = 0;

  /**
   * @param block samples
   * @param change changes the block of `pcm` that begins at `at`
   */
  constructor(
    private readonly block: number,
    private readonly change: (pcm: Int16Array, at: number) => void,
  ) {}

  /** Takes the first `samples` of `pcm`, and changes them. */
  process(pcm: Int16Array, samples: number): void {
    if (!this.pending && samples % this.block === 0) {
      for (let at = 0; at < samples; at += this.block) this.change(pcm, at);
    } else this.processOdd(pcm, samples);
  }

  private processOdd(pcm: Int16Array, samples: number): void {
    this.pending ??= new Int16Array(this.block);
    this.ready ??= new Int16Array(this.block);
    const { pending, ready } = this;
    for (let n = 0; n < samples; n++) {
      const sample = pcm[n]!;
      pcm[n] = ready[this.filled]!;
      pending[this.filled++] = sample;
      if (this.filled < this.block) continue;
      this.filled = 0;
      this.change(pending, 0);
      ready.set(pending);
    }
  }
}
