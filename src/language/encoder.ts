import { readFileSync } from 'node:fs';
import { openSession } from '../inference/onnx.js';
import { type InferenceSession, Tensor } from '../inference/runtime.js';
import { clausesWithin } from '../text/clauses.js';
import type { Meaning } from './meanings.js';
import { Tokeniser } from './tokeniser.js';

/** Length of a vector. */
export const VECTOR_LENGTH = 612;

/** Made by models/topics. */
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
   * @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE
   */
  static async load(): Promise<TopicEncoder> {
    const session = await openSession(() => new URL('encoder.onnx', WEIGHTS).href);
    return new TopicEncoder(session, loadTokeniser());
  }

  /** One vector of {@link VECTOR_LENGTH} and of unit length per text. */
  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    // One by one: a batch is no faster, and its int8 layers would let each text change the others' last digits.
    for (const text of texts) vectors.push(await this.#vector(text));
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

  async #vector(text: string): Promise<Float32Array> {
    const { pieces, words } = this.#tokeniser.encode(text);
    const { vector } = await this.#session.run({ pieces: row(pieces), words: row(words) });
    const values = vector?.data;
    if (!(values instanceof Float32Array)) throw new TypeError('the topics encoder gave no vector');
    return values.slice();
  }
}

/** Of pieces.txt (a piece and its score a line) and words.txt (a word a line). */
export function loadTokeniser(): Tokeniser {
  const lines = (name: string) => readFileSync(new URL(name, WEIGHTS), 'utf8').trimEnd().split('\n');
  const pieces = lines('pieces.txt').map((line): [string, number] => {
    const [piece = '', score = ''] = line.split(' ');
    return [piece, Number(score)];
  });
  return new Tokeniser(pieces, lines('words.txt'));
}

function row(numbers: readonly number[]): Tensor {
  return new Tensor('int32', Int32Array.from(numbers), [numbers.length]);
}
