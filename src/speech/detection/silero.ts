import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { ParleyError, reasonOf } from '../../errors.js';
import { openSession } from '../../inference/onnx.js';

/** Width of the model's recurrent state, which has two layers. */
const HIDDEN = 128;

/** What the detector remembers of one stream between its windows. */
export interface VadState {
  /** Recurrent state, two layers of {@link HIDDEN}. */
  readonly hidden: Float32Array;
  /** The end of the window before: the model never fires without it. */
  readonly context: Float32Array;
}

/** Tensors of one batch size, used again for every run of it so that steady state allocates nothing of ours. */
interface Buffers {
  readonly input: Float32Array;
  readonly state: Float32Array;
  readonly feeds: Record<string, Tensor>;
}

/**
 * Silero voice activity detection, version 6, over many streams in one run; a run of 32 streams costs about eight
 * times a run of one. Windows of 32 ms: 256 samples at 8 kHz or 512 at 16 kHz. The result of a stream does not depend
 * on the others in its batch.
 */
export class BatchVad {
  /** Samples per window. */
  readonly windowSamples: number;
  private readonly contextSamples: number;
  private readonly rateTensor: Tensor;
  private readonly buffers = new Map<number, Buffers>();
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly session: InferenceSession,
    rate: 8000 | 16000,
  ) {
    this.windowSamples = rate === 8000 ? 256 : 512;
    this.contextSamples = rate === 8000 ? 32 : 64;
    this.rateTensor = new Tensor('int64', BigInt64Array.of(BigInt(rate)), []);
  }

  /**
   * @param rate of the streams, Hz
   * @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE
   */
  static async load(rate: 8000 | 16000): Promise<BatchVad> {
    const weights = () => import.meta.resolve('@ricky0123/vad-web/dist/silero_vad_v6.onnx');
    return new BatchVad(await openSession(weights), rate);
  }

  /** The state of a stream that has not begun. */
  createState(): VadState {
    return { hidden: new Float32Array(2 * HIDDEN), context: new Float32Array(this.contextSamples) };
  }

  /**
   * Judges the next window of each stream and advances its state. Runs are done one after another in the order asked
   * for; windows are read when a run's turn comes, so they must stay as they are until it is done.
   *
   * @param batch one window of {@link windowSamples} samples per stream; a stream at most once
   * @returns probability of speech, 0 to 1, in the batch's order
   * @throws ParleyError PARLEY_ERR_DETECTION_FAILED; the states are then as before
   */
  run(batch: readonly { state: VadState; window: Int16Array }[]): Promise<Float32Array> {
    if (batch.length === 0) return Promise.resolve(new Float32Array(0));
    const run = this.last.then(() => this.runNow(batch));
    this.last = run.catch(() => undefined);
    return run;
  }

  /** Frees the model once the runs under way are done. */
  async close(): Promise<void> {
    await this.last;
    this.buffers.clear();
    await this.session.release();
  }

  private async runNow(batch: readonly { state: VadState; window: Int16Array }[]): Promise<Float32Array> {
    const buffers = this.buffersFor(batch.length);
    batch.forEach(({ state, window }, index) => {
      this.fill(buffers, batch.length, index, state, window);
    });
    const { probabilities, hidden } = await this.infer(buffers);
    batch.forEach(({ state, window }, index) => {
      this.advance(hidden, batch.length, index, state, window);
    });
    return probabilities;
  }

  private async infer(buffers: Buffers): Promise<{ probabilities: Float32Array; hidden: Float32Array }> {
    try {
      const result = await this.session.run(buffers.feeds);
      const probabilities = result.output?.data;
      const hidden = result.stateN?.data;
      if (probabilities instanceof Float32Array && hidden instanceof Float32Array) return { probabilities, hidden };
      throw new Error('the model has other outputs than expected');
    } catch (error) {
      throw new ParleyError('PARLEY_ERR_DETECTION_FAILED', { reason: reasonOf(error) }, { cause: error });
    }
  }

  private fill(buffers: Buffers, size: number, index: number, state: VadState, window: Int16Array): void {
    const { input, state: hidden } = buffers;
    let at = index * (this.contextSamples + this.windowSamples);
    input.set(state.context, at);
    at += this.contextSamples;
    for (let i = 0; i < this.windowSamples; i++) input[at + i] = (window[i] ?? 0) / 32768;
    hidden.set(state.hidden.subarray(0, HIDDEN), index * HIDDEN);
    hidden.set(state.hidden.subarray(HIDDEN), (size + index) * HIDDEN);
  }

  private advance(hidden: Float32Array, size: number, index: number, state: VadState, window: Int16Array): void {
    state.hidden.set(hidden.subarray(index * HIDDEN, (index + 1) * HIDDEN));
    state.hidden.set(hidden.subarray((size + index) * HIDDEN, (size + index + 1) * HIDDEN), HIDDEN);
    const from = this.windowSamples - this.contextSamples;
    for (let i = 0; i < this.contextSamples; i++) state.context[i] = (window[from + i] ?? 0) / 32768;
  }

  private buffersFor(size: number): Buffers {
    const known = this.buffers.get(size);
    if (known) return known;
    const width = this.contextSamples + this.windowSamples;
    const input = new Float32Array(size * width);
    const state = new Float32Array(2 * size * HIDDEN);
    const made = {
      input,
      state,
      feeds: {
        input: new Tensor('float32', input, [size, width]),
        state: new Tensor('float32', state, [2, size, HIDDEN]),
        sr: this.rateTensor,
      },
    };
    this.buffers.set(size, made);
    return made;
  }
}
