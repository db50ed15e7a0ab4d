import { digitsIn } from '../text/digits.js';
import type { ExpectedAnswer } from '../text/expected.js';
import { yesNo } from '../text/yes-no.js';

/**
 * What can be seen of an answer's end without a model:
 * - `complete`: it is all that was asked for;
 * - `incomplete`: a part that was announced is missing ("double", "at", five of six digits);
 * - `parts`: it comes in parts of which nobody knows the last (spelling, a number of unknown length);
 * - `hand-back`: the caller asks for time, not for an answer ("let me check");
 * - `open`: only its words can tell.
 */
export type Completeness = 'complete' | 'incomplete' | 'parts' | 'hand-back' | 'open';

const HAND_BACK = new RegExp(
  `(?:^|[\\s,.])(?:${[
    '(?:just |please |can you |could you |if you (?:can|could) )*(?:hold|hang) on(?: (?:a|one|just a|for a) (?:sec|second|moment|minute|bit))?(?: please)?',
    '(?:just )?(?:a|one|give me (?:a|one|just a)|gimme a|wait a|bear with me (?:a|one|for a)) (?:sec|second|moment|minute)(?: please)?',
    '(?:just )?let me (?:just |quickly |go |first )*(?:check|see|look|find|get|grab|fetch|think|look (?:it|that|this) up|get (?:it|that|my \\w+(?: \\w+)?)|find (?:it|that|my \\w+(?: \\w+)?)|check (?:it|that|my \\w+(?: \\w+)?)|look (?:at|for) [\\w ]{1,20}|see here)',
    "(?:i(?:'m| am| will|'ll) (?:just )?(?:looking|checking|getting|look|check|get) (?:for )?(?:it|that|my \\w+(?: \\w+)?)(?: now| up)?)",
    'bear with me',
    "i(?:'ll| will) be (?:right )?back",
  ].join('|')})$`,
);

/** What more must follow, whatever was asked for. */
const DANGLING = new Set(
  'um uh er erm hmm double triple treble quadruple at dot underscore dash hyphen slash plus and or but so because the a an my your our is was are of to in for from with about'.split(
    ' ',
  ),
);
/** Of those, the ones that also end answers: "where are you from", "who is it for". */
const MAY_END = new Set('is was are of to in for from with about at so'.split(' '));

const TOP_LEVEL = new Set(
  'com org net edu gov mil info biz io co uk us ca au nz ie de fr es it nl be ch at eu me tv app dev ai'.split(' '),
);

/** @param text the caller's words of this turn so far, as recognised */
export function completeness(text: string, expected: ExpectedAnswer): Completeness {
  const words = plainWords(text);
  const last = words.at(-1);
  if (last === undefined) return 'open';
  if (words.length <= 12 && HAND_BACK.test(words.join(' '))) return 'hand-back';
  const specific = byKind(text, words, expected);
  if (specific) return specific;
  return DANGLING.has(last) && !MAY_END.has(last) ? 'incomplete' : 'open';
}

function byKind(text: string, words: readonly string[], expected: ExpectedAnswer): Completeness | undefined {
  switch (expected.kind) {
    case 'yes-no': {
      const said = yesNo(text);
      return said && words.length <= 4 && said.rest === '' ? 'complete' : undefined;
    }
    case 'digits':
      return digits(text, words, expected.length);
    case 'spelling':
      return spelling(words);
    case 'email':
      return email(words);
    case 'name':
      return words.length > 1 && words.every((word) => word.length === 1) ? 'parts' : undefined;
    case 'date':
      return /\b(?:on|the|of|january|february|march|april|may|june|july|august|september|october|november|december)$/.test(
        words.join(' '),
      )
        ? 'incomplete'
        : undefined;
    case 'open':
      return undefined;
  }
}

function digits(text: string, words: readonly string[], length: number | undefined): Completeness | undefined {
  const said = digitsIn(text, length === undefined ? { asked: true } : { asked: true, lengths: [length] });
  if (said === '') return undefined;
  if (/^(?:double|triple|treble|quadruple|dash|hyphen|and|then)$/.test(words.at(-1) ?? '')) return 'incomplete';
  if (length === undefined) return 'parts';
  return said.length >= length ? 'complete' : 'incomplete';
}

function spelling(words: readonly string[]): Completeness | undefined {
  const last = words.at(-1) ?? '';
  if (/^(?:double|for|as|in|like)$/.test(last)) return 'incomplete';
  return words.some((word) => word.length === 1) ? 'parts' : undefined;
}

/** "j dot smith at example dot com": whole only with a top-level domain behind the last dot. */
function email(words: readonly string[]): Completeness | undefined {
  const joined = words
    .join(' ')
    .replace(/@/g, ' at ')
    .replace(/\.(?=\S)/g, ' dot ')
    .split(/\s+/);
  const at = joined.lastIndexOf('at');
  const dot = joined.lastIndexOf('dot');
  if (at < 0)
    return joined.length === 1 && /^(?:no|none|sorry|what|pardon)$/.test(joined[0] ?? '') ? undefined : 'parts';
  if (dot < at || dot === joined.length - 1) return 'incomplete';
  return TOP_LEVEL.has(joined.at(-1) ?? '') ? 'complete' : 'parts';
}

/** Lower case, without punctuation that a recogniser puts at will; `.`, `@` inside a word stay. */
function plainWords(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[’`]/g, "'")
    .replace(/[^\p{L}\p{N}@.'\s-]/gu, ' ')
    .split(/\s+/)
    .map((word) => word.replace(/^[.'-]+|[.'-]+$/g, ''))
    .filter((word) => word !== '');
}
