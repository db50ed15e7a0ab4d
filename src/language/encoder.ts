import { readFileSync } from 'node:fs';
import { openSession } from '../inference/onnx.js';
import { type InferenceSession, Tensor } from '../inference/runtime.js';
import { clausesWithin } from '../text/clauses.js';
import type { Meaning } from './meanings.js';
import { NUMBERS_PER_WORD, Tokeniser } from './tokeniser.js';

/** Length of a vector. */
export const VECTOR_LENGTH = 384;

/** Few enough that a batch's padding stays small; an agent's examples are a few hundred short texts. */
const BATCH = 32;

/** Trained by models/topics; the words are one a line, after a first line that has the number of letter buckets. */
const WEIGHTS = new URL('../../models/topics/weights/', import.meta.url);

/**
 * Turns a sentence into a vector, so that sentences with one purpose lie close together, whatever their words.
 * Computes on the thread that calls it, so it belongs in a speech worker.
 */
export class TopicEncoder {
  readonly #session: InferenceSession;
  readonly #tokeniser: Tokeniser;

  private constructor(session: InferenceSession, tokeniser: Tokeniser) {
    this.#session = session;
    this.#tokeniser = tokeniser;
  }

  /**
   * @param folder where encoder.onnx and words.txt lie, its URL ending with "/"; the shipped weights unless told
   * @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE
   */
  static async load(folder: URL = WEIGHTS): Promise<TopicEncoder> {
    const session = await openSession(() => new URL('encoder.onnx', folder).href);
    const [buckets = '', ...words] = readFileSync(new URL('words.txt', folder), 'utf8').trimEnd().split('\n');
    return new TopicEncoder(session, new Tokeniser(words, Number(buckets)));
  }

  /** One vector of {@link VECTOR_LENGTH} and of unit length per text. */
  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let start = 0; start < texts.length; start += BATCH) {
      vectors.push(...(await this.#batch(texts.slice(start, start + BATCH))));
    }
    return vectors;
  }

  /** Vectors of a text and of each of its clauses. */
  async meanings(text: string): Promise<Meaning[]> {
    const texts = clausesWithin(text);
    const vectors = await this.embed(texts);
    return vectors.map((vector, at) => ({ text: texts[at] ?? '', vector }));
  }

  /** Frees the model. */
  async release(): Promise<void> {
    await this.#session.release();
  }

  async #batch(texts: readonly string[]): Promise<Float32Array[]> {
    const rows = texts.map((text) => this.#tokeniser.encode(text));
    const length = Math.max(...rows.map((row) => row.length));
    const numbers = new Int32Array(rows.length * length);
    rows.forEach((row, at) => {
      numbers.set(row, at * length);
    });
    const ids = new Tensor('int32', numbers, [rows.length, length / NUMBERS_PER_WORD, NUMBERS_PER_WORD]);
    const { vectors } = await this.#session.run({ ids });
    const values = vectors?.data;
    if (!(values instanceof Float32Array)) throw new TypeError('the topics encoder gave no vectors');
    return rows.map((_, at) => values.slice(at * VECTOR_LENGTH, (at + 1) * VECTOR_LENGTH));
  }
}
