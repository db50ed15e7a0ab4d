/*
 * Text as the models were trained on it. models/turns/text.py does the same; models/turns/fixtures.json keeps the two
 * equal.
 */

const ONES =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = '_ _ twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

/**
 * The words of a text: lower case without punctuation and apostrophes, figures as words, "@" and the "." of an address
 * as words.
 */
export function wordsOf(text: string): string[] {
  const plain = text
    .toLowerCase()
    .replace(/@/g, ' at ')
    .replace(/&/g, ' and ')
    .replace(/['’‘`]/g, '')
    .replace(/(?<=[0-9]),(?=[0-9]{3})/g, '')
    .replace(/(?<=[0-9])\.(?=[0-9])/g, ' point ')
    .replace(/(?<=[a-z0-9]{2})\.(?=[a-z]{2})/g, ' dot ');
  return (plain.match(/[a-z]+|[0-9]+/g) ?? []).flatMap((part) => (/^[0-9]/.test(part) ? figures(part) : part));
}

/** A number in figures as it is said: up to two digits as a number, more of them one by one. */
function figures(digits: string): string[] {
  if (digits.length > 2 || digits.startsWith('0')) return [...digits].map((digit) => ONES[Number(digit)] ?? '');
  const value = Number(digits);
  const small = ONES[value];
  if (small !== undefined) return [small];
  const tens = TENS[Math.floor(value / 10)] ?? '';
  return value % 10 ? [tens, ONES[value % 10] ?? ''] : [tens];
}
