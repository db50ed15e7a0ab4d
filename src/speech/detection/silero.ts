import { ParleyError, reasonOf } from '../../errors.js';
import { openSession } from '../../inference/onnx.js';
import { type InferenceSession, Tensor, vendored } from '../../inference/runtime.js';
import { batchModel, FRAMES, HIDDEN } from './silero-graph.js';

/** What the detector remembers of one stream between its windows. */
export interface VadState {
  readonly hidden: Float32Array;
  readonly cell: Float32Array;
  /** The end of the window before, samples: the model never fires without it. */
  readonly context: Int16Array;
}

/** Tensors of one batch size, used again for every run of it so that steady state allocates nothing of ours. */
interface Buffers {
  readonly frames: Float32Array;
  readonly hidden: Float32Array;
  readonly cell: Float32Array;
  readonly feeds: Record<string, Tensor>;
  /** What a run gives: a probability a stream, and their states. */
  readonly speech: Float32Array;
  readonly nextHidden: Float32Array;
  readonly nextCell: Float32Array;
  readonly fetches: Record<string, Tensor>;
}

/** A stream's state, and its next window of {@link BatchVad.windowSamples} samples. */
export interface VadWindow {
  readonly state: VadState;
  readonly window: Int16Array;
}

/**
 * Silero voice activity detection, version 6, over many streams in one run; a run of 32 streams costs about three
 * times a run of one. Windows of 32 ms: 256 samples at 8 kHz or 512 at 16 kHz. The result of a stream does not depend
 * on the others in its batch.
 */
export class BatchVad {
  /** Samples per window. */
  readonly windowSamples: number;
  private readonly contextSamples: number;
  /** Context, window, and what stands behind it: its end in reverse. */
  private readonly padded: Int16Array;
  private readonly buffers = new Map<number, Buffers>();
  /** The run under way. */
  private active: Promise<unknown> | undefined;

  private constructor(
    private readonly session: InferenceSession,
    rate: 8000 | 16000,
  ) {
    this.windowSamples = rate === 8000 ? 256 : 512;
    this.contextSamples = rate === 8000 ? 32 : 64;
    this.padded = new Int16Array(this.windowSamples + 2 * this.contextSamples);
  }

  /**
   * @param rate of the streams, Hz
   * @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE
   */
  static async load(rate: 8000 | 16000): Promise<BatchVad> {
    const weights = () => vendored('silero/silero_vad_v6.onnx');
    return new BatchVad(await openSession(weights, { rewrite: (file) => batchModel(file, rate) }), rate);
  }

  /** The state of a stream that has not begun. */
  createState(): VadState {
    return {
      hidden: new Float32Array(HIDDEN),
      cell: new Float32Array(HIDDEN),
      context: new Int16Array(this.contextSamples),
    };
  }

  /**
   * Judges the next window of each stream and advances its state. Runs are done one after another in the order asked
   * for; windows are read when a run's turn comes, so they must stay as they are until it is done.
   *
   * @param batch one window per stream; a stream at most once
   * @param out filled with the probabilities of speech, 0 to 1, in the batch's order
   * @returns `out`
   * @throws ParleyError PARLEY_ERR_DETECTION_FAILED; the states are then as before
   */
  async run(batch: readonly VadWindow[], out = new Float32Array(batch.length)): Promise<Float32Array> {
    // Those who wait are woken in the order in which they came.
    while (this.active) await this.active.catch(ignore);
    if (batch.length === 0) return out;
    const buffers = this.buffersFor(batch.length);
    for (let n = 0; n < batch.length; n++) this.fill(buffers, n, batch[n]!);
    try {
      this.active = this.session.run(buffers.feeds, buffers.fetches);
      await this.active;
    } catch (error) {
      throw new ParleyError('PARLEY_ERR_DETECTION_FAILED', { reason: reasonOf(error) }, { cause: error });
    } finally {
      this.active = undefined;
    }
    for (let n = 0; n < batch.length; n++) this.take(buffers, n, batch[n]!);
    copy(buffers.speech, 0, out, 0, batch.length);
    return out;
  }

  /** Frees the model once the runs under way are done. */
  async close(): Promise<void> {
    while (this.active) await this.active.catch(ignore);
    this.buffers.clear();
    await this.session.release();
  }

  private take({ nextHidden, nextCell }: Buffers, index: number, { state, window }: VadWindow): void {
    const { contextSamples } = this;
    copy(nextHidden, index * HIDDEN, state.hidden, 0, HIDDEN);
    copy(nextCell, index * HIDDEN, state.cell, 0, HIDDEN);
    copy(window, this.windowSamples - contextSamples, state.context, 0, contextSamples);
  }

  private fill(buffers: Buffers, index: number, { state, window }: VadWindow): void {
    const { padded, contextSamples, windowSamples } = this;
    copy(state.context, 0, padded, 0, contextSamples);
    copy(window, 0, padded, contextSamples, windowSamples);
    const end = contextSamples + windowSamples;
    for (let n = 0; n < contextSamples; n++) padded[end + n] = padded[end - 2 - n]!;
    // Each frame goes half of its length on from the one before; the context is a quarter of one.
    const frame = 4 * contextSamples;
    for (let n = 0; n < FRAMES; n++) copy(padded, (n * frame) / 2, buffers.frames, (index * FRAMES + n) * frame, frame);
    copy(state.hidden, 0, buffers.hidden, index * HIDDEN, HIDDEN);
    copy(state.cell, 0, buffers.cell, index * HIDDEN, HIDDEN);
  }

  private buffersFor(size: number): Buffers {
    const known = this.buffers.get(size);
    if (known) return known;
    const width = FRAMES * 4 * this.contextSamples;
    const frames = new Float32Array(size * width);
    const hidden = new Float32Array(size * HIDDEN);
    const cell = new Float32Array(size * HIDDEN);
    const speech = new Float32Array(size);
    const nextHidden = new Float32Array(size * HIDDEN);
    const nextCell = new Float32Array(size * HIDDEN);
    const states = (data: Float32Array) => new Tensor('float32', data, [size, HIDDEN]);
    const made = {
      frames,
      hidden,
      cell,
      feeds: { frames: new Tensor('float32', frames, [size, width]), hidden: states(hidden), cell: states(cell) },
      speech,
      nextHidden,
      nextCell,
      fetches: {
        speech: new Tensor('float32', speech, [size, 1]),
        nextHidden: states(nextHidden),
        nextCell: states(nextCell),
      },
    };
    this.buffers.set(size, made);
    return made;
  }
}

/** Who started a run hears of its failure. */
function ignore(): void {}

type Samples = Float32Array | Int16Array;

/** Copies without making views, which would be garbage. */
function copy(from: Samples, at: number, to: Samples, into: number, count: number): void {
  for (let n = 0; n < count; n++) to[into + n] = from[at + n]!;
}
