import { cardinal, decimal, digitByDigit, ordinal, year } from '../../../text/numbers.js';
import { spellLetters } from '../../../text/spelling.js';
import { readTime } from './dates.js';
import type { Word } from './word.js';

const CURRENCIES: Record<string, readonly [unit: string, units: string, part: string, parts: string]> = {
  $: ['dollar', 'dollars', 'cent', 'cents'],
  '€': ['euro', 'euros', 'cent', 'cents'],
  '£': ['pound', 'pounds', 'penny', 'pence'],
};
const MULTIPLES: Record<string, string> = { k: 'thousand', m: 'million', b: 'billion', bn: 'billion' };
const MULTIPLE_WORDS = new Set(['thousand', 'million', 'billion', 'trillion']);

/** Units: singular and plural. */
const UNITS = new Map<string, readonly [string, string]>(
  Object.entries({
    km: ['kilometer', 'kilometers'],
    m: ['meter', 'meters'],
    cm: ['centimeter', 'centimeters'],
    mm: ['millimeter', 'millimeters'],
    ft: ['foot', 'feet'],
    mi: ['mile', 'miles'],
    mph: ['mile per hour', 'miles per hour'],
    kg: ['kilogram', 'kilograms'],
    g: ['gram', 'grams'],
    mg: ['milligram', 'milligrams'],
    mcg: ['microgram', 'micrograms'],
    ml: ['milliliter', 'milliliters'],
    l: ['liter', 'liters'],
    lb: ['pound', 'pounds'],
    lbs: ['pound', 'pounds'],
    oz: ['ounce', 'ounces'],
    hr: ['hour', 'hours'],
    hrs: ['hour', 'hours'],
    h: ['hour', 'hours'],
    min: ['minute', 'minutes'],
    mins: ['minute', 'minutes'],
    sec: ['second', 'seconds'],
    secs: ['second', 'seconds'],
    ms: ['millisecond', 'milliseconds'],
    kwh: ['kilowatt hour', 'kilowatt hours'],
    kb: ['kilobyte', 'kilobytes'],
    mb: ['megabyte', 'megabytes'],
    gb: ['gigabyte', 'gigabytes'],
    tb: ['terabyte', 'terabytes'],
    mbps: ['megabit per second', 'megabits per second'],
    '°': ['degree', 'degrees'],
    '°f': ['degree Fahrenheit', 'degrees Fahrenheit'],
    '°c': ['degree Celsius', 'degrees Celsius'],
  }),
);
/** Too short to be taken for units when they stand alone: "3 m" may be, "2 h" hardly ever. */
const ATTACHED_ONLY = new Set(['g', 'h', 'l', 'ms', 'mi']);

const FRACTIONS = new Map(
  Object.entries({
    '1/2': 'one half',
    '1/3': 'one third',
    '2/3': 'two thirds',
    '1/4': 'one quarter',
    '3/4': 'three quarters',
    '½': 'one half',
    '¼': 'one quarter',
    '¾': 'three quarters',
    '24/7': 'twenty-four seven',
  }),
);

/** What is numbered by digits that mean no quantity. */
const IDENTIFIED = new Set(
  [
    'number order reference ref confirmation account code case ticket tracking invoice pin id policy claim member',
    'membership zip extension ext flight card ending prescription serial model booking reservation passcode',
  ]
    .join(' ')
    .split(' '),
);
const BETWEEN = new Set(['is', 'was', 'of', 'the', 'your', 'no', 'number', 'in', 'code', 'id', '#', 'are', 'with']);
const PLACES = new Set([
  'room',
  'suite',
  'ste',
  'apt',
  'apartment',
  'unit',
  'gate',
  'bus',
  'route',
  'highway',
  'floor',
]);

const NUMBER = String.raw`\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+`;
const PLAIN = new RegExp(`^(?:${NUMBER})$`);
const SIGNED = new RegExp(`^([-+−])(${NUMBER})$`);
const MONEY = new RegExp(`^([-−]?)([$€£])(${NUMBER})(k|m|b|bn)?$`, 'i');
const MEASURED = new RegExp(`^([-−]?)(${NUMBER})(%|°[FC]?|[a-z]{1,4})$`, 'i');

