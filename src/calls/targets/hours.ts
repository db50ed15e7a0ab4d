/*
 * Business hours: pure functions of a moment and a time zone.
 */

/** When a target is there. */
export interface Hours {
  timeZone: string;
  open: readonly { days: string; from: string; to: string }[];
  /** `YYYY-MM-DD`, or `MM-DD` for each year. */
  holidays: readonly string[];
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAY_MS = 86_400_000;

/** Whether somebody is there at that moment, ms since 1970. A night shift belongs to the day on which it begins. */
export function isOpen({ timeZone, open, holidays }: Hours, now: number): boolean {
  const today = localTime(now, timeZone);
  const yesterday = localTime(now - DAY_MS, timeZone);
  return open.some(({ days, from, to }) => {
    const begins = readTime(from) ?? 0;
    const ends = readTime(to) ?? 0;
    const works = ({ day, date }: Local) => readDays(days)?.has(day) && !isHoliday(date, holidays);
    if (begins < ends) return works(today) && today.minute >= begins && today.minute < ends;
    return (works(today) && today.minute >= begins) || (works(yesterday) && today.minute < ends);
  });
}

/** The weekdays, 0 is Sunday, of "mon-fri", "sat, sun"; undefined when the text is none. */
export function readDays(text: string): Set<number> | undefined {
  const days = new Set<number>();
  for (const part of text.toLowerCase().split(',')) {
    const [from = '', to = from, ...more] = part.split('-').map((name) => name.trim().slice(0, 3));
    const [first, last] = [DAYS.indexOf(from), DAYS.indexOf(to)];
    if (first < 0 || last < 0 || more.length > 0) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return days;
}

/** Minutes since midnight of "09:30"; "24:00" is the end of the day. Undefined when the text is none. */
export function readTime(text: string): number | undefined {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const total = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && total <= 1440 ? total : undefined;
}

/** Whether the runtime knows this time zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

interface Local {
  day: number;
  minute: number;
  /** YYYY-MM-DD */
  date: string;
}

function localTime(now: number, timeZone: string): Local {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(now);
  const part = (type: string) => parts.find((found) => found.type === type)?.value ?? '';
  return {
    day: DAYS.indexOf(part('weekday').toLowerCase()),
    minute: Number(part('hour')) * 60 + Number(part('minute')),
    date: `${part('year')}-${part('month')}-${part('day')}`,
  };
}

function isHoliday(date: string, holidays: readonly string[]): boolean {
  return holidays.some((holiday) => holiday === date || holiday === date.slice(5));
}
