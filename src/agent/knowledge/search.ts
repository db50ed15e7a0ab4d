import { isSearchWord, stem, wordsOf } from '../language.js';
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
/** Rarity of a term that stands in half of the chunks. */
const HALF = Math.log(2);

type Counts = ReadonlyMap<string, number>;

interface Entry {
  chunk: Chunk;
  /** Weighted terms of the chunk and its own headings. */
  counts: Counts;
  /** The same with the article's title, which all its chunks share. */
  all: Counts;
  length: number;
}

/** Full-text search over the chunks of an agent: raw chunks in well under a millisecond, no summaries. */
export class KnowledgeIndex {
  readonly #entries: Entry[];
  readonly #idf: ReadonlyMap<string, number>;
  readonly #meanLength: number;
  readonly #unknownIdf: number;

  constructor(chunks: readonly Chunk[]) {
    this.#entries = chunks.map(entryOf);
    const lengths = this.#entries.reduce((sum, entry) => sum + entry.length, 0);
    this.#meanLength = lengths / (this.#entries.length || 1);
    const total = this.#entries.length;
    this.#idf = rarities(this.#entries.map(({ all }) => all));
    this.#unknownIdf = Math.log(1 + (total + 0.5) / 0.5) * UNKNOWN_IDF_SHARE;
  }

  /**
   * The best chunks for a question.
   *
   * @param articles names to search in; all when not given
   */
  search(question: string, articles?: readonly string[], limit = 3): Hit[] {
    const terms = [...new Set(wordsOf(question).filter(isSearchWord).map(stem))];
    const weight = terms.reduce((sum, term) => sum + (this.#idf.get(term) ?? this.#unknownIdf), 0);
    const entries = articles ? this.#entries.filter(({ chunk }) => articles.includes(chunk.article)) : this.#entries;
    // Within a few articles, a word that stands in most chunks points to none of them, and neither does the title.
    const idf = articles ? pointing(rarities(entries.map(({ counts }) => counts))) : this.#idf;
    const hits: Hit[] = [];
    for (const entry of entries) {
      const score = this.#score(articles ? entry.counts : entry.all, entry.length, terms, idf);
      const found = terms.reduce((sum, term) => sum + (entry.all.has(term) ? (this.#idf.get(term) ?? 0) : 0), 0);
      if (score > 0) hits.push({ chunk: entry.chunk, score, coverage: weight > 0 ? found / weight : 0 });
    }
    return hits.sort((a, b) => b.score - a.score).slice(0, limit);
  }

  /** The chunk of some articles that answers best: their first, when nothing in the question points to another. */
  best(question: string, articles: readonly string[]): Chunk | undefined {
    const [hit] = this.search(question, articles, 1);
    if (hit) return hit.chunk;
    return this.#entries.find((entry) => articles.includes(entry.chunk.article))?.chunk;
  }

  #score(counts: Counts, length: number, terms: readonly string[], idf: ReadonlyMap<string, number>): number {
    const norm = K1 * (1 - B + (B * length) / this.#meanLength);
    let score = 0;
    for (const term of terms) {
      const count = counts.get(term);
      if (count !== undefined) score += ((idf.get(term) ?? 0) * count * (K1 + 1)) / (count + norm);
    }
    return score;
  }
}

/** Inverse document frequency of every term. */
function rarities(documents: readonly Counts[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const document of documents) for (const term of document.keys()) counts.set(term, (counts.get(term) ?? 0) + 1);
  const total = documents.length;
  return new Map([...counts].map(([term, count]) => [term, Math.log(1 + (total - count + 0.5) / (count + 0.5))]));
}

/** Only the terms that stand in at most half of the chunks. */
function pointing(idf: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...idf].filter(([, rarity]) => rarity >= HALF));
}

function entryOf(chunk: Chunk): Entry {
  const [title = '', ...headings] = chunk.headings;
  const counts = new Map<string, number>();
  for (const heading of headings) addTerms(counts, heading, HEADING_WEIGHT);
  const length = chunk.sentences.reduce((sum, sentence) => sum + addTerms(counts, sentence, 1), 0);
  const all = new Map(counts);
  addTerms(all, title, HEADING_WEIGHT);
  return { chunk, counts, all, length };
}

function addTerms(counts: Map<string, number>, text: string, weight: number): number {
  const terms = wordsOf(text).map(stem);
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + weight);
  return terms.length;
}
