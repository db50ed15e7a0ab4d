import { EVERYDAY } from './everyday.js';
import { bestFit, type Sounding, sounding } from './sounds.js';
import { type Vocabulary, WORD, wordsOf } from './vocabulary.js';

/** Something else that may have been said, made of what was heard. */
export interface Candidate {
  text: string;
  /** What stands in it instead of what was heard: a phrase in place of all words or of some, or a single word. */
  kind: 'phrase' | 'everyday' | 'part' | 'word';
  /** How far what was heard sounds from what stands in its place: a sound of another kind counts 1. */
  cost: number;
  /** Sounds of what stands in its place. */
  sounds: number;
}

interface Piece {
  written: string;
  kind: 'phrase' | 'everyday' | 'word';
  sounds: Uint8Array;
  words: readonly string[];
}

/** Most that a piece may sound unlike what was heard, per sound of it. */
const FARTHEST = { phrase: 0.45, everyday: 0.6, word: 0.35 } as const;
/** Words with fewer sounds are near too many others. */
const LEAST_SOUNDS = 3;
/** Words of grammar: heard well from their neighbours, or not worth a guess. */
const PLAIN = new Set(
  (
    "a an the and or but if of to in on at for from with by about as than then so too very that this these those it its it's i " +
    "i'm i'd i've i'll me my mine you your yours we us our he she him her his they them their is are was were be been am do does " +
    "did don't doesn't didn't have has had having will would could should can can't cannot may might must not no yes what where " +
    'when who why how which there here one some any all get got go going want need like know please just really more much many ' +
    'up out over off down into back make made let take put'
  ).split(' '),
);

/** The phrases and words of a vocabulary, ready to be looked for in what was heard. */
export class Lexicon {
  private readonly pieces: Piece[] = [];
  private readonly phrases = new Set<string>();
  private readonly words = new Set<string>();

  constructor(vocabulary: Vocabulary | undefined) {
    for (const phrase of vocabulary?.phrases ?? []) this.add(phrase, 'phrase');
    for (const phrase of EVERYDAY) this.add(phrase, 'everyday');
    for (const phrase of vocabulary?.phrases ?? []) this.addWords(phrase);
  }

  /** Other readings of what was heard, in no order; none when it is one of the phrases. */
  candidates(text: string): Candidate[] {
    const places = [...text.matchAll(WORD)].map((match) => ({ word: match[0].toLowerCase(), at: match.index }));
    const words = places.map(({ word }) => word);
    if (words.length === 0 || this.phrases.has(words.join(' '))) return [];
    const heard = sounding(words);
    const whole = { sounds: heard.sounds, begins: [0, heard.sounds.length] };
    const found = new Map<string, Candidate>();
    for (const piece of this.pieces) {
      for (const { from, to, cost } of this.fits(heard, whole, piece)) {
        const kind: Candidate['kind'] = piece.kind === 'phrase' && to - from < words.length ? 'part' : piece.kind;
        if (this.isUnfit(piece.words, kind, words.slice(from, to))) continue;
        const begin = places[from]?.at ?? 0;
        const last = places[to - 1];
        const end = last ? last.at + last.word.length : text.length;
        const other = replaced(text, begin, end, piece.written);
        const before = found.get(other);
        if (before && before.cost <= cost) continue;
        found.set(other, { text: other, kind, cost, sounds: piece.sounds.length });
      }
    }
    return [...found.values()];
  }

  private fits(heard: Sounding, whole: Sounding, { sounds, kind, words }: Piece) {
    const most = FARTHEST[kind] * sounds.length;
    const all = { from: 0, to: heard.begins.length - 1 };
    const entire = kind === 'word' ? undefined : bestFit(whole, sounds, most);
    const fits = entire ? [{ ...all, cost: entire.cost }] : [];
    if (kind === 'everyday' || (kind === 'phrase' && words.length < 2 && sounds.length < 4)) return fits;
    const fit = bestFit(heard, sounds, most);
    if (fit && (fit.from !== all.from || fit.to !== all.to || fits.length === 0)) fits.push(fit);
    return fits;
  }

  /**
   * It is what was heard, all or a part of it, or something would give way that is not to be guessed at: a denial, a number, the form of a
   * word, and for a single word another one of the vocabulary.
   */
  private isUnfit(words: readonly string[], kind: Candidate['kind'], heard: readonly string[]): boolean {
    if (words.join(' ') === heard.join(' ') || onlyDrops(words, heard)) return true;
    if ([DENIAL, NUMERAL].some((pattern) => heard.some(has(pattern)) && !words.some(has(pattern)))) return true;
    if (kind === 'word' && heard.some((word) => this.words.has(word))) return true;
    const inside = kind === 'part' || kind === 'word';
    return inside && words.map(stem).join(' ') === heard.map(stem).join(' ');
  }

  private add(phrase: string, kind: Piece['kind']): void {
    const words = wordsOf(phrase);
    const key = words.join(' ');
    if (words.length === 0 || this.phrases.has(key)) return;
    this.phrases.add(key);
    this.pieces.push({ written: phrase, kind, sounds: sounding(words).sounds, words });
  }

  private addWords(phrase: string): void {
    for (const [written] of phrase.matchAll(WORD)) {
      const word = written.toLowerCase();
      if (PLAIN.has(word) || /\d/.test(word) || this.words.has(word)) continue;
      const { sounds } = sounding([word]);
      if (sounds.length < LEAST_SOUNDS) continue;
      this.words.add(word);
      this.pieces.push({ written, kind: 'word', sounds, words: [word] });
    }
  }
}

/** Whether it is what was heard without its first or last words: "our opening hours" of "our opening hours on Saturday". */
function onlyDrops(words: readonly string[], heard: readonly string[]): boolean {
  if (words.length >= heard.length) return false;
  const said = ` ${heard.join(' ')} `;
  return said.startsWith(` ${words.join(' ')} `) || said.endsWith(` ${words.join(' ')} `);
}

const DENIAL = /^(?:no|not|never|nor|without|nothing|nobody|none|.+n't|cannot|dont|cant|wont)$/;
const NUMERAL = /\d/;
const has = (pattern: RegExp) => (word: string) => pattern.test(word);

/** A word without the ending that makes it plural or past. */
function stem(word: string): string {
  return word.length > 3 ? word.replace(/(?:'s|s|ed)$/, '') : word;
}

const QUESTION =
  /^(?:hello, )?(?:what|where|when|who|why|how|which|is|are|was|were|do|does|did|can|could|will|would|should|has|have|may)\b/i;

/** The text with something else between two places; the whole text gets the mark that such a sentence has. */
function replaced(text: string, begin: number, end: number, written: string): string {
  const first = !/[\p{L}\p{N}]/u.test(text.slice(0, begin));
  const last = !/[\p{L}\p{N}]/u.test(text.slice(end));
  const piece = first ? written.charAt(0).toUpperCase() + written.slice(1) : written;
  const before = first ? '' : text.slice(0, begin);
  if (!last) return before + piece + text.slice(end);
  const mark = first ? (QUESTION.test(piece) ? '?' : '.') : (/[.?!]+$/.exec(text)?.[0] ?? '');
  return before + piece.replace(/\.$/, '') + mark;
}
