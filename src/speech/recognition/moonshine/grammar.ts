import type { ExpectedAnswer } from '../../../text/expected.js';
import { END } from './model.js';
import { textOf, tokensOf } from './tokens.js';

interface Node {
  next: Map<number, Node>;
  /** A word ends here. */
  word: boolean;
  numeral: boolean;
}

const PUNCTUATION = [',', '.', '-', '?', '!'];
const NUMERALS = [...'0123456789'];
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
const DIGITS = 'zero oh one two three four five six seven eight nine double triple'.split(' ');
const TEENS_AND_TENS = (
  'ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen ' +
  'twenty thirty forty fifty sixty seventy eighty ninety hundred thousand'
).split(' ');
/** What people say round a number or a spelling; alone they answer nothing. */
const CARRIERS = "it's is my the number order yes um uh so that's and dash hyphen slash".split(' ');
/** ICAO spelling alphabet. */
const SPELLING_ALPHABET = (
  'alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike ' +
  'november oscar papa quebec romeo sierra tango uniform victor whiskey x-ray yankee zulu'
).split(' ');
const YES_NO =
  'yes yeah yep yup sure correct right okay ok absolutely exactly definitely no nope nah uh-huh mm-hmm wrong'.split(
    ' ',
  );
const DAYS_AND_MONTHS = (
  'Monday Tuesday Wednesday Thursday Friday Saturday Sunday ' +
  'January February March April May June July August September October November December'
).split(' ');
const ORDINALS = (
  'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth ' +
  'sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth ' +
  'twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first'
).split(' ');
const NUMBERED = Array.from({ length: 31 }, (_, at) => `${at + 1}${suffix(at + 1)}`);
const NEAR_DAYS = 'today tonight tomorrow morning afternoon evening weekend week weeks month days'.split(' ');
const DATE_CARRIERS = (
  'the of on in next this after for at from now coming a day two three four five six seven eight nine ten ' +
  'please maybe how about um uh yes okay or and'
).split(' ');
const COURTESIES = "please thanks thank you that's it's that is of course not".split(' ');

/**
 * The word sequences that an expected answer is usually made of, as a trie of tokens: which token may come next.
 * Words may follow each other in any order with punctuation between them.
 */
export class Grammar {
  private readonly spaced: Node = node();
  /** Words written without a space before them: after punctuation, and a numeral after a numeral. */
  private readonly glued: Node = node();
  private readonly punctuation: readonly number[];
  private readonly core: ReadonlySet<string>;

  /**
   * @param core words of which an answer has at least one
   * @param others words that may stand round them
   * @param lean how much less likely, in nats over the whole utterance, an answer in these words may be than a free
   *   one and still be believed: the logarithm of its prior odds
   */
  constructor(
    core: readonly string[],
    others: readonly string[],
    readonly lean: number,
  ) {
    this.core = new Set(core.map((word) => word.toLowerCase()));
    this.punctuation = PUNCTUATION.flatMap((mark) => tokensOf(mark, false));
    for (const word of [...core, ...others]) {
      for (const written of new Set([word, word.charAt(0).toUpperCase() + word.slice(1)])) {
        insert(this.spaced, tokensOf(written, true), /^\d$/.test(word));
        insert(this.glued, tokensOf(written, false), /^\d$/.test(word));
      }
    }
  }

  /** Whether the tokens are whole words of this grammar, one of the core among them. */
  accepts(tokens: readonly number[]): boolean {
    if (!this.walk(tokens)?.at.word) return false;
    const words = textOf(tokens)
      .toLowerCase()
      .split(/[\s,.?!]+/);
    return words.some(
      (word) => this.core.has(word) || word.split('-').some((part) => this.core.has(part)) || /\d/.test(word),
    );
  }

  /** How many of the tokens, from the first on, this grammar allows. */
  prefix(tokens: readonly number[]): number {
    let length = tokens.length;
    while (length > 0 && !this.walk(tokens.slice(0, length))) length--;
    return length;
  }

  /** The tokens that may follow; the end among them after a whole word. */
  allowed(tokens: readonly number[]): Set<number> {
    const state = this.walk(tokens);
    const allowed = new Set<number>();
    if (!state) return allowed.add(END);
    for (const root of this.continuations(state)) for (const token of root.next.keys()) allowed.add(token);
    if (state.at.word) for (const token of [...this.punctuation, END]) allowed.add(token);
    return allowed;
  }

  /** Where in the tries the next token may be looked up, given where the last one led. */
  private continuations({ at, punctuated }: State): Node[] {
    if (at === this.spaced) return [this.spaced];
    if (!at.word) return [at];
    if (punctuated) return [this.spaced, this.glued];
    return at.numeral ? [at, this.spaced, this.numerals()] : [at, this.spaced];
  }

  private numerals(): Node {
    return { ...node(), next: new Map([...this.glued.next].filter(([, next]) => next.numeral)) };
  }

  private walk(tokens: readonly number[]): State | undefined {
    let state: State = { at: this.spaced, punctuated: false };
    for (const token of tokens) {
      const next: Node | undefined = this.continuations(state)
        .map((root) => root.next.get(token))
        .find((found) => found !== undefined);
      if (next) state = { at: next, punctuated: false };
      else if (state.at.word && this.punctuation.includes(token)) state = { at: state.at, punctuated: true };
      else return undefined;
    }
    return state;
  }
}

interface State {
  at: Node;
  punctuated: boolean;
}

function node(): Node {
  return { next: new Map(), word: false, numeral: false };
}

function insert(root: Node, tokens: readonly number[], numeral: boolean): void {
  let at = root;
  for (const token of tokens) {
    let next = at.next.get(token);
    if (!next) {
      next = node();
      at.next.set(token, next);
    }
    at = next;
  }
  at.word = true;
  at.numeral = numeral;
}

const made = new Map<ExpectedAnswer['kind'], Grammar | undefined>();

function suffix(day: number): string {
  if (day >= 11 && day <= 13) return 'th';
  return ['th', 'st', 'nd', 'rd'][day % 10] ?? 'th';
}

/** The grammar of an expected answer; none for answers whose words are open (names, e-mail addresses). */
export function grammarOf(expected: ExpectedAnswer | undefined): Grammar | undefined {
  if (!expected) return undefined;
  if (!made.has(expected.kind)) made.set(expected.kind, makeGrammar(expected.kind));
  return made.get(expected.kind);
}

/*
 * The leans were set on spoken digits, letters and other sentences at 8 kHz: with 4 nats, of 44 spoken digits and digit
 * strings 39 are exact instead of 32 without, and no sentence loses its meaning; "yes" and "no" are short and near many other
 * words, so they get less.
 */
function makeGrammar(kind: ExpectedAnswer['kind']): Grammar | undefined {
  if (kind === 'digits') return new Grammar([...DIGITS, ...NUMERALS, ...TEENS_AND_TENS], CARRIERS, 4);
  if (kind === 'spelling') {
    return new Grammar([...LETTERS, ...SPELLING_ALPHABET, ...DIGITS, ...NUMERALS], CARRIERS, 4);
  }
  if (kind === 'date') {
    return new Grammar([...DAYS_AND_MONTHS, ...ORDINALS, ...NUMBERED, ...NEAR_DAYS, ...NUMERALS], DATE_CARRIERS, 4);
  }
  if (kind === 'yes-no') return new Grammar(YES_NO, COURTESIES, 2);
  return undefined;
}
