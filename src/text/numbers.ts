const SMALL = [
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen',
  'seventeen eighteen nineteen',
]
  .join(' ')
  .split(' ');
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const SCALES = ['', ' thousand', ' million', ' billion', ' trillion'];

const IRREGULAR_ORDINALS: Record<string, string> = {
  one: 'first',
  two: 'second',
  three: 'third',
  five: 'fifth',
  eight: 'eighth',
  nine: 'ninth',
  twelve: 'twelfth',
};

/** The largest number that is said as one; longer ones are said digit by digit. */
const LARGEST = 1e15;

/** How digits are grouped when they are read out, by their number: what a person would say in one breath. */
const GROUPS: Record<number, readonly number[]> = {
  6: [3, 3],
  7: [3, 4],
  8: [4, 4],
  9: [3, 3, 3],
  10: [3, 3, 4],
  11: [1, 3, 3, 4],
};

/**
 * A whole number in words, US style: `1234` is "one thousand two hundred thirty-four".
 *
 * @param value whole; one too large to be said is read digit by digit
 */
export function cardinal(value: number): string {
  if (value < 0) return `minus ${cardinal(-value)}`;
  if (value < 20) return SMALL[value]!;
  if (value < 100) return TENS[Math.floor(value / 10)]! + (value % 10 ? `-${SMALL[value % 10]}` : '');
  if (value < 1000) {
    return `${SMALL[Math.floor(value / 100)]} hundred${value % 100 ? ` ${cardinal(value % 100)}` : ''}`;
  }
  if (value >= LARGEST) return digitByDigit(BigInt(value).toString());
  const parts: string[] = [];
  for (let scale = 0, rest = value; rest > 0; scale++, rest = Math.floor(rest / 1000)) {
    if (rest % 1000) parts.unshift(`${cardinal(rest % 1000)}${SCALES[scale]}`);
  }
  return parts.join(' ');
}

/** A whole number as an ordinal: `21` is "twenty-first". */
export function ordinal(value: number): string {
  const words = cardinal(value);
  const last = /[a-z]+$/.exec(words)?.[0] ?? '';
  const changed = IRREGULAR_ORDINALS[last] ?? (last.endsWith('y') ? `${last.slice(0, -1)}ieth` : `${last}th`);
  return words.slice(0, words.length - last.length) + changed;
}

/** A number as it is written in digits, with thousands separators and a decimal point: `1,234.50`. */
export function decimal(written: string): string {
  const [whole = '', fraction] = written.replaceAll(',', '').split('.');
  const spoken = whole === '' ? '' : cardinal(Number(whole));
  return fraction ? `${spoken} point ${eachDigit(fraction)}`.trim() : spoken;
}

/** A year, or a house number of four digits: `1984` is "nineteen eighty-four", `2005` "two thousand five". */
export function year(value: number): string {
  const century = Math.floor(value / 100);
  const rest = value % 100;
  if (value < 1000 || value > 9999 || (century % 10 === 0 && rest < 10)) return cardinal(value);
  if (rest === 0) return `${cardinal(century)} hundred`;
  return `${cardinal(century)} ${rest < 10 ? `oh ${cardinal(rest)}` : cardinal(rest)}`;
}

/** Digits one by one, with a pause (a comma) between groups of three or four; characters other than digits are left out. */
export function digitByDigit(written: string): string {
  const digits = written.replace(/\D/g, '');
  const sizes = GROUPS[digits.length] ?? (digits.length > 11 ? fours(digits.length) : [digits.length]);
  const groups: string[] = [];
  let at = 0;
  for (const size of sizes) {
    groups.push(eachDigit(digits.slice(at, at + size)));
    at += size;
  }
  return groups.join(', ');
}

function fours(length: number): number[] {
  return Array.from({ length: Math.ceil(length / 4) }, (_, index) => Math.min(4, length - 4 * index));
}

function eachDigit(digits: string): string {
  return [...digits].map((digit) => SMALL[Number(digit)]).join(' ');
}
