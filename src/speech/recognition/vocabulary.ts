import { createHash } from 'node:crypto';

/**
 * What callers of one agent can be expected to say: its phrases, names and words. A plain object that crosses threads
 * as it is; a recogniser makes what it needs of it once per `id`.
 */
export interface Vocabulary {
  /** The same for the same phrases. */
  readonly id: string;
  /** As they would be written within a sentence: without a capital at the beginning or a mark at the end. */
  readonly phrases: readonly string[];
}

/** Longer ones are no phrases; what callers say of them is caught by their words. */
const MOST_WORDS = 14;
/** Beyond this the search for what may have been misheard costs more than a millisecond or two. */
const MOST_PHRASES = 600;

/**
 * Makes a vocabulary of phrases as an author writes them: "I want a refund", "Hillside Clinic", "order-status". Doubles,
 * and phrases with nothing to hear in them, are left out; so is what comes after the 600th.
 */
export function buildVocabulary(phrases: readonly string[]): Vocabulary {
  const unique = new Map<string, string>();
  for (const phrase of phrases) {
    const tidy = tidied(phrase);
    const count = wordsOf(tidy).length;
    if (count === 0 || count > MOST_WORDS || unique.size >= MOST_PHRASES) continue;
    const key = wordsOf(tidy).join(' ');
    if (!unique.has(key)) unique.set(key, tidy);
  }
  const kept = [...unique.values()];
  return { id: createHash('sha256').update(kept.join('\n')).digest('base64url').slice(0, 22), phrases: kept };
}

function tidied(phrase: string): string {
  const text = phrase
    .replace(/[’`]/g, "'")
    .replace(/[_/|]+/g, ' ')
    .replace(/[^\p{L}\p{N}' .,@-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/\bi(?=$| |')/g, 'I')
    .replace(/^[\s.,'-]+|[\s,'-]+$|(?<!\.[a-z])\.$/gi, '')
    .trim();
  // A sentence's capital, unless other words show that the author wrote a name.
  return /^[A-Z][a-z']* /.test(text) && !/^I\b/.test(text) && !/ (?!I\b)[A-Z]/.test(text)
    ? text.charAt(0).toLowerCase() + text.slice(1)
    : text;
}

/** The words of a text as they are compared: small letters, apostrophes kept inside. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

/** A word in a text. */
export const WORD = /[\p{L}\p{N}]+(?:'[\p{L}]+)*/gu;
