import { levelDb } from '../audio/level.js';
import type { AudioRing } from '../audio/ring.js';
import { type GateOptions, SpeechGate } from '../speech/detection/gate.js';
import type { BatchVad, VadState } from '../speech/detection/silero.js';

/** Most windows of one run: it holds the thread up for about 2 ms, and between runs the pacer has its turn. */
const MAX_BATCH = 32;

/** An onset or offset at a sample position. */
export type DetectedListener = (type: 'onset' | 'offset', position: number) => void;

/** Voice activity of one listening stream: the next window of its ring, judged by {@link Detection}. */
export class DetectedStream {
  readonly state: VadState;
  readonly window: Int16Array;
  removed = false;
  private readonly gate: SpeechGate;
  private next = 0;

  constructor(
    private readonly ring: AudioRing,
    vad: BatchVad,
    options: GateOptions,
    private readonly listener: DetectedListener,
  ) {
    this.state = vad.createState();
    this.window = new Int16Array(vad.windowSamples);
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
    const mark = this.gate.push(probability, levelDb(this.window));
    if (mark) this.listener(mark.type, Math.max(0, this.next - mark.windowsAgo * this.window.length));
  }
}

/** Voice activity detection over all streams of a worker: the windows that are due make one run. */
export class Detection {
  private readonly streams: DetectedStream[] = [];
  private readonly batch: DetectedStream[] = [];
  /** Where the next collection begins, so that under load all streams fall behind alike. */
  private cursor = 0;
  private running = false;

  constructor(
    private readonly vad: BatchVad,
    private readonly options: GateOptions,
    private readonly failed: (error: unknown) => void,
  ) {}

  add(ring: AudioRing, listener: DetectedListener): DetectedStream {
    const stream = new DetectedStream(ring, this.vad, this.options, listener);
    this.streams.push(stream);
    return stream;
  }

  remove(stream: DetectedStream): void {
    const index = this.streams.indexOf(stream);
    if (index >= 0) this.streams.splice(index, 1);
    stream.removed = true;
  }

  /** Judges every window that is due. Returns at once when the last call is still at work. */
  async poll(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      while (this.collect()) await this.judge();
    } finally {
      this.running = false;
    }
  }

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
    try {
      const probabilities = await this.vad.run(this.batch);
      this.batch.forEach((stream, n) => {
        if (!stream.removed) stream.judge(probabilities[n] ?? 0);
      });
    } catch (error) {
      this.failed(error);
    }
  }
}
