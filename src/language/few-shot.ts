import { Lexicon, type SparseVector } from './lexical.js';
import { type Row, regress, scoresOf, softmax } from './regression.js';
import { plainWords } from './tokeniser.js';

/** A topic as an agent file has it. */
export interface TopicExamples {
  name: string;
  examples: readonly string[];
}

/** How well a topic fits; the same shape as the agent's own classifiers give. */
export interface ScoredTopic {
  topic: string;
  /** 0 to 1: the chance that the text belongs to this topic. */
  score: number;
}

/** Turns texts into vectors of unit length: TopicEncoder.embed, or a message to the worker that has one. */
export type Embed = (texts: readonly string[]) => Promise<Float32Array[]>;

const PENALTY = 0.1;
/** Vectors remembered for `classify`: the words so far of a few turns. */
const REMEMBERED = 16;
/** Chance of being in scope from which a topic may be acted on. */
const THRESHOLD = 0.5;

/** How in-scope is judged: weights of the evidence, fitted by models/topics/calibrate.py on sets kept from the encoder. */
interface Calibration {
  logit: number;
  near: number;
  alike: number;
  bias: number;
}
const WITH_VECTOR: Calibration = { logit: 0.8, near: 8, alike: 4, bias: -6.5 };
const LEXICAL_ONLY: Calibration = { logit: 0.9, near: 0, alike: 8, bias: -3.5 };

/**
 * Topics from a few example phrases each. Nothing is trained beforehand but the encoder: a logistic regression on the
 * encoder's vectors beside TF-IDF is fitted from the examples when the agent file is loaded (some 20 ms for
 * ten topics, a few seconds for a hundred and fifty). A text is out of scope when no score reaches the threshold:
 * the best class is weak, or nothing like it stands among the examples.
 *
 * `classify` is synchronous and needs no model at hand: whoever has the text's vector gives it first with
 * {@link remember}; of a text whose vector is not known, the words alone are judged.
 */
export class FewShotTopics {
  readonly threshold = THRESHOLD;
  readonly #names: readonly string[];
  readonly #lexicon: Lexicon;
  readonly #full: Head;
  readonly #lexical: Head;
  readonly #vectors = new Map<string, Float32Array>();

  private constructor(names: readonly string[], lexicon: Lexicon, full: Head, lexical: Head) {
    this.#names = names;
    this.#lexicon = lexicon;
    this.#full = full;
    this.#lexical = lexical;
  }

  /**
   * @param background texts that belong to no topic, learnt as the other side of all
   * @throws whatever `embed` throws
   */
  static async fit(
    topics: readonly TopicExamples[],
    embed: Embed,
    background: readonly string[] = [],
  ): Promise<FewShotTopics> {
    const texts = topics.flatMap(({ examples }, label) => examples.map((text) => ({ text, label })));
    texts.push(...background.map((text) => ({ text, label: topics.length })));
    const vectors = await embed(texts.map(({ text }) => text));
    const lexicon = new Lexicon(texts.map(({ text }) => text));
    const classes = topics.length + (background.length > 0 ? 1 : 0);
    const rows = texts.map(({ text, label }) => ({ vector: lexicon.vector(text), label }));
    const size = lexicon.size;
    const joined = rows.map(({ vector, label }, at) => ({ vector: join(vector, vectors[at], size), label }));
    const inside = (_: unknown, at: number): boolean => (texts[at]?.label ?? classes) < topics.length;
    const words = rows.filter(inside).map(({ vector }) => vector);
    return new FewShotTopics(
      topics.map(({ name }) => name),
      lexicon,
      new Head(joined, classes, size + (vectors[0]?.length ?? 0), words, vectors.filter(inside), WITH_VECTOR),
      new Head(rows, classes, size, words, [], LEXICAL_ONLY),
    );
  }

  /** Keeps the vector of a text that may soon be classified. The oldest is forgotten. */
  remember(text: string, vector: Float32Array): void {
    this.#vectors.delete(text);
    this.#vectors.set(text, vector);
    for (const oldest of this.#vectors.keys()) {
      if (this.#vectors.size <= REMEMBERED) return;
      this.#vectors.delete(oldest);
    }
  }

  /** The topics, best first. */
  classify(text: string): ScoredTopic[] {
    if (plainWords(text).length === 0) return this.#names.map((topic) => ({ topic, score: 0 }));
    const vector = this.#vectors.get(text);
    const words = this.#lexicon.vector(text);
    const head = vector ? this.#full : this.#lexical;
    const chances = head.judge(words, vector ? join(words, vector, this.#lexicon.size) : words, vector);
    const scored = this.#names.map((topic, at) => ({ topic, score: chances[at] ?? 0 }));
    return scored.sort((a, b) => b.score - a.score);
  }
}

/** A fitted regression and the examples it came from. */
class Head {
  readonly #weights: Float64Array;
  readonly #classes: number;
  readonly #words: readonly SparseVector[];
  readonly #vectors: readonly Float32Array[];
  readonly #calibration: Calibration;

  constructor(
    rows: readonly Row[],
    classes: number,
    size: number,
    words: readonly SparseVector[],
    vectors: readonly Float32Array[],
    calibration: Calibration,
  ) {
    this.#weights = regress(rows, classes, size, PENALTY);
    this.#classes = classes;
    this.#words = words;
    this.#vectors = vectors;
    this.#calibration = calibration;
  }

  /**
   * The chance that the text is in scope, shared out so that the best class keeps all of it: what is acted on is
   * the best topic, and several alike topics must not make a text out of scope.
   */
  judge(words: SparseVector, features: SparseVector, vector: Float32Array | undefined): Float64Array {
    const scores = scoresOf(this.#weights, this.#classes, features);
    const chances = softmax(scores);
    const best = Math.max(...chances);
    const { logit, near, alike, bias } = this.#calibration;
    const evidence =
      bias +
      logit * Math.max(...scores) +
      alike * nearest(this.#words, (example) => overlap(words, example) / 2) +
      near * (vector ? nearest(this.#vectors, (example) => dot(vector, example)) : 0);
    const inside = 1 / (1 + Math.exp(-evidence));
    return chances.map((chance) => (inside * chance) / best);
  }
}

function join(words: SparseVector, vector: Float32Array | undefined, first: number): SparseVector {
  if (!vector) return words;
  return {
    index: Int32Array.from([...words.index, ...Array.from(vector, (_, at) => first + at)]),
    value: Float64Array.from([...words.value, ...vector]),
  };
}

function nearest<T>(examples: readonly T[], likeness: (example: T) => number): number {
  let best = 0;
  for (const example of examples) best = Math.max(best, likeness(example));
  return best;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

/** Scalar product; the numbers of both ascend within their blocks, but not always, so one goes into a table. */
function overlap(a: SparseVector, b: SparseVector): number {
  const table = tableOf(a);
  let sum = 0;
  for (let at = 0; at < b.index.length; at++) sum += (table.get(b.index[at] ?? -1) ?? 0) * (b.value[at] ?? 0);
  return sum;
}

const tables = new WeakMap<SparseVector, Map<number, number>>();

function tableOf(vector: SparseVector): Map<number, number> {
  let table = tables.get(vector);
  if (!table) {
    table = new Map();
    for (let at = 0; at < vector.index.length; at++) table.set(vector.index[at] ?? -1, vector.value[at] ?? 0);
    tables.set(vector, table);
  }
  return table;
}
