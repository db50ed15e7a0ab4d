import { plainWords } from './tokeniser.js';

/** A sparse vector: which numbers, and their values. */
export interface SparseVector {
  index: Int32Array;
  value: Float64Array;
}

/** Sizes of the letter groups. */
const SHORTEST = 2;
const LONGEST = 5;

/**
 * TF-IDF of the words and pairs of words, and of the letter groups inside words: two blocks of unit length each,
 * so that an inflected or misheard word still counts for most of what it is.
 */
export class Lexicon {
  readonly #words: Block;
  readonly #letters: Block;

  constructor(texts: readonly string[]) {
    const documents = texts.map(plainWords);
    this.#words = new Block(documents.map(wordFeatures), 0);
    this.#letters = new Block(documents.map(letterFeatures), this.#words.size);
  }

  /** How many numbers there are. */
  get size(): number {
    return this.#words.size + this.#letters.size;
  }

  /** What the examples never had is left out. */
  vector(text: string): SparseVector {
    const words = plainWords(text);
    const parts = [this.#words.vector(wordFeatures(words)), this.#letters.vector(letterFeatures(words))];
    return {
      index: Int32Array.from(parts.flatMap(({ index }) => index)),
      value: Float64Array.from(parts.flatMap(({ value }) => value)),
    };
  }
}

type Counts = Map<string, number>;

class Block {
  readonly #numbers = new Map<string, number>();
  readonly #idf: number[] = [];
  readonly #first: number;

  constructor(documents: readonly Counts[], first: number) {
    this.#first = first;
    const counts: Counts = new Map();
    for (const document of documents) for (const name of document.keys()) count(counts, name);
    for (const [name, times] of counts) {
      this.#numbers.set(name, this.#idf.length);
      this.#idf.push(Math.log((1 + documents.length) / (1 + times)) + 1);
    }
  }

  get size(): number {
    return this.#idf.length;
  }

  vector(features: Counts): { index: number[]; value: number[] } {
    const index: number[] = [];
    const value: number[] = [];
    let squares = 0;
    for (const [name, times] of features) {
      const number = this.#numbers.get(name);
      if (number === undefined) continue;
      const term = (1 + Math.log(times)) * (this.#idf[number] ?? 0);
      index.push(this.#first + number);
      value.push(term);
      squares += term * term;
    }
    const length = Math.sqrt(squares) || 1;
    return { index, value: value.map((term) => term / length) };
  }
}

function count(counts: Counts, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function wordFeatures(words: readonly string[]): Counts {
  const features: Counts = new Map();
  words.forEach((word, at) => {
    count(features, word);
    const next = words[at + 1];
    if (next !== undefined) count(features, `${word} ${next}`);
  });
  return features;
}

function letterFeatures(words: readonly string[]): Counts {
  const features: Counts = new Map();
  for (const word of words) {
    const padded = ` ${word} `;
    for (let size = SHORTEST; size <= LONGEST; size++) {
      for (let at = 0; at + size <= padded.length; at++) count(features, padded.slice(at, at + size));
    }
  }
  return features;
}
