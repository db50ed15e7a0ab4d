import { isContentWord, stem, wordsOf } from '../language.js';
import type { Chunk } from './articles.js';

/** An answer by telephone is at most this long. */
const MAX_SENTENCES = 3;

/**
 * What to say of a chunk: all of a short one; of a long one the sentence that fits the question best and what follows.
 */
export function answerFrom(chunk: Chunk, question: string): string {
  if (chunk.sentences.length <= MAX_SENTENCES) return chunk.sentences.join(' ');
  const asked = new Set(wordsOf(question).filter(isContentWord).map(stem));
  const fits = chunk.sentences.map((sentence) => new Set(wordsOf(sentence).map(stem)));
  const shared = fits.map((stems) => [...asked].filter((term) => stems.has(term)).length);
  const best = shared.indexOf(Math.max(...shared));
  const from = Math.min(best, chunk.sentences.length - MAX_SENTENCES);
  return chunk.sentences.slice(from, from + MAX_SENTENCES).join(' ');
}
