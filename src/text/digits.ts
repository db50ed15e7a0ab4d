/*
 * Digits as callers say them and as recognisers write them: "four eight two", "forty eight twenty seven", "double oh",
 * "48-27", and the words that small recognisers write instead of digits ("for", "to", "ate").
 */

/** A stretch of text that says digits, with nothing else between them. */
export interface DigitRun {
  digits: string;
  /** Character offsets in the text: first, and after the last. */
  start: number;
  end: number;
}

/** What helps to read doubtful words. */
export interface DigitOptions {
  /** Numbers of digits that would make the value whole: a doubtful word at the edge counts when it makes one of them. */
  lengths?: readonly number[];
  /** Digits were asked for: a text that is nothing but doubtful words is read as digits. */
  asked?: boolean;
}

interface Token {
  word: string;
  start: number;
  end: number;
}

interface Element extends DigitRun {
  /** A word that is a digit only beside other digits. */
  doubtful: boolean;
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ zero: 0, nought: 0, naught: 0, nil: 0 },
  ...{ one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, niner: 9 },
};
const TEENS: Readonly<Record<string, number>> = {
  ...{ ten: 10, eleven: 11, twelve: 12, thirteen: 13, fourteen: 14, fifteen: 15 },
  ...{ sixteen: 16, seventeen: 17, eighteen: 18, nineteen: 19 },
};
const TENS: Readonly<Record<string, number>> = {
  ...{ twenty: 20, thirty: 30, forty: 40, fourty: 40, fifty: 50, sixty: 60, seventy: 70, eighty: 80, ninety: 90 },
};
const TIMES: Readonly<Record<string, number>> = { double: 2, triple: 3, treble: 3, quadruple: 4 };
const DOUBTFUL: Readonly<Record<string, number>> = {
  ...{ oh: 0, o: 0, owe: 0, won: 1, to: 2, too: 2, tree: 3, free: 3, for: 4, fore: 4, fife: 5 },
  ...{ sex: 6, sicks: 6, ate: 8, hate: 8, nein: 9 },
};
/** Words that may stand between the digits of one number. */
const JOINTS = new Set('um uh er erm hm and then dash hyphen minus space comma slash'.split(' '));
/** "one" is no digit after or before these. */
const BEFORE_ONE = new Set('this that the which no any another other each every only first last'.split(' '));
const AFTER_ONE = new Set('of more moment second minute thing question other day who that'.split(' '));

/** Every digit said in a text, joined. Empty when there is none. */
export function digitsIn(text: string, options: DigitOptions = {}): string {
  return digitRuns(text, options)
    .map((run) => run.digits)
    .join('');
}

/** The stretches of a text that say digits. */
export function digitRuns(text: string, options: DigitOptions = {}): DigitRun[] {
  const tokens = tokenise(text);
  const runs = groupElements(tokens).map((elements) => {
    const whole = tokens.every(
      ({ word, start, end }) => JOINTS.has(word) || elements.some((e) => start >= e.start && end <= e.end),
    );
    return joinRun(elements, whole, options);
  });
  return runs.filter((run) => run !== undefined);
}

