import { ownsStop } from '../../text/abbreviations.js';
import type { Lexicon } from './lexicon.js';
import { readAbbreviation, readAcronym } from './readings/abbreviations.js';
import { readAddress } from './readings/addresses.js';
import { readDate, readFullHour } from './readings/dates.js';
import { readFraction, readNumber, readUnit, spellMixed } from './readings/numbers.js';
import { findPhones, readPhone } from './readings/phones.js';
import type { Word } from './readings/word.js';

/** A text as it is to be spoken, and where each spoken word comes from. */
export interface SpokenText {
  /** Plain words and punctuation, separated by single spaces. Every word has a letter; none has a digit. */
  spoken: string;
  /** For each word of `spoken`, the index in `words` of the written word it speaks. Never decreases. */
  origin: number[];
  /** The words as written, separated at whitespace. */
  words: string[];
}

/** Stands for a character that is not spoken, so that positions stay those of the written text. */
const NOTHING = '\uE000';
const LINK = /\[([^\]]*)\]\([^)\s]*\)/g;
const UNSPOKEN = [
  // Markup, in SSML and HTML, and in Markdown: headings, list bullets, emphasis, code.
  /<\/?[a-z!?][^<>]*>/gi,
  /^[ \t]*(?:#{1,6}|[-*•])(?=[ \t])/gm,
  /\*+|`+|~~+|(?<![\w])_+(?=\w)|(?<=\w)_+(?![\w])/g,
  // Emoji with their modifiers, flags, variation selectors, joiners and keycaps; control and private characters.
  /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\p{Variation_Selector}|\p{Cf}|\u{20E3}/gu,
  /(?!\s)[\p{Cc}\p{Co}\p{Cn}\p{Cs}]/gu,
];

const OPENERS = /^["'“”‘’«([{<>]+(?=.)/u;
const CLOSERS = /["'“”’»)\]}>.,;:!?…]+$/u;
/** Signs that are words when they stand alone. */
const LONE_SIGNS = new Map(
  Object.entries({
    '&': 'and',
    '+': 'plus',
    '=': 'equals',
    '@': 'at',
    '%': 'percent',
    '#': 'number',
  }),
);

interface Piece {
  core: string;
  /** What followed the core: a mark of punctuation for the voice, or ''. */
  mark: string;
  dotted: boolean;
  phone: boolean;
}

/**
 * Writes a text out as it is to be spoken: numbers, money, dates, times, telephone and order numbers, addresses,
 * abbreviations and acronyms become words; emoji and markup go. Words of the pronunciation dictionary are said as it
 * tells, before any other rule.
 *
 * @example
 * normalise('UA 482 is $49.99').spoken // 'you ay four eight two is forty-nine dollars and ninety-nine cents'
 */
export function normalise(text: string, lexicon?: Lexicon): SpokenText {
  const spans = [...text.matchAll(/\S+/g)];
  const pieces = analyse(text, spans);
  const cores = pieces.map(({ core }) => core);
  const lower = cores.map((core) => core.toLowerCase());
  const shouting = !/\p{Ll}/u.test(text) && cores.filter((core) => /^[A-Z]{2,}$/.test(core)).length > 2;
  const out: { word: string; origin: number }[] = [];
  for (let at = 0; at < pieces.length; at++) {
    const entry = lexicon?.match(cores, at);
    const covered = entry?.words ?? 1;
    const said = entry?.say ?? read(pieces, lower, at, shouting);
    const spoken = lexicon && !entry ? applyToSpoken(said, lexicon) : said;
    emit(out, spoken, at, covered);
    at += covered - 1;
    if (out.length > 0) out.at(-1)!.word = punctuate(out.at(-1)!.word, pieces[at]!, at === pieces.length - 1);
  }
  return {
    spoken: out.map(({ word }) => word).join(' '),
    origin: out.map(({ origin }) => origin),
    words: spans.map(([word]) => word),
  };
}

/** Takes away what is not spoken, keeping every position, and finds core and punctuation of each written word. */
function analyse(text: string, spans: readonly RegExpExecArray[]): Piece[] {
  const blank = (part: string) => NOTHING.repeat(part.length);
  let clean = text.replace(LINK, (link, label: string) => blank('[') + label + blank(link.slice(label.length + 1)));
  for (const pattern of UNSPOKEN) clean = clean.replace(pattern, (part) => part.replace(/\S+/g, blank));
  const phones = findPhones(clean);
  const isPhone = (start: number, end: number) => phones.some((phone) => phone.start < end && phone.end > start);
  return spans.map((span, index) => {
    const [start, end] = [span.index, span.index + span[0].length];
    const bare = clean.slice(start, end).replaceAll(NOTHING, '');
    const opened = bare.replace(OPENERS, '');
    const core = opened.replace(CLOSERS, '');
    const after = opened.slice(core.length);
    const dotted = /^\.(?!\.)/.test(after);
    const next = clean
      .slice(end, end + 40)
      .replaceAll(NOTHING, '')
      .trimStart();
    const mark = markOf(dotted && next !== '' && ownsStop(core, next) ? after.slice(1) : after);
    const follows = spans[index + 1];
    const lineEnds = /\n/.test(text.slice(end, follows?.index ?? end));
    const phone = isPhone(start, end);
    const phoneGoesOn = phone && follows !== undefined && isPhone(follows.index, follows.index + follows[0].length);
    return {
      core,
      mark: mark || (lineEnds || phoneGoesOn ? ',' : ''),
      dotted,
      phone,
    };
  });
}

/** The one mark that a voice takes from a run of punctuation. */
function markOf(punctuation: string): string {
  const mark = ['?', '!', '.', '…', ';', ':', ','].find((candidate) => punctuation.includes(candidate)) ?? '';
  if (mark === '…') return '.';
  return mark || (/[)\]}]/.test(punctuation) ? ',' : '');
}

function read(pieces: readonly Piece[], lower: readonly string[], at: number, shouting: boolean): string {
  const { core, dotted, phone } = pieces[at]!;
  if (core === '') return '';
  if (phone && /\d/.test(core)) return readPhone(core);
  const before = lower.slice(Math.max(0, at - 4), at).reverse();
  const word: Word = { core, dotted, before, after: pieces[at + 1]?.core ?? '' };
  const said =
    readFraction(word) ??
    readFullHour(word) ??
    readDate(word) ??
    readUnit(word) ??
    readAbbreviation(word) ??
    readAddress(word) ??
    readFlight(word, pieces[at - 1]?.core) ??
    readNumber(word) ??
    readAcronym(word, shouting);
  return said ?? LONE_SIGNS.get(core) ?? readPlainly(core, pieces, lower, at, shouting);
}

/** Digits after a series of capitals: "UA 482". */
function readFlight({ core }: Word, previous: string | undefined): string | undefined {
  return /^\d{3,}$/.test(core) && /^[A-Z]{2,3}$/.test(previous ?? '') ? spellMixed(core) : undefined;
}

/** Any other word: its parts one by one where signs hold it together, else as it stands. */
function readPlainly(
  core: string,
  pieces: readonly Piece[],
  lower: readonly string[],
  at: number,
  shouting: boolean,
): string {
  const parts = core.split(/[^\p{L}\p{M}\p{N}'’&-]+|--+/u).filter((part) => /[\p{L}\p{N}]/u.test(part));
  if (parts.length === 1 && parts[0] === core) return plainWord(core);
  const separator = /[—–…]|--|\p{L}[.,;:!?]\p{L}/u.test(core) ? ', ' : ' ';
  return parts
    .map((part) => {
      const alone = { ...pieces[at]!, core: part, dotted: false };
      const context = pieces.with(at, alone);
      return read(context, lower, at, shouting);
    })
    .filter(Boolean)
    .join(separator);
}

/** The last resort for digits is to spell; everything else is left to the voice. */
function plainWord(core: string): string {
  const word = core
    .replaceAll('’', "'")
    .replaceAll('&', ' and ')
    .replace(/^[-']+|[-']+$/g, '');
  return /\d/.test(word) ? spellMixed(word) : /\p{N}/u.test(word) ? word.replace(/\p{N}+/gu, '') : word;
}

/** Dictionary entries for words that other rules made: "apartment" for "Apt." */
function applyToSpoken(said: string, lexicon: Lexicon): string {
  const words = said.split(' ');
  const cores = words.map((word) => word.replace(/,$/, ''));
  const out: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const entry = lexicon.match(cores, at);
    if (entry) at += entry.words - 1;
    out.push(entry ? entry.say + (words[at]!.endsWith(',') ? ',' : '') : words[at]!);
  }
  return out.join(' ');
}

/** Adds spoken words; those of an entry that covers several written words are spread over them in order. */
function emit(out: { word: string; origin: number }[], spoken: string, at: number, covered: number): void {
  const words = spoken.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  words.forEach((word, index) => {
    const within = Math.min(covered - 1, Math.floor((index * covered) / words.length));
    out.push({ word, origin: at + within });
  });
}

/** Puts the written mark behind the last spoken word. The stop of an abbreviation ends no sentence by itself. */
function punctuate(word: string, piece: Piece, last: boolean): string {
  const bare = word.replace(/[.,;:!?]+$/, '');
  const kept = word.slice(bare.length);
  if (piece.core === '' || /^[—–-]+$/.test(piece.core)) return kept ? word : `${bare}${piece.mark || pauseOf(piece)}`;
  return `${bare}${piece.mark || (last ? kept : '')}`;
}

function pauseOf({ core }: Piece): string {
  return core === '' ? '' : ',';
}
