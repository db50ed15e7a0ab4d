import { cardinal, digitByDigit } from '../../../text/numbers.js';

/** North American numbers with or without area and country code, and international ones after a plus sign. */
const PHONE =
  /(?<![\w$#.-])(?:(?:\+?1[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}|\+\d{1,3}(?:[-. ]?\d{2,4}){2,5}|\d{3}-\d{4})(?![\w-])/g;

/** Ranges of the text, [start, end), that are telephone numbers. */
export function findPhones(text: string): { start: number; end: number }[] {
  return [...text.matchAll(PHONE)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
}

/** A part of a telephone number, group by group: "one, eight hundred, five five five, zero one four two". */
export function readPhone(written: string): string {
  const plus = written.includes('+') ? 'plus ' : '';
  const groups = (written.match(/\d+/g) ?? []).map((group) =>
    /^[2-9]00$/.test(group) ? cardinal(Number(group)) : digitByDigit(group),
  );
  return plus + groups.join(', ');
}
