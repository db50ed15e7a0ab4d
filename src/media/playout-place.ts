/** A place in the queue of a playout: reserved, then filled at once (a clip) or piece by piece (a stream), then played. */
export class Place {
  /** Samples sent, and the sample that comes next: they differ after a resume elsewhere. */
  played = 0;
  at = 0;
  /** Samples that have come. */
  length = 0;
  /** Nothing more will come. */
  complete = false;
  /** Times that a stream ran dry while it played, and whether it is dry now. */
  underruns = 0;
  dry = false;
  begun = false;
  private readonly chunks: Int16Array[] = [];
  private readonly starts: number[] = [];
  /** The chunk read last: positions mostly go up. */
  private recent = 0;

  constructor(
    readonly epoch: number,
    readonly utterance: string,
  ) {}

  /** Whether there is something to play, or its end. */
  get filled(): boolean {
    return this.length > 0 || this.complete;
  }

  append(pcm: Int16Array): void {
    if (pcm.length === 0) return;
    this.chunks.push(pcm);
    this.starts.push(this.length);
    this.length += pcm.length;
  }

  /** Copies `count` samples from `at` on into `out` at `offset`; they must have come. */
  copy(out: Int16Array, offset: number, count: number): void {
    let from = this.at;
    let done = 0;
    while (done < count) {
      this.find(from);
      const chunk = this.chunks[this.recent]!;
      const skip = from - this.starts[this.recent]!;
      const part = Math.min(count - done, chunk.length - skip);
      for (let n = 0; n < part; n++) out[offset + done + n] = chunk[skip + n]!;
      done += part;
      from += part;
    }
  }

  private find(position: number): void {
    if (position < (this.starts[this.recent] ?? 0)) this.recent = 0;
    while (position >= this.starts[this.recent]! + this.chunks[this.recent]!.length) this.recent++;
  }
}
