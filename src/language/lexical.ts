import { plainWords } from './tokeniser.js';

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

  constructor(readonly texts: readonly string[]) {
    const documents = texts.map(plainWords);
    this.#words = new Block(documents.map(wordFeatures));
    this.#letters = new Block(documents.map(letterFeatures));
  }

  /** Likeness of a text to each example, from 0 to 2. */
  likeness(text: string): Float32Array {
    const words = plainWords(text);
    const sums = new Float32Array(this.texts.length);
    this.#words.addLikeness(sums, wordFeatures(words));
    this.#letters.addLikeness(sums, letterFeatures(words));
    return sums;
  }
}

type Counts = Map<string, number>;

/** A feature's rarity, and the examples that have it with its value in each. */
interface Posting {
  idf: number;
  rows: number[];
  values: number[];
}

class Block {
  readonly #postings = new Map<string, Posting>();

  constructor(documents: readonly Counts[]) {
    const counts: Counts = new Map();
    for (const document of documents) for (const name of document.keys()) count(counts, name);
    for (const [name, times] of counts) {
      const idf = Math.log((1 + documents.length) / (1 + times)) + 1;
      this.#postings.set(name, { idf, rows: [], values: [] });
    }
    documents.forEach((document, row) => {
      for (const [posting, value] of this.#terms(document)) {
        posting.rows.push(row);
        posting.values.push(value);
      }
    });
  }

  /** Adds the scalar product with each example; features that no example has are left out. */
  addLikeness(sums: Float32Array, features: Counts): void {
    for (const [{ rows, values }, value] of this.#terms(features)) {
      for (let at = 0; at < rows.length; at++) {
        const row = rows[at] ?? 0;
        sums[row] = (sums[row] ?? 0) + value * (values[at] ?? 0);
      }
    }
  }

  /** The known features with values that make a vector of unit length. */
  #terms(features: Counts): [Posting, number][] {
    const terms: [Posting, number][] = [];
    let squares = 0;
    for (const [name, times] of features) {
      const posting = this.#postings.get(name);
      if (!posting) continue;
      const term = (1 + Math.log(times)) * posting.idf;
      terms.push([posting, term]);
      squares += term * term;
    }
    const length = Math.sqrt(squares) || 1;
    return terms.map(([posting, term]) => [posting, term / length]);
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
