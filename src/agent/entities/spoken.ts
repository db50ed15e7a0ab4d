/*
 * How collected values are said back. Digits and letters stay apart from each other, so that every voice reads them
 * one by one; commas make the small pauses between groups.
 */

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const WEEKDAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const ORDINALS =
  'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first'.split(
    ' ',
  );
const SIGNS: Readonly<Record<string, string>> = { '@': 'at', '.': 'dot', '-': 'dash', _: 'underscore', '+': 'plus' };

/** "482715" as "4 8 2, 7 1 5": groups of three, a last group of four rather than one alone. */
export function spokenDigits(digits: string): string {
  const groups: string[] = [];
  let rest = digits.replace(/\D/g, '');
  while (rest.length > 4) {
    groups.push(rest.slice(0, 3));
    rest = rest.slice(3);
  }
  groups.push(rest);
  return groups.map((group) => group.split('').join(' ')).join(', ');
}

/** "Smith" as "S, M, I, T, H". */
export function spokenLetters(text: string): string {
  return [...text.toUpperCase()].filter((sign) => sign !== ' ').join(', ');
}

/** "j.smith@mail.com" as "j dot smith at mail dot com". */
export function spokenEmail(address: string): string {
  return address
    .replace(/[@.\-_+]/g, (sign) => ` ${SIGNS[sign]} `)
    .replace(/\s+/g, ' ')
    .trim();
}

/** An ISO date as "Monday, May fifteenth"; other text as it is. */
export function spokenDate(iso: string): string {
  const match = /^(\d{4})-(\d\d)-(\d\d)/.exec(iso);
  if (!match) return iso;
  const date = new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])));
  if (Number.isNaN(date.getTime())) return iso;
  return `${WEEKDAYS[date.getUTCDay()]}, ${MONTHS[date.getUTCMonth()]} ${ORDINALS[date.getUTCDate() - 1]}`;
}

/** 24.5 as "24 dollars and 50 cents". A currency name other than dollars is said without a name for its cents. */
export function spokenMoney(amount: number, currency = 'dollars'): string {
  if (!Number.isFinite(amount)) return '';
  const hundredths = Math.round(Math.abs(amount) * 100);
  const whole = Math.floor(hundredths / 100);
  const part = hundredths % 100;
  const unit = whole === 1 ? currency.replace(/s$/, '') : currency;
  if (part === 0) return `${whole} ${unit}`;
  const cents =
    currency === 'dollars' || currency === 'euros' ? ` and ${part} ${part === 1 ? 'cent' : 'cents'}` : ` ${part}`;
  return `${amount < 0 ? 'minus ' : ''}${whole} ${unit}${cents}`;
}
