/** Of a longer text only the beginning is read. */
const MAX_WORDS = 32;
const MAX_PIECES = 64;

const NUMBER = '#';
/** The number that stands for all in pieces. */
const ANY_NUMBER = '10';
/** Marks the start of a word among the pieces. */
const START = '\u2581';
/** What a letter that no piece has costs; more than any piece. */
const STRANGE = -30;

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
 * dropped, each run of numbers one "#". models/topics/text.py does exactly the same.
 */
export function plainWords(text: string): string[] {
  return spokenWords(text).map((word) => word.replaceAll("'", ''));
}

/** The same with apostrophes. */
function spokenWords(text: string): string[] {
  const plain = text
    .toLowerCase()
    .replace(/[\u2018\u2019`]/g, "'")
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '');
  const words: string[] = [];
  for (const found of plain.match(/(?:\p{L}|')+|\p{Nd}+/gu) ?? []) {
    const spoken = found.replace(/^'+|'+$/g, '');
    if (!spoken || FILLERS.has(spoken)) continue;
    const word = /^\p{Nd}/u.test(spoken) || NUMBER_WORDS.has(spoken) ? NUMBER : spoken;
    if (word !== NUMBER || words.at(-1) !== NUMBER) words.push(word);
  }
  return words.slice(0, MAX_WORDS);
}

/** Without what an apostrophe ties to it ("what's"); nothing is left of "don't" and its kin, which no meaning rests on. */
function stem(word: string): string {
  return word.endsWith("n't") ? '' : (word.split("'")[0] ?? '');
}

/** What the encoder reads of a text; neither list is empty. */
export interface EncoderNumbers {
  /** From 1; 0 is a letter that is in no piece. */
  pieces: number[];
  /** From 1; 0 is a word that is not known. */
  words: number[];
}

/** Where the best way to cut the letters up to some place comes from. */
interface Cut {
  score: number;
  start: number;
  piece: number;
}

/** Turns texts into the encoder's numbers: each word cut into its likeliest pieces (unigram: Kudo, 2018), and itself. */
export class Tokeniser {
  readonly #pieces = new Map<string, { number: number; score: number }>();
  readonly #words: ReadonlyMap<string, number>;
  readonly #longest: number;

  /**
   * @param pieces each with the logarithm of its probability, in the order of their numbers
   * @param words in the order of their numbers
   */
  constructor(pieces: readonly (readonly [piece: string, score: number])[], words: readonly string[]) {
    pieces.forEach(([piece, score], at) => {
      this.#pieces.set(piece, { number: at + 1, score });
    });
    this.#longest = Math.max(...pieces.map(([piece]) => piece.length));
    this.#words = new Map(words.map((word, at) => [word, at + 1]));
  }

  encode(text: string): EncoderNumbers {
    const words = spokenWords(text);
    const pieces = words.flatMap((word) => this.#cut(word === NUMBER ? ANY_NUMBER : word)).slice(0, MAX_PIECES);
    const known = words.map((word) => this.#words.get(stem(word)) ?? 0);
    return { pieces: pieces.length > 0 ? pieces : [0], words: known.length > 0 ? known : [0] };
  }

  #cut(word: string): number[] {
    const letters = [START, ...word];
    const best: Cut[] = letters.map(() => ({ score: Number.NEGATIVE_INFINITY, start: 0, piece: 0 }));
    best.unshift({ score: 0, start: 0, piece: 0 });
    letters.forEach((_, start) => {
      const before = best[start]?.score ?? 0;
      for (let end = start + 1; end <= Math.min(letters.length, start + this.#longest); end++) {
        const piece = this.#pieces.get(letters.slice(start, end).join(''));
        if (!piece && end > start + 1) continue;
        const score = before + (piece?.score ?? STRANGE);
        if (score > (best[end]?.score ?? 0)) best[end] = { score, start, piece: piece?.number ?? 0 };
      }
    });
    const numbers: number[] = [];
    for (let end = letters.length; end > 0; end = best[end]?.start ?? 0) numbers.unshift(best[end]?.piece ?? 0);
    return numbers;
  }
}
