import { isPronounceable, spellLetters } from '../../../text/spelling.js';
import type { Word } from './word.js';

/** Read so with or without their full stop. */
const ALWAYS: Record<string, string> = {
  dr: 'doctor',
  mr: 'mister',
  mrs: 'missus',
  ms: 'miz',
  mx: 'mix',
  jr: 'junior',
  etc: 'et cetera',
  'e.g': 'for example',
  'i.e': 'that is',
  vs: 'versus',
  approx: 'approximately',
  apt: 'apartment',
  ave: 'avenue',
  blvd: 'boulevard',
  appt: 'appointment',
  appts: 'appointments',
  dept: 'department',
  qty: 'quantity',
  ext: 'extension',
  asap: 'as soon as possible',
  'w/': 'with',
  'w/o': 'without',
  'and/or': 'and or',
  ok: 'okay',
  usd: 'U S dollars',
  '401k': 'four oh one kay',
  '401(k': 'four oh one kay',
};

/** Words otherwise: abbreviations only with the full stop. */
const DOTTED: Record<string, string> = {
  prof: 'professor',
  sr: 'senior',
  inc: 'incorporated',
  corp: 'corporation',
  co: 'company',
  ltd: 'limited',
  rd: 'road',
  ln: 'lane',
  hwy: 'highway',
  ste: 'suite',
  est: 'estimated',
  tel: 'telephone',
  rev: 'reverend',
  hon: 'honorable',
  gen: 'general',
  sgt: 'sergeant',
  capt: 'captain',
  lt: 'lieutenant',
  gov: 'governor',
  min: 'minutes',
  max: 'maximum',
  hr: 'hour',
  hrs: 'hours',
  in: 'inches',
  fig: 'figure',
  vol: 'volume',
};

/** In capitals more often a word than letters. */
const CAPITAL_WORDS = new Set(
  [
    'A I NOT ALL NEW NOW AND THE FOR YOU ARE CAN BUT ONE TWO ANY OUR YES NO GO DO ON OFF IF IN OR TO OF AT BY BE AN AS',
    'IS MY WE SO UP HAS HAD HER HIM HIS HOW MAY DAY OUT SEE GET BIG PIN SIM APP ZIP FAX BOX END USE ADD TAX PAY WAS DID',
    'WHO WHY ITS ME HE SHE THEY RE',
  ]
    .join(' ')
    .split(' '),
);
/** Could be said as words, but never are. */
const SPELLED = new Set('USDA AARP ASPCA IOU AOL AAA IEEE CEO CIO EIN ETA FAQ HIV'.split(' '));

/** Abbreviations, titles and acronyms. */
export function readAbbreviation(word: Word): string | undefined {
  const { core, dotted, before, after } = word;
  const lower = core.toLowerCase();
  if (lower === 'st') return readSaintOrStreet(word);
  if (lower === 'dr' && /^[a-z]/.test(before[0] ?? '') && !/^[A-Z]/.test(after) && !isTitleCall(before[0]))
    return 'drive';
  if (lower === 'no' && dotted && /^[#\d]/.test(after)) return 'number';
  // "MS" and "EST" are letters; "Ms" and "est." are not.
  const shouted = core.length > 1 && core === core.toUpperCase() && /^[A-Z]+$/.test(core);
  if (Object.hasOwn(ALWAYS, lower) && !(shouted && ['ms', 'mr', 'dr', 'ave'].includes(lower) && !dotted)) {
    return ALWAYS[lower];
  }
  if (dotted && !shouted && Object.hasOwn(DOTTED, lower)) return DOTTED[lower];
  return undefined;
}

function isTitleCall(before: string | undefined): boolean {
  return before === undefined || ['the', 'a', 'your', 'see', 'with', 'and', 'call', 'to', 'by', 'for'].includes(before);
}

function readSaintOrStreet({ core, dotted, after }: Word): string | undefined {
  if (/^[A-Z]/.test(after) && (dotted || core === 'St')) return 'saint';
  return dotted || core === 'St' ? 'street' : undefined;
}

/**
 * Capitals that are letters: "UA", "U.S.", "ATMs", "FBI's".
 *
 * @param shouting the whole text is in capitals, which then tell nothing
 */
export function readAcronym({ core }: Word, shouting: boolean): string | undefined {
  if (/^(?:[a-z]\.)+[a-z]$/i.test(core)) return spellLetters(core);
  const match = /^([A-Z]{2,6})((?:['’]?s)?)$/.exec(core) ?? /^([B-HJ-Z])()$/.exec(core);
  if (!match) return undefined;
  const letters = match[1]!;
  if (CAPITAL_WORDS.has(letters)) return undefined;
  const isWord = isPronounceable(letters) && !SPELLED.has(letters);
  if (isWord && (shouting || letters.length > 3)) return undefined;
  if (letters.length > 5 && isPronounceable(letters)) return undefined;
  return pluralise(spellLetters(letters), match[2] ?? '');
}

function pluralise(names: string, ending: string): string {
  return ending === '' ? names : `${names}${ending.startsWith('s') ? "'s" : ending}`;
}