/** Numbers of every kind but dates, times and telephone numbers. */
export function readNumber(word: Word): string | undefined {
  const { core } = word;
  return (
    readMoney(word) ??
    readHash(core) ??
    readOrdinal(core) ??
    readDecade(core) ??
    readMeasured(core) ??
    readRange(core) ??
    readSigned(core) ??
    readVersion(core) ??
    readPlain(word) ??
    readReference(core)
  );
}

/** "1/2", "¾", "24/7": to be asked before dates. */
export function readFraction({ core }: Word): string | undefined {
  return FRACTIONS.get(core);
}

function readMoney({ core, after }: Word): string | undefined {
  const match = MONEY.exec(core);
  const names = CURRENCIES[match?.[2] ?? ''];
  if (!match || !names) return undefined;
  const minus = match[1] ? 'minus ' : '';
  const amount = match[3]!;
  const multiple = MULTIPLES[match[4]?.toLowerCase() ?? ''];
  if (multiple) return `${minus}${decimal(amount)} ${multiple} ${names[1]}`;
  if (MULTIPLE_WORDS.has(after.toLowerCase())) return minus + decimal(amount);
  const [whole = '', cents] = amount.replaceAll(',', '').split('.');
  if (cents !== undefined && cents.length !== 2) return `${minus}${decimal(amount)} ${names[1]}`;
  const units = Number(whole);
  const parts = Number(cents ?? 0);
  const spokenParts = `${cardinal(parts)} ${parts === 1 ? names[2] : names[3]}`;
  if (units === 0 && parts > 0) return minus + spokenParts;
  const spokenUnits = `${cardinal(units)} ${units === 1 ? names[0] : names[1]}`;
  return minus + (parts > 0 ? `${spokenUnits} and ${spokenParts}` : spokenUnits);
}

/** "#5", "#482715", "#A7X93", "#sale". */
function readHash(core: string): string | undefined {
  const match = /^#([a-z0-9-]+)$/i.exec(core);
  if (!match) return undefined;
  const id = match[1]!;
  if (/^\d{1,2}$/.test(id)) return `number ${cardinal(Number(id))}`;
  return /\d/.test(id) ? `number ${spellMixed(id)}` : `hashtag ${id}`;
}

function readOrdinal(core: string): string | undefined {
  const match = /^(\d[\d,]*)(?:st|nd|rd|th)$/i.exec(core);
  return match ? ordinal(Number(match[1]!.replaceAll(',', ''))) : undefined;
}

/** "1990s", "20s". */
function readDecade(core: string): string | undefined {
  const match = /^['’]?((?:1[1-9]|20)?\d0)['’]?s$/.exec(core);
  if (!match) return undefined;
  const words = year(Number(match[1]));
  return words.endsWith('y') ? `${words.slice(0, -1)}ies` : `${words}s`;
}

/** "5kg", "72°F", "4.75%", "10K". */
function readMeasured(core: string): string | undefined {
  const match = MEASURED.exec(core);
  if (!match) return undefined;
  const amount = (match[1] ? 'minus ' : '') + decimal(match[2]!);
  const unit = match[3]!;
  if (unit === '%') return `${amount} percent`;
  if (/^[KMB]$/.test(unit)) return `${amount} ${MULTIPLES[unit.toLowerCase()]}`;
  // A lone capital is no unit: "5G".
  const names = /^[A-Z]$/.test(unit) ? undefined : UNITS.get(unit.toLowerCase());
  return names && `${amount} ${match[2] === '1' ? names[0] : names[1]}`;
}

/** A unit in a word of its own after a number. */
export function readUnit({ core, before }: Word): string | undefined {
  const names = UNITS.get(core.toLowerCase());
  const amount = before[0] ?? '';
  if (!names || ATTACHED_ONLY.has(core.toLowerCase()) || !PLAIN.test(amount)) {
    return MULTIPLE_WORDS.has(core.toLowerCase()) && /^[-−]?[$€£][\d.,]+$/.test(amount)
      ? `${core} ${CURRENCIES[/[$€£]/.exec(amount)![0]]![1]}`
      : undefined;
  }
  return amount === '1' ? names[0] : names[1];
}

