import { digitsIn } from '../../text/digits.js';
import { NONE, type Reading } from './reading.js';

/** What comes after one of these replaces what came before it. */
const CORRECTION = /\b(?:no wait|wait no|sorry|i mean|i meant|scratch that|correction|actually|make that|no)\b/i;

/**
 * Reads an answer to "what is your number": on its own, or as the next part of a number that was begun.
 *
 * @param partial the digits of earlier answers
 * @param length how many digits make it whole; any number of them when not known
 */
export function readDigits(text: string, partial: string, length: number | undefined): Reading {
  const rest = length === undefined ? undefined : length - partial.length;
  const lengths = [rest, length].filter((count) => count !== undefined);
  const [first = '', ...corrections] = text.split(new RegExp(CORRECTION, 'gi'));
  let said = digitsIn(first, { asked: true, lengths });
  for (const correction of corrections) {
    const digits = digitsIn(correction, { asked: true, lengths });
    // A whole number replaces all; fewer digits replace the last ones.
    said = digits.length >= (length ?? said.length) ? digits : said.slice(0, said.length - digits.length) + digits;
  }
  if (said === '') return NONE;
  if (length === undefined) return { kind: 'value', value: partial + said };
  if (corrections.length > 0 && said.length < length && partial.length + said.length > length) {
    return whole(partial.slice(0, length - said.length) + said, length);
  }
  // The whole number again, instead of going on.
  if (said.length === length) return { kind: 'value', value: said };
  return whole(partial + said, length);
}

function whole(digits: string, length: number): Reading {
  if (digits.length === length) return { kind: 'value', value: digits };
  return digits.length < length ? { kind: 'part', value: digits } : { kind: 'wrong', value: digits };
}
