import { cardinal, ordinal, year } from '../../../text/numbers.js';
import { spellLetters } from '../../../text/spelling.js';
import type { Word } from './word.js';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const MONTH_NAMES = new Map<string, string>(
  MONTHS.flatMap((month): [string, string][] => [
    [month.toLowerCase(), month],
    [month.slice(0, 3).toLowerCase(), month],
  ]).concat([['sept', 'September']]),
);
const DAYS = new Map<string, string>(
  Object.entries({
    mon: 'Monday',
    tue: 'Tuesday',
    tues: 'Tuesday',
    wed: 'Wednesday',
    thu: 'Thursday',
    thur: 'Thursday',
    thurs: 'Thursday',
    fri: 'Friday',
    sat: 'Saturday',
    sun: 'Sunday',
  }),
);
/** Abbreviations that are words too, read as months and days only with their full stop or beside a number. */
const ALSO_WORDS = new Set(['mar', 'may', 'sat', 'sun', 'wed']);

/** Dates and times; month first, as in the US, unless only the other order can be. */
export function readDate(word: Word): string | undefined {
  return (
    readTime(word.core) ?? readHalfOfDay(word) ?? readNumericDate(word.core) ?? readDayOfMonth(word) ?? readName(word)
  );
}

/** "3:30", "15:30", "9:05:20", "3pm", "3:30p.m". */
export function readTime(core: string): string | undefined {
  const match = /^(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?(?:(a|p)\.?m)?$/i.exec(core);
  if (!match || (match[2] === undefined && match[4] === undefined)) return undefined;
  const [hour, minute, second] = [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
  if (hour > 24 || minute > 59 || second > 59) return undefined;
  const half = match[4] ? ` ${spellLetters(`${match[4]}m`)}` : '';
  const seconds = match[3] ? ` and ${cardinal(second)} seconds` : '';
  if (minute > 0) return `${cardinal(hour)} ${minute < 10 ? 'oh ' : ''}${cardinal(minute)}${half}${seconds}`;
  if (match[2] === undefined || half) return cardinal(hour) + half + seconds;
  return (hour > 12 ? `${cardinal(hour)} hundred` : `${cardinal(hour === 0 ? 12 : hour)} o'clock`) + seconds;
}

/** "PM", "a.m." after an hour; an hour on the full before it is "nine", not "nine o'clock" (see {@link readFullHour}). */
function readHalfOfDay({ core, before }: Word): string | undefined {
  const match = /^([ap])\.?m$/i.exec(core);
  if (!match) return undefined;
  const afterHour = /^\d{1,2}(?::\d{2})?$/.test(before[0] ?? '');
  return afterHour || core.includes('.') || core === core.toUpperCase() ? spellLetters(`${match[1]}m`) : undefined;
}

/** "9:00" with AM or PM in the next word. */
export function readFullHour({ core, after }: Word): string | undefined {
  const match = /^(\d{1,2}):00$/.exec(core);
  return match && Number(match[1]) <= 12 && /^[ap]\.?m$/i.test(after) ? cardinal(Number(match[1])) : undefined;
}

/** "2026-03-14", "11/03/2025", "3/14/26", "12/25". */
function readNumericDate(core: string): string | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/.exec(core);
  if (iso) {
    const date = sayDate(Number(iso[2]), Number(iso[3]), Number(iso[1]));
    return iso[4] && date ? `${date}, ${readTime(iso[4])}` : date;
  }
  const match = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})$/.exec(core);
  if (match) {
    const [first, second, short] = [Number(match[1]), Number(match[2]), Number(match[3])];
    const full = short < 100 ? short + (short < 70 ? 2000 : 1900) : short;
    return sayDate(first, second, full) ?? sayDate(second, first, full);
  }
  const brief = /^(\d{1,2})\/(\d{1,2})$/.exec(core);
  return brief ? sayDate(Number(brief[1]), Number(brief[2])) : undefined;
}

function sayDate(month: number, day: number, inYear?: number): string | undefined {
  const name = MONTHS[month - 1];
  if (!name || day < 1 || day > 31) return undefined;
  return `${name} ${ordinal(day)}${inYear === undefined ? '' : `, ${year(inYear)}`}`;
}

/** "14" in "March 14" and in "14 March". */
function readDayOfMonth({ core, before, after }: Word): string | undefined {
  if (!/^\d{1,2}$/.test(core) || Number(core) < 1 || Number(core) > 31) return undefined;
  if (MONTH_NAMES.has(before[0] ?? '')) return ordinal(Number(core));
  const followed = MONTH_NAMES.has(after.toLowerCase()) && /^[A-Z]/.test(after);
  if (!followed) return undefined;
  return `${before[0] === 'the' ? '' : 'the '}${ordinal(Number(core))} of`;
}

/** "Mar.", "Tue"; also "Mon-Fri". */
function readName({ core, dotted, before, after }: Word): string | undefined {
  const range = /^([a-z]{3,5})[-–]([a-z]{3,5})$/i.exec(core);
  if (range) {
    const [from, to] = [nameOf(range[1]!), nameOf(range[2]!)];
    return from && to && `${from} to ${to}`;
  }
  if (!/^[A-Z]/.test(core)) return undefined;
  const ambiguous = ALSO_WORDS.has(core.toLowerCase());
  const beside = dotted || /^\d/.test(after) || /^\d/.test(before[0] ?? '');
  return ambiguous && !beside ? undefined : nameOf(core);
}

function nameOf(text: string): string | undefined {
  return MONTH_NAMES.get(text.toLowerCase()) ?? DAYS.get(text.toLowerCase());
}