/** "9-5", "$10-20", "9am–5pm", "2019-2024". */
function readRange(core: string): string | undefined {
  const match = /^([$€£]?)([\d.,:]+(?:am|pm)?%?)[-–](?:[$€£])?([\d.,:]+(?:am|pm)?%?)$/i.exec(core);
  if (!match) return undefined;
  const [, currency = '', from = '', to = ''] = match;
  if (from.length >= 3 && to.length >= 3 && !(isYear(from) && isYear(to)) && !/[.,:%apm]/i.test(from + to))
    return undefined;
  const value = (text: string) => Number(text.replace(/[^\d.]/g, ''));
  if (from.length + to.length > 4 && !/[:m]/i.test(from + to) && value(from) >= value(to)) return undefined;
  const read = (text: string) =>
    readTime(text) ??
    readMeasured(text) ??
    (isYear(text) ? year(Number(text)) : PLAIN.test(text) ? decimal(text) : undefined);
  const end = currency ? readMoney({ core: currency + to, dotted: false, before: [], after: '' }) : read(to);
  const start = read(from);
  return start && end && `${start} to ${end}`;
}

function isYear(text: string): boolean {
  return /^(?:1[5-9]|20)\d\d$/.test(text);
}

function readSigned(core: string): string | undefined {
  const match = SIGNED.exec(core);
  return match ? `${match[1] === '+' ? 'plus' : 'minus'} ${decimal(match[2]!)}` : undefined;
}

/** "2.0.1", an address of a machine. */
function readVersion(core: string): string | undefined {
  const match = /^(v?)(\d+(?:\.\d+)+)$/i.exec(core);
  if (!match || (match[1] === '' && match[2]!.split('.').length < 3)) return undefined;
  const spoken = match[2]!
    .split('.')
    .map((part) => cardinal(Number(part)))
    .join(' point ');
  return match[1] ? `version ${spoken}` : spoken;
}

function readPlain(word: Word): string | undefined {
  const { core } = word;
  if (!PLAIN.test(core)) return undefined;
  if (!/^\d+$/.test(core)) return decimal(core);
  const round = /^[1-9]\d*000$/.test(core);
  if (isIdentifier(word) || (core.length > 4 && !round) || (core.length > 1 && core.startsWith('0')))
    return digitByDigit(core);
  if (core.length === 3 && PLACES.has(word.before[0] ?? '')) return inPairs(Number(core));
  const value = Number(core);
  return isYear(core) || /^1[1-9]\d\d$/.test(core) ? year(value) : cardinal(value);
}

/** Whether the words before say that these digits name something: "order 4827", "your order number is 4827". */
function isIdentifier({ core, before }: Word): boolean {
  if (core.length < 3) return false;
  const distance = before.findIndex((word) => !BETWEEN.has(word) || IDENTIFIED.has(word));
  const nearest = before[distance] ?? '';
  return distance >= 0 && distance < 4 && IDENTIFIED.has(nearest.replace(/^#/, ''));
}

/** A room: "five twelve", "five oh two". */
function inPairs(value: number): string {
  const rest = value % 100;
  const hundreds = cardinal(Math.floor(value / 100));
  if (rest === 0) return `${hundreds} hundred`;
  return `${hundreds} ${rest < 10 ? `oh ${cardinal(rest)}` : cardinal(rest)}`;
}

/** Letters, digits and hyphens that name something: "AB1234", "A7X-93B", "123-45-6789", "COVID-19". */
function readReference(core: string): string | undefined {
  if (!/\d/.test(core) || !/^[a-z0-9]+(?:[-/.][a-z0-9]+)*$/i.test(core)) return undefined;
  const parts = core.split(/[-/.]/);
  const isWordPart = (part: string) => /^[a-z]{3,}$/i.test(part) || /^\d{1,2}$/.test(part);
  if (parts.length > 1 && parts.every(isWordPart) && parts.some((part) => /[a-z]/i.test(part))) {
    return parts.map((part) => (/^\d+$/.test(part) ? cardinal(Number(part)) : part)).join(' ');
  }
  return spellMixed(core);
}

/** Letter names and digits, with a pause at each hyphen. */
export function spellMixed(text: string): string {
  return text
    .split(/[^a-z0-9]+/i)
    .filter(Boolean)
    .map((part) =>
      (part.match(/[a-z]+|\d+/gi) ?? [])
        .map((run) => (/\d/.test(run) ? digitByDigit(run) : spellLetters(run)))
        .join(' '),
    )
    .join(', ');
}
