/** Numbers per word: the word itself, then its groups of letters, padded with 0. */
export const NUMBERS_PER_WORD = 12;
/** Of a longer text only the beginning is read. */
export const MAX_WORDS = 32;

const PADDING = 0;
const UNKNOWN = 1;
const NUMBER = '#';

/** Said while thinking; they carry nothing. */
const FILLERS = new Set('um uh uhm umm er erm hm hmm mm mhm ah eh'.split(' '));

/** Written as digits by one recogniser and as words by another. "one" is left out: it is a pronoun as often. */
const NUMBER_WORDS = new Set(
  'zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand'.split(
    ' ',
  ),
);

/**
 * The words of a text as the language models read them: small letters without accents or apostrophes, fillers
 * dropped, each run of numbers one "#". models/topics/text.py does exactly the same in training.
 */
export function plainWords(text: string): string[] {
  const plain = text
    .toLowerCase()
    .normalize('NFD')
    .replace(/['\u2018\u2019`]|\p{Mn}/gu, '');
  const words: string[] = [];
  for (const found of plain.match(/\p{L}+|\p{Nd}+/gu) ?? []) {
    if (FILLERS.has(found)) continue;
    const word = /^\p{Nd}/u.test(found) || NUMBER_WORDS.has(found) ? NUMBER : found;
    if (word !== NUMBER || words.at(-1) !== NUMBER) words.push(word);
  }
  return words.slice(0, MAX_WORDS);
}

/** FNV-1a of 32 bits over UTF-16 code units. */
function hashOf(letters: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < letters.length; at++) value = Math.imul(value ^ letters.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

/** Groups of four letters with the word's ends marked; of three for short words. */
function groupsOf(word: string): string[] {
  const letters = [...`<${word}>`];
  const size = letters.length > 5 ? 4 : 3;
  return letters.slice(0, letters.length - size + 1).map((_, at) => letters.slice(at, at + size).join(''));
}

/** Turns texts into the encoder's numbers: 0 padding, 1 an unknown word, then the vocabulary, then letter groups. */
export class Tokeniser {
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #firstBucket: number;
  readonly #buckets: number;

  /** @param buckets how many numbers the letter groups are hashed to */
  constructor(vocabulary: readonly string[], buckets: number) {
    this.#numbers = new Map(vocabulary.map((word, at) => [word, at + 2]));
    this.#firstBucket = 2 + vocabulary.length;
    this.#buckets = buckets;
  }

  /** One row of {@link NUMBERS_PER_WORD} per word, end to end; a text without words is one unknown word. */
  encode(text: string): number[] {
    const words = plainWords(text);
    if (words.length === 0) return [UNKNOWN, ...Array<number>(NUMBERS_PER_WORD - 1).fill(PADDING)];
    return words.flatMap((word) => this.#row(word));
  }

  #row(word: string): number[] {
    const groups = word === NUMBER ? [] : groupsOf(word);
    const row = [this.#numbers.get(word) ?? UNKNOWN];
    for (const group of groups) row.push(this.#firstBucket + (hashOf(group) % this.#buckets));
    while (row.length < NUMBERS_PER_WORD) row.push(PADDING);
    return row.slice(0, NUMBERS_PER_WORD);
  }
}