function tokenise(text: string): Token[] {
  const matches = text.toLowerCase().matchAll(/\d+(?:st|nd|rd|th)\b|\d+|[a-z]+(?:'[a-z]+)?/g);
  return [...matches].map((match) => ({ word: match[0], start: match.index, end: match.index + match[0].length }));
}

/** Elements with only joints between them, together. */
function groupElements(tokens: readonly Token[]): Element[][] {
  const groups: Element[][] = [];
  let open: Element[] | undefined;
  for (let at = 0; at < tokens.length; ) {
    const read = readElement(tokens, at);
    if (read) {
      if (!open) {
        open = [];
        groups.push(open);
      }
      open.push(read.element);
      at += read.count;
    } else {
      if (!JOINTS.has(tokens[at]?.word ?? '')) open = undefined;
      at++;
    }
  }
  return groups;
}

function readElement(tokens: readonly Token[], at: number): { element: Element; count: number } | undefined {
  const word = tokens[at]?.word ?? '';
  const make = (digits: string, count: number, doubtful = false): { element: Element; count: number } => {
    const start = tokens[at]?.start ?? 0;
    return { element: { digits, start, end: tokens[at + count - 1]?.end ?? start, doubtful }, count };
  };
  if (/^\d+$/.test(word)) return make(word, 1);
  const times = own(TIMES, word);
  if (times !== undefined) {
    const next = tokens[at + 1]?.word ?? '';
    const digit = /^\d$/.test(next) ? next : (own(UNITS, next) ?? own(DOUBTFUL, next));
    return digit === undefined ? undefined : make(String(digit).repeat(times), 2);
  }
  if (word === 'one' && isPronoun(tokens, at)) return undefined;
  const number = readCardinal(tokens, at);
  if (number) return make(number.digits, number.count);
  const doubtful = own(DOUBTFUL, word);
  return doubtful === undefined ? undefined : make(String(doubtful), 1, true);
}

function isPronoun(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1]?.word ?? '';
  const after = tokens[at + 1]?.word ?? '';
  if (AFTER_ONE.has(after)) return true;
  return BEFORE_ONE.has(before) && !readCardinal(tokens, at + 1) && !/^\d+$/.test(after);
}

/** One to ninety-nine, then hundreds and thousands of them: "four hundred and twelve" is 412. */
function readCardinal(tokens: readonly Token[], at: number): { digits: string; count: number } | undefined {
  const first = readBelowHundred(tokens, at);
  if (!first) return undefined;
  let { value, count } = first;
  let scale = 100;
  const unit = tokens[at + count]?.word;
  if (value === 0 || (unit !== 'hundred' && unit !== 'thousand')) return { digits: String(value), count };
  if (unit === 'thousand') scale = 1000;
  value *= scale;
  count++;
  const joint = tokens[at + count]?.word === 'and' ? 1 : 0;
  const rest = scale === 1000 ? readCardinal(tokens, at + count + joint) : readBelowHundred(tokens, at + count + joint);
  const added = rest === undefined ? undefined : 'value' in rest ? rest.value : Number(rest.digits);
  if (rest && added !== undefined && added > 0 && added < scale)
    return { digits: String(value + added), count: count + joint + rest.count };
  return { digits: String(value), count };
}

function readBelowHundred(tokens: readonly Token[], at: number): { value: number; count: number } | undefined {
  const word = tokens[at]?.word ?? '';
  const small = own(UNITS, word) ?? own(TEENS, word);
  if (small !== undefined) return { value: small, count: 1 };
  const tens = own(TENS, word);
  if (tens === undefined) return undefined;
  const unit = own(UNITS, tokens[at + 1]?.word ?? '') ?? 0;
  return unit > 0 ? { value: tens + unit, count: 2 } : { value: tens, count: 1 };
}

/** Doubtful words count between certain ones; at the edges, when the length says so or the text is nothing else. */
function joinRun(elements: readonly Element[], whole: boolean, options: DigitOptions): DigitRun | undefined {
  const first = elements.findIndex((element) => !element.doubtful);
  if (first < 0 && !(options.asked && whole)) return undefined;
  const last = elements.findLastIndex((element) => !element.doubtful);
  const choices = [
    elements.slice(Math.max(0, first), first < 0 ? undefined : last + 1),
    elements.slice(Math.max(0, first)),
    elements.slice(0, first < 0 ? undefined : last + 1),
    elements,
  ].map(merge);
  const fitting = choices.find((run) => options.lengths?.includes(run.digits.length));
  if (fitting) return fitting;
  if (whole) return merge(elements);
  // "oh" straight before a digit is a zero; "for" and "to" before digits are words.
  const zeros = elements.slice(0, first).findLastIndex((element) => element.digits !== '0');
  return merge(elements.slice(zeros + 1, last + 1));
}

function merge(elements: readonly Element[]): DigitRun {
  const digits = elements.map((element) => element.digits).join('');
  return { digits, start: elements[0]?.start ?? 0, end: elements.at(-1)?.end ?? 0 };
}

function own(table: Readonly<Record<string, number>>, word: string): number | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}
