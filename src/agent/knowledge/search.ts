import { isContentWord, stem, wordsOf } from '../language.js';
import type { Chunk } from './articles.js';

/** A chunk that fits a question. */
export interface Hit {
  chunk: Chunk;
  /** BM25 score; comparable within one search only. */
  score: number;
  /** Share of the question's content, weighted by rarity, that the chunk holds: 0 to 1. */
  coverage: number;
}

/** Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009). */
const K1 = 1.2;
const B = 0.6;
/** A word in a heading says what the chunk is about. */
const HEADING_WEIGHT = 2;
/** A question word that stands in no article says that the articles may not answer it. */
const UNKNOWN_IDF_SHARE = 0.7;

interface Entry {
  chunk: Chunk;
  counts: Map<string, number>;
  length: number;
}

/** Full-text search over the chunks of an agent: raw chunks in well under a millisecond, no summaries. */
export class KnowledgeIndex {
  readonly #entries: Entry[];
  readonly #idf = new Map<string, number>();
  readonly #meanLength: number;
  readonly #unknownIdf: number;

  constructor(chunks: readonly Chunk[]) {
    this.#entries = chunks.map(entryOf);
    const lengths = this.#entries.reduce((sum, entry) => sum + entry.length, 0);
    this.#meanLength = lengths / (this.#entries.length || 1);
    const documents = new Map<string, number>();
    for (const { counts } of this.#entries) {
      for (const term of counts.keys()) documents.set(term, (documents.get(term) ?? 0) + 1);
    }
    const total = this.#entries.length;
    for (const [term, count] of documents) this.#idf.set(term, Math.log(1 + (total - count + 0.5) / (count + 0.5)));
    this.#unknownIdf = Math.log(1 + (total + 0.5) / 0.5) * UNKNOWN_IDF_SHARE;
  }

  /**
   * The best chunks for a question.
   *
   * @param articles names to search in; all when not given
   */
  search(question: string, articles?: readonly string[], limit = 3): Hit[] {
    const terms = [...new Set(wordsOf(question).filter(isContentWord).map(stem))];
    const weight = terms.reduce((sum, term) => sum + (this.#idf.get(term) ?? this.#unknownIdf), 0);
    const hits: Hit[] = [];
    for (const entry of this.#entries) {
      if (articles && !articles.includes(entry.chunk.article)) continue;
      const { score, found } = this.#score(entry, terms);
      if (score > 0) hits.push({ chunk: entry.chunk, score, coverage: weight > 0 ? found / weight : 0 });
    }
    return hits.sort((a, b) => b.score - a.score).slice(0, limit);
  }

  /** The first chunk of an article: the answer when nothing in the question points to another. */
  first(articles: readonly string[]): Chunk | undefined {
    return this.#entries.find((entry) => articles.includes(entry.chunk.article))?.chunk;
  }

  #score({ counts, length }: Entry, terms: readonly string[]): { score: number; found: number } {
    let score = 0;
    let found = 0;
    for (const term of terms) {
      const count = counts.get(term);
      if (count === undefined) continue;
      const idf = this.#idf.get(term) ?? 0;
      found += idf;
      score += (idf * count * (K1 + 1)) / (count + K1 * (1 - B + (B * length) / this.#meanLength));
    }
    return { score, found };
  }
}

function entryOf(chunk: Chunk): Entry {
  const counts = new Map<string, number>();
  const add = (text: string, weight: number): number => {
    const terms = wordsOf(text).map(stem);
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + weight);
    return terms.length;
  };
  for (const heading of chunk.headings) add(heading, HEADING_WEIGHT);
  return { chunk, counts, length: chunk.sentences.reduce((sum, sentence) => sum + add(sentence, 1), 0) };
}
