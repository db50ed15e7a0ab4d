/** Positions are sample indices since the stream began; they fit a double exactly for longer than any call. */
const HEADER_BYTES = 12;
/** A position is two integers, since one of 64 bits would be garbage each time: rests of this, and how often it goes into it. */
const SPAN = 2 ** 30;
/** In place of the latter while both change. */
const CHANGING = -1;
/** Where the header counts the streams that the memory has had. */
const STREAM = 2;

/**
 * The last seconds of one PCM stream in shared memory: one thread writes, any thread reads by sample position. A media
 * worker writes what the caller says; a speech worker, also one that took over from a crashed one, reads it from there,
 * so that audio crosses threads without a message or a copy per packet.
 *
 * The memory may serve one stream after another ({@link AudioRing.renewed}): who has read the stream before then finds it
 * at its end, and empty.
 */
export class AudioRing {
  private readonly head: Int32Array;
  private readonly samples: Int16Array;
  private readonly stream: number;
  /** The end, known without looking where it is written; -1 where it is only read. */
  private written = -1;
  /** The end as it was seen last. */
  private seen = 0;

  /** @param shared a buffer made by {@link AudioRing.allocate}, of the stream that it has now */
  constructor(readonly shared: SharedArrayBuffer) {
    this.head = new Int32Array(shared, 0, 3);
    this.samples = new Int16Array(shared, HEADER_BYTES);
    this.stream = Atomics.load(this.head, STREAM);
  }

  /** @param capacity samples kept */
  static allocate(capacity: number): AudioRing {
    return new AudioRing(new SharedArrayBuffer(HEADER_BYTES + capacity * Int16Array.BYTES_PER_ELEMENT));
  }

  /** Takes the memory of a ring that nobody writes any more for another stream, with nothing left of the one before. */
  static renewed({ shared, head, samples }: AudioRing): AudioRing {
    Atomics.add(head, STREAM, 1);
    samples.fill(0);
    Atomics.store(head, 0, 0);
    Atomics.store(head, 1, 0);
    return new AudioRing(shared);
  }

  get capacity(): number {
    return this.samples.length;
  }

  /** Position after the newest sample. */
  get end(): number {
    // Who writes knows; the others look.
    if (this.written >= 0) return this.written;
    for (;;) {
      const spans = Atomics.load(this.head, 1);
      const rest = Atomics.load(this.head, 0);
      if (spans === CHANGING || Atomics.load(this.head, 1) !== spans) continue;
      if (!this.isOver) this.seen = spans * SPAN + rest;
      return this.seen;
    }
  }

  /** Whether the memory has another stream now. */
  private get isOver(): boolean {
    return Atomics.load(this.head, STREAM) !== this.stream;
  }

  /** Position of the oldest sample still held. */
  get start(): number {
    return Math.max(0, this.end - this.capacity);
  }

  /** Appends the first `count` samples (at most the capacity) of `pcm`. Writer thread only. Allocates nothing. */
  write(pcm: Int16Array, count = pcm.length): void {
    const { samples } = this;
    const end = this.end;
    let at = end % samples.length;
    for (let n = 0; n < count; n++) {
      samples[at] = pcm[n]!;
      if (++at === samples.length) at = 0;
    }
    this.written = end + count;
    this.publish(Math.floor(end / SPAN), Math.floor(this.written / SPAN));
  }

  private publish(before: number, spans: number): void {
    if (spans !== before) Atomics.store(this.head, 1, CHANGING);
    Atomics.store(this.head, 0, this.written % SPAN);
    if (spans !== before) Atomics.store(this.head, 1, spans);
  }

  /** A copy of the samples in [from, to), cut to what is still held; `from` tells where the copy begins. */
  read(from: number, to: number): { from: number; pcm: Int16Array } {
    const begin = Math.max(from, this.start);
    const end = Math.max(begin, Math.min(to, this.end));
    const pcm = new Int16Array(end - begin);
    const at = begin % this.capacity;
    const first = Math.min(pcm.length, this.capacity - at);
    pcm.set(this.samples.subarray(at, at + first));
    if (first < pcm.length) pcm.set(this.samples.subarray(0, pcm.length - first), first);
    return this.isOver ? { from: end, pcm: new Int16Array() } : { from: begin, pcm };
  }

  /** Fills `out` with the samples from `from` on, all of which must be held. Writer thread only. Allocates nothing. */
  copy(from: number, out: Int16Array): void {
    for (let n = 0; n < out.length; n++) out[n] = this.samples[(from + n) % this.capacity]!;
  }
}
