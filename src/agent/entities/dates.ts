const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const UNIT_ORDINALS = 'first second third fourth fifth sixth seventh eighth ninth'.split(' ');
const TEEN_ORDINALS =
  'tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth'.split(' ');
const CARDINALS =
  'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  );

/**
 * The day that a text names: "tomorrow", "next Monday", "in two weeks", "the fifteenth of May", "May 15". A day
 * without a month or year is the next one that comes.
 *
 * @returns ISO date in local time; undefined when no day is named
 */
export function dateIn(text: string, now: Date): string | undefined {
  const words = text
    .toLowerCase()
    .replace(/['’]s\b/g, '')
    .replace(/[-,.?!]/g, ' ')
    .split(/\s+/)
    .filter(Boolean);
  const iso = /\b(\d{4})-(\d\d)-(\d\d)\b/.exec(text);
  if (iso) return valid(Number(iso[1]), Number(iso[2]) - 1, Number(iso[3]));
  return relativeDay(words, now) ?? dayOfMonth(words, now) ?? weekday(words, now);
}

function relativeDay(words: readonly string[], now: Date): string | undefined {
  const text = words.join(' ');
  if (/\bday after tomorrow\b/.test(text)) return daysFrom(now, 2);
  const ahead = /\b(?:in )?(\w+) (day|week)s?(?: from (?:now|today)| ahead)?\b/.exec(text);
  const count =
    ahead && /\bin \w+ (?:day|week)s?\b|from (?:now|today)/.test(text) ? countOf(ahead[1] ?? '') : undefined;
  if (count !== undefined) return daysFrom(now, ahead?.[2] === 'week' ? count * 7 : count);
  if (/\b(?:tomorrow|tomorow|to morrow)\b/.test(text)) return daysFrom(now, 1);
  if (/\b(?:today|tonight|this (?:morning|afternoon|evening))\b/.test(text)) return daysFrom(now, 0);
  return undefined;
}

function dayOfMonth(words: readonly string[], now: Date): string | undefined {
  for (let at = 0; at < words.length; at++) {
    const month = MONTHS.indexOf(words[at] ?? '');
    if (month < 0) continue;
    // "may" is a month only beside a day.
    const after = dayAt(words, words[at + 1] === 'the' ? at + 2 : at + 1, true);
    if (after) return nextDate(after.day, month, now);
    const before = dayBefore(words, words[at - 1] === 'of' ? at - 2 : at - 1);
    if (before !== undefined) return nextDate(before, month, now);
  }
  for (let at = 0; at < words.length; at++) {
    const found = dayAt(words, at, false);
    const alone = found && (words[at - 1] === 'the' || /\d/.test(words[at] ?? '') || words.length <= 3);
    if (found && alone) return nextDate(found.day, undefined, now);
  }
  return undefined;
}

function weekday(words: readonly string[], now: Date): string | undefined {
  for (const [at, word] of words.entries()) {
    const day = WEEKDAYS.indexOf(word.replace(/^(.*day)s$/, '$1'));
    if (day < 0) continue;
    const ahead = (day - now.getDay() + 7) % 7 || 7;
    // "next Monday" said on a Thursday is the coming one; "Monday next week" and "a week from Monday" are not.
    const text = words.join(' ');
    const week = /\bnext week\b/.test(text) ? mondayOfNextWeek(now) + ((day + 6) % 7) : undefined;
    const later = words[at - 1] === 'from' && words[at - 2] === 'week' ? 7 : 0;
    return daysFrom(now, week ?? ahead + later);
  }
  return undefined;
}

function mondayOfNextWeek(now: Date): number {
  return 7 - ((now.getDay() + 6) % 7);
}

/** A day of the month at that word: "15th", "fifteenth", "twenty first", and with `plain` also "15", "fifteen". */
function dayAt(words: readonly string[], at: number, plain: boolean): { day: number } | undefined {
  const word = words[at] ?? '';
  const number = /^(\d{1,2})(st|nd|rd|th)?$/.exec(word);
  if (number) return number[2] || plain ? inMonth(Number(number[1])) : undefined;
  const unit = UNIT_ORDINALS.indexOf(words[at + 1] ?? '') + 1;
  if (word === 'twenty' && unit > 0) return inMonth(20 + unit);
  if (word === 'thirty' && unit === 1) return inMonth(31);
  if (word === 'twentieth') return inMonth(20);
  if (word === 'thirtieth') return inMonth(30);
  const ordinal =
    UNIT_ORDINALS.indexOf(word) + 1 || (TEEN_ORDINALS.includes(word) ? TEEN_ORDINALS.indexOf(word) + 10 : 0);
  if (ordinal > 0) return inMonth(ordinal);
  if (!plain) return undefined;
  const small = CARDINALS.indexOf(word) + 1;
  const next = CARDINALS.indexOf(words[at + 1] ?? '') + 1;
  if (small === 20 && next > 0 && next < 10) return inMonth(20 + next);
  return small > 0 ? inMonth(small) : undefined;
}

function dayBefore(words: readonly string[], at: number): number | undefined {
  return dayAt(words, at - 1, false)?.day ?? dayAt(words, at, true)?.day;
}

function inMonth(day: number): { day: number } | undefined {
  return day >= 1 && day <= 31 ? { day } : undefined;
}

/** The next such date from today on. */
function nextDate(day: number, month: number | undefined, now: Date): string | undefined {
  const today = daysFrom(now, 0);
  for (let ahead = 0; ahead <= 12; ahead++) {
    const date = new Date(now.getFullYear(), now.getMonth() + ahead, 1);
    if (month !== undefined && date.getMonth() !== month) continue;
    const found = valid(date.getFullYear(), date.getMonth(), day);
    if (found !== undefined && found >= today) return found;
  }
  return undefined;
}

function countOf(word: string): number | undefined {
  if (word === 'a') return 1;
  const number = /^\d{1,2}$/.test(word) ? Number(word) : CARDINALS.indexOf(word) + 1;
  return number > 0 ? number : undefined;
}

function daysFrom(now: Date, days: number): string {
  return toIso(new Date(now.getFullYear(), now.getMonth(), now.getDate() + days));
}

function valid(year: number, month: number, day: number): string | undefined {
  const date = new Date(year, month, day);
  return date.getMonth() === month && date.getDate() === day ? toIso(date) : undefined;
}

function toIso(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
