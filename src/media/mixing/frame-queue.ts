/**
 * Between mixed frames of 20 ms and a sender of any other ptime, or the other way round: samples go in and come out in
 * their order, in pieces of any length. Holds at most the capacity; beyond it the oldest are dropped.
 */
export class FrameQueue {
  private readonly samples: Int16Array;
  private first = 0;
  private held = 0;

  /** @param capacity samples; two packets of the longer kind and one of the shorter are enough on a common clock */
  constructor(capacity: number) {
    this.samples = new Int16Array(capacity);
  }

  /** Samples held. */
  get length(): number {
    return this.held;
  }

  push(frame: Int16Array): void {
    const { samples } = this;
    const over = this.held + frame.length - samples.length;
    if (over > 0) this.drop(Math.min(over, this.held));
    const skip = Math.max(0, frame.length - samples.length);
    let at = (this.first + this.held) % samples.length;
    for (let n = skip; n < frame.length; n++) {
      samples[at] = frame[n]!;
      at = at + 1 === samples.length ? 0 : at + 1;
    }
    this.held += frame.length - skip;
  }

  /** Fills `out` with the oldest samples; false, and nothing taken, while there are too few. */
  take(out: Int16Array): boolean {
    if (this.held < out.length) return false;
    const { samples } = this;
    let at = this.first;
    for (let n = 0; n < out.length; n++) {
      out[n] = samples[at]!;
      at = at + 1 === samples.length ? 0 : at + 1;
    }
    this.drop(out.length);
    return true;
  }

  /** Forgets what is held. */
  clear(): void {
    this.drop(this.held);
  }

  private drop(count: number): void {
    this.first = (this.first + count) % this.samples.length;
    this.held -= count;
  }
}
