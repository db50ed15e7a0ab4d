import { digitsIn } from '../../text/digits.js';
import { letterHeard } from '../../text/spelling.js';

/** ICAO spelling alphabet, with the forms that recognisers write. */
const SPELLING_WORDS = new Set(
  'alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey whisky xray yankee zulu'.split(
    ' ',
  ),
);

/**
 * The letters that a text spells: "s m i t h", "bee oh bee", "m as in mike", "double t", "sierra mike". Digits among
 * them are kept. The longest stretch of at least two counts.
 *
 * @returns small letters; undefined when nothing is spelled
 */
export function spelledIn(text: string): string | undefined {
  const words = text.toLowerCase().match(/[a-z]+|\d/g) ?? [];
  let best = '';
  let run = '';
  for (let at = 0; at < words.length; ) {
    const next = letterAt(words, at, run !== '');
    if (next) {
      run += next.letters;
      at += next.count;
    } else {
      run = '';
      at++;
    }
    if (run.length > best.length) best = run;
  }
  return best.length >= 2 ? best : undefined;
}

function letterAt(
  words: readonly string[],
  at: number,
  inside: boolean,
): { letters: string; count: number } | undefined {
  const word = words[at] ?? '';
  if (word === 'double' && words[at + 1] === 'u') return { letters: 'w', count: 2 };
  if (word === 'double' || word === 'triple') {
    const next = letterAt(words, at + 1, true);
    if (!next) return undefined;
    return { letters: next.letters.charAt(0).repeat(word === 'double' ? 2 : 3), count: next.count + 1 };
  }
  const letter = oneLetter(word, inside);
  if (letter === undefined) return undefined;
  // "m as in mike", "m for mike", "m like mike"
  const link =
    words[at + 1] === 'as' && words[at + 2] === 'in' ? 2 : ['for', 'like'].includes(words[at + 1] ?? '') ? 1 : 0;
  const example = words[at + 1 + link];
  if (link > 0 && example?.startsWith(letter) && example.length > 1) return { letters: letter, count: link + 2 };
  return { letters: letter, count: 1 };
}

/** Names of letters that are words, too ("you", "are"), count only after another letter. */
function oneLetter(word: string, inside: boolean): string | undefined {
  if (/^[a-z0-9]$/.test(word)) return word;
  if (SPELLING_WORDS.has(word)) return word.charAt(0);
  if (!inside) return undefined;
  const letter = letterHeard(word);
  if (letter) return letter;
  const digit = digitsIn(word);
  return digit.length === 1 ? digit : undefined;
}

/** The e-mail address that a text says: written, or "john dot smith at mail dot com", spelled parts joined. */
export function emailIn(text: string): string | undefined {
  const written = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/.exec(text.replace(/\s*@\s*/g, '@'));
  if (written) return written[0].toLowerCase().replace(/\.$/, '');
  const words = (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).filter((word) => !['um', 'uh', 'er'].includes(word));
  const at = words.lastIndexOf('at');
  if (at < 1) return undefined;
  const local = joinAddress(afterLeadIn(words.slice(0, at)));
  const domain = joinAddress(words.slice(at + 1));
  const match = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+/.exec(domain);
  return local !== '' && match ? `${local}@${match[0]}` : undefined;
}

const LEAD_IN = new Set('my email e mail address is it its s the yes sure okay that thats'.split(' '));
const SIGNS: Readonly<Record<string, string>> = {
  dot: '.',
  point: '.',
  dash: '-',
  hyphen: '-',
  minus: '-',
  underscore: '_',
  plus: '+',
};

/** Words in front of the address are dropped, but not letters that are spelled. */
function afterLeadIn(words: readonly string[]): string[] {
  const lead = words.findLastIndex((word) => ['is', 'its', 'address'].includes(word));
  const rest = words.slice(lead + 1);
  const start = rest.findIndex((word) => !LEAD_IN.has(word));
  return start < 0 ? [] : rest.slice(start);
}

/** Words, signs and spelled letters run together; number words in a row are one number: "twenty two" is 22. */
function joinAddress(words: readonly string[]): string {
  let address = '';
  for (let at = 0; at < words.length; ) {
    const word = words[at] ?? '';
    let end = at;
    while (digitsIn(words[end] ?? '') !== '') end++;
    if (end > at) address += digitsIn(words.slice(at, end).join(' '));
    else address += Object.hasOwn(SIGNS, word) ? SIGNS[word] : word;
    at = Math.max(end, at + 1);
  }
  return address;
}
