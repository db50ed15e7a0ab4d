import { levelDb } from '../audio/level.js';
import type { AudioRing } from '../audio/ring.js';
import { type GateOptions, SpeechGate } from '../speech/detection/gate.js';
import type { BatchVad, VadState } from '../speech/detection/silero.js';

/** Most windows of one run: it holds the thread up for about 2 ms, and between runs the pacer has its turn. */
const MAX_BATCH = 32;

/** The detector's verdict ends a little after the voice does; the true end is looked for this far back, ms. */
const HANGOVER_MS = 160;
const FRAME_MS = 10;

/** A first window that may become an onset, or that it became none; an onset, a pause that may be an offset, an offset. */
export type DetectedMark = 'stir' | 'calm' | 'onset' | 'pause' | 'offset';

/** A mark and its sample position. */
export type DetectedListener = (type: DetectedMark, position: number) => void;

/** What tells how likely the samples in [from, to) of a stream hold the agent's own echo, 0 to 1. */
export interface EchoEvidence {
  likelihood(from: number, to: number): number;
}

/** Voice activity of one listening stream: the next window of its ring, judged by {@link Detection}. */
export class DetectedStream {
  readonly state: VadState;
  readonly window: Int16Array;
  removed = false;
  private readonly gate: SpeechGate;
  private next = 0;
  private stirring = false;
  private readonly frame: Int16Array;

  constructor(
    private readonly ring: AudioRing,
    vad: BatchVad,
    options: GateOptions,
    private readonly listener: DetectedListener,
    private readonly echo?: EchoEvidence,
  ) {
    this.state = vad.createState();
    this.window = new Int16Array(vad.windowSamples);
    this.frame = new Int16Array((vad.windowSamples * FRAME_MS) / options.windowMs);
    this.gate = new SpeechGate(options);
  }

  /** Takes the next window when it is complete. */
  fetch(): boolean {
    if (this.ring.end - this.next < this.window.length) return false;
    // Overtaken: the thread was held up for as long as the ring lasts.
    if (this.next < this.ring.start) this.next = this.ring.end - this.window.length;
    this.ring.copy(this.next, this.window);
    this.next += this.window.length;
    return true;
  }

  /** The verdict on the window taken last. */
  judge(probability: number): void {
    const level = levelDb(this.window);
    const echo = this.echo?.likelihood(this.next - this.window.length, this.next) ?? 0;
    const mark = this.gate.push(probability, level, echo);
    if (this.gate.stirring !== this.stirring) {
      this.stirring = !this.stirring;
      if (mark?.type !== 'onset') this.listener(this.stirring ? 'stir' : 'calm', this.next);
    }
    if (!mark) return;
    const position = Math.max(0, this.next - mark.windowsAgo * this.window.length);
    if (mark.type === 'onset') return this.listener('onset', position);
    this.listener(mark.type, this.lastVoiced(position));
  }

  /** Where the last sound ends that is loud enough to be the voice: what callers wait from, to the frame. */
  private lastVoiced(position: number): number {
    const { ring, frame } = this;
    const earliest = Math.max(ring.start, position - (HANGOVER_MS * frame.length) / FRAME_MS);
    for (let end = position; end - frame.length >= earliest; end -= frame.length) {
      ring.copy(end - frame.length, frame);
      if (levelDb(frame) >= this.gate.quietDb) return end;
    }
    return Math.max(0, earliest);
  }
}

/** Voice activity detection over all streams of a worker: the windows that are due make one run. */
export class Detection {
  private readonly streams: DetectedStream[] = [];
  private readonly batch: DetectedStream[] = [];
  private readonly probabilities = new Float32Array(MAX_BATCH);
  /** Where the next collection begins, so that under load all streams fall behind alike. */
  private cursor = 0;
  private running = false;

  constructor(
    private readonly vad: BatchVad,
    private readonly options: GateOptions,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** @param echo of the agent in this stream; positions are the ring's */
  add(ring: AudioRing, listener: DetectedListener, echo?: EchoEvidence): DetectedStream {
    const stream = new DetectedStream(ring, this.vad, this.options, listener, echo);
    this.streams.push(stream);
    return stream;
  }

  remove(stream: DetectedStream): void {
    const index = this.streams.indexOf(stream);
    if (index >= 0) this.streams.splice(index, 1);
    stream.removed = true;
  }

  /**
   * Judges every window that is due. Does nothing when the last call is still at work. Windows that become due
   * meanwhile wait for the next call: runs of one or two cost nearly as much as runs of ten.
   *
   * @returns resolves when they are judged; undefined when there was nothing to do
   */
  poll(): Promise<void> | undefined {
    if (this.running || !this.collect()) return undefined;
    this.running = true;
    return this.judge();
  }

  /** Whether any window is due. */
  private collect(): boolean {
    this.batch.length = 0;
    const count = this.streams.length;
    for (let n = 0; n < count && this.batch.length < MAX_BATCH; n++) {
      this.cursor = (this.cursor + 1) % count;
      const stream = this.streams[this.cursor]!;
      if (stream.fetch()) this.batch.push(stream);
    }
    return this.batch.length > 0;
  }

  private async judge(): Promise<void> {
    const { batch, probabilities } = this;
    try {
      do {
        await this.vad.run(batch, probabilities);
        for (let n = 0; n < batch.length; n++) if (!batch[n]!.removed) batch[n]!.judge(probabilities[n]!);
      } while (batch.length === MAX_BATCH && this.collect());
    } catch (error) {
      this.failed(error);
    }
    this.running = false;
  }
}
