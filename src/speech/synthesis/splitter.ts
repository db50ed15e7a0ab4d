import { isStopAmbiguous, ownsStop } from '../../text/abbreviations.js';

/** Longer pieces are cut at a word: engines take longer over them, and nothing is heard until a piece is whole. */
const MAX_CHARACTERS = 240;
/** Words after which the first piece of a text may end at a comma, so that speech starts early. */
const FIRST_CLAUSE_WORDS = 5;

type Verdict = 'cut' | 'on' | 'wait';

/**
 * Cuts a text into sentences while it is still being written. The first piece may be a clause, so that the voice can
 * begin before the sentence is complete. However the text is divided among calls, the pieces are the same; joined
 * with spaces they are the text.
 *
 * @example
 * const splitter = new SentenceSplitter();
 * splitter.push('Thank you. One mo'); // ['Thank you.']
 * splitter.push('ment.'); // []
 * splitter.flush(); // ['One moment.']
 */
export class SentenceSplitter {
  private rest = '';
  private first = true;

  /** Adds text; returns the pieces that are complete. */
  push(text: string): string[] {
    this.rest += text;
    return this.take(false);
  }

  /** The text is over: the rest in pieces. The splitter then begins anew. */
  flush(): string[] {
    const pieces = this.take(true);
    const last = this.rest.trim();
    if (last !== '') pieces.push(last);
    this.rest = '';
    this.first = true;
    return pieces;
  }

  private take(ended: boolean): string[] {
    const pieces: string[] = [];
    for (;;) {
      this.rest = this.rest.trimStart();
      const cut = nextCut(this.rest, this.first, ended);
      if (cut === undefined) return pieces;
      const piece = this.rest.slice(0, cut).trim();
      this.rest = this.rest.slice(cut);
      this.first = false;
      pieces.push(piece);
    }
  }
}

/** Where the first piece of the text ends, as far as that is certain. */
function nextCut(text: string, first: boolean, ended: boolean): number | undefined {
  const limit = Math.min(text.length, MAX_CHARACTERS);
  for (let at = 1; at < limit; at++) {
    const verdict = judge(text, at, first, ended);
    if (verdict === 'cut') return at;
    if (verdict === 'wait') return undefined;
  }
  return text.length > MAX_CHARACTERS ? capAt(text) : undefined;
}

/** Whether a piece ends before the whitespace at `at`. */
function judge(text: string, at: number, first: boolean, ended: boolean): Verdict {
  if (!/\s/.test(text[at]!) || /\s/.test(text[at - 1]!)) return 'on';
  const before = text.slice(0, at).replace(/["'”’)\]]+$/, '');
  const mark = before.at(-1) ?? '';
  const gap = /^\s*/.exec(text.slice(at))![0];
  if (gap.includes('\n')) return 'cut';
  const next = text[at + gap.length] ?? '';
  const unknown = next === '' && !ended;
  if (mark === '!' || mark === '?') return 'cut';
  let verdict: Verdict = 'on';
  if (mark === '.' || mark === '…') verdict = judgeFullStop(before, next, unknown);
  else if (first && /[,;:—–-]/.test(mark) && wordCount(before) >= FIRST_CLAUSE_WORDS) {
    verdict = judgeClause(before, next, unknown);
  }
  // A line break may still follow, and that would cut.
  return verdict === 'on' && unknown ? 'wait' : verdict;
}

function judgeFullStop(before: string, next: string, unknown: boolean): Verdict {
  const word = /(\S*?)[.…]+$/.exec(before.replace(/["'“‘(]+(?=\S*$)/, ''))?.[1]?.toLowerCase() ?? '';
  if (/(?:\.\.|…)$/.test(before)) return unless(/\p{Ll}/u.test(next), unknown);
  if (/^\d+\.$/.test(before)) return 'on';
  if (isStopAmbiguous(word)) return unless(ownsStop(word, next), unknown);
  if (ownsStop(word, next)) return 'on';
  return 'cut';
}

/** A comma, colon, semicolon or dash in the first piece; not the comma of "March 14, 2026". */
function judgeClause(before: string, next: string, unknown: boolean): Verdict {
  if (before.endsWith('-') && !/\s-$/.test(before)) return 'on';
  if (!/\d.$/.test(before)) return 'cut';
  return unless(/\d/.test(next), unknown);
}

function unless(goesOn: boolean, unknown: boolean): Verdict {
  if (unknown) return 'wait';
  return goesOn ? 'on' : 'cut';
}

function wordCount(text: string): number {
  return text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

/** The last clause in the second half of the allowed length, else the last word, else anywhere. */
function capAt(text: string): number {
  const head = text.slice(0, MAX_CHARACTERS + 1);
  const clause = Math.max(...[', ', '; ', ': ', ' - ', '— '].map((mark) => head.lastIndexOf(mark) + mark.length - 1));
  if (clause > MAX_CHARACTERS / 2) return clause;
  const word = head.search(/\s\S*$/);
  return word > 0 ? word : MAX_CHARACTERS;
}

/** A whole text as the pieces that are said. */
export function sentencesOf(text: string): string[] {
  const splitter = new SentenceSplitter();
  return [...splitter.push(text), ...splitter.flush()];
}
