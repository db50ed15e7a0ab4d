import { digitByDigit } from '../../../text/numbers.js';
import { isPronounceable, spellLetters } from '../../../text/spelling.js';
import type { Word } from './word.js';

const SIGNS: Record<string, string> = {
  '.': 'dot',
  '@': 'at',
  '-': 'dash',
  _: 'underscore',
  '+': 'plus',
  '/': 'slash',
  ':': 'colon',
  '?': 'question mark',
  '=': 'equals',
  '&': 'and',
  '#': 'hash',
  '%': 'percent',
  '~': 'tilde',
};
/** Ends of host names that make a word with a dot in it a web address. */
const DOMAINS = 'com|org|net|edu|gov|mil|int|info|biz|io|co|ai|app|dev|us|uk|ca|de|fr|eu|health|shop|store|online';
/** Said as words although they are short. */
const SAID = new Set([
  'com',
  'org',
  'net',
  'gov',
  'info',
  'biz',
  'app',
  'dev',
  'in',
  'my',
  'go',
  'me',
  'to',
  'or',
  'is',
]);

const EMAIL = /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/;
const URL = new RegExp(`^(?:[a-z]+://\\S+|www\\.\\S+|[\\w-]+(?:\\.[\\w-]+)*\\.(?:${DOMAINS})(?:[/?#]\\S*)?)$`, 'i');

/** E-mail and web addresses: "jane dot doe at example dot com". */
export function readAddress({ core }: Word): string | undefined {
  if (!EMAIL.test(core) && !URL.test(core)) return undefined;
  const bare = core.replace(/^(?:https?|mailto):(?:\/\/)?/i, '').replace(/\/$/, '');
  const parts = bare.toLowerCase().match(/[a-z]+|\d+|[^a-z\d]/g) ?? [];
  const spoken = parts.flatMap((part) => readPart(part) ?? []);
  return spoken.length > 0 ? spoken.join(' ') : undefined;
}

function readPart(part: string): string | undefined {
  if (/\d/.test(part)) return digitByDigit(part).replaceAll(',', '');
  if (!/[a-z]/.test(part)) return SIGNS[part];
  if (SAID.has(part)) return part;
  return part.length > 2 && isPronounceable(part) ? part : spellLetters(part);
}
