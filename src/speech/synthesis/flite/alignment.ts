/** A phone of Flite's US English set (`pau` is silence), in seconds from the start of the utterance. */
export interface Phone {
  name: string;
  start: number;
  end: number;
}

/** Where a word's sound lies, seconds. Equal when the word makes no sound. */
export interface Span {
  start: number;
  end: number;
}

/** Reads what `flite -psdur` prints: `name:end` pairs, end times in seconds, in order. */
export function parsePhones(output: string): Phone[] {
  const phones: Phone[] = [];
  let start = 0;
  for (const match of output.matchAll(/([a-z]+):(\d+(?:\.\d+)?)/g)) {
    const end = Number(match[2]);
    phones.push({ name: match[1]!, start, end });
    start = end;
  }
  return phones;
}

/** Phones that a letter of English spelling commonly stands for. */
const SOUNDS: Record<string, string> = {
  a: 'aa ae ah ao aw ax ay eh ey',
  b: 'b',
  c: 'k s ch sh',
  d: 'd t jh',
  e: 'eh iy ih ax ey er',
  f: 'f v',
  g: 'g jh zh ng f',
  h: 'hh sh th dh ch',
  i: 'iy ih ay ax',
  j: 'jh y zh',
  k: 'k',
  l: 'l',
  m: 'm',
  n: 'n ng',
  o: 'ow ao aa ah uh uw ax aw oy w',
  p: 'p f',
  q: 'k',
  r: 'r er',
  s: 's z sh zh',
  t: 't th dh ch sh d',
  u: 'ah uh uw y ax w ih er',
  v: 'v f',
  w: 'w uw aw ow',
  x: 'k z s g',
  y: 'y iy ay ih',
  z: 'z s zh',
};
const SOUND_SETS = new Map(Object.entries(SOUNDS).map(([letter, phones]) => [letter, new Set(phones.split(' '))]));

const VOWEL_LETTERS = new Set('aeiouy');
const VOWEL_PHONES = new Set('aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw'.split(' '));
const PAUSE = ',';

/** Costs of the alignment; only their order matters: a likely sound, a wrong vowel, silent letters, the rest. */
const COST = { match: 0, vowel: 0.5, silentLetter: 0.7, extraPhone: 0.8, extraPause: 0.2, missingPause: 0.5, wrong: 2 };

const LETTER_AND_PHONE = 0;
const LETTER_ONLY = 1;
const PHONE_ONLY = 2;

/**
 * Divides an utterance's phones among its words. Flite tells phones with times, and words, but not which phones are
 * whose; spelling tells: letters and phones are aligned at least cost (Needleman and Wunsch, 1970) over the whole
 * utterance, with pauses held to punctuation, and each word takes the phones its letters met.
 *
 * @param words as given to Flite, with their punctuation
 * @returns one span per word, in order and not overlapping
 */
export function alignWords(words: readonly string[], phones: readonly Phone[]): Span[] {
  const { letters, owners } = spell(words);
  const steps = cheapestSteps(letters, phones);
  const spans: Span[] = [];
  const found: (Span | undefined)[] = words.map(() => undefined);
  let letter = 0;
  let phone = 0;
  for (const step of steps) {
    const owner = owners[step === PHONE_ONLY ? Math.max(0, letter - 1) : letter];
    const sound = step === LETTER_ONLY ? undefined : phones[phone];
    if (sound && sound.name !== 'pau' && owner !== undefined) {
      const span = found[owner];
      if (span) span.end = sound.end;
      else found[owner] = { start: sound.start, end: sound.end };
    }
    if (step !== PHONE_ONLY) letter++;
    if (step !== LETTER_ONLY) phone++;
  }
  let last = 0;
  for (const span of found) {
    spans.push(span ?? { start: last, end: last });
    last = span?.end ?? last;
  }
  return spans;
}

/** All letters in a row, a pause after each word that ends in punctuation, and the word that each belongs to. */
function spell(words: readonly string[]): { letters: string[]; owners: number[] } {
  const letters: string[] = [];
  const owners: number[] = [];
  words.forEach((word, index) => {
    const own = [...word.toLowerCase()].filter((character) => character >= 'a' && character <= 'z');
    if (/[.,;:!?]["')\]]*$/.test(word)) own.push(PAUSE);
    for (const letter of own) {
      letters.push(letter);
      owners.push(index);
    }
  });
  return { letters, owners };
}

function cheapestSteps(letters: readonly string[], phones: readonly Phone[]): number[] {
  const width = phones.length + 1;
  const costs = new Float32Array((letters.length + 1) * width);
  const steps = new Uint8Array(costs.length);
  for (let row = 0; row <= letters.length; row++) {
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      if (at === 0) continue;
      const letter = letters[row - 1];
      const phone = phones[column - 1]?.name;
      const both = letter && phone ? costs[at - width - 1]! + matchCost(letter, phone) : Number.POSITIVE_INFINITY;
      const letterOnly = letter ? costs[at - width]! + silentCost(letter) : Number.POSITIVE_INFINITY;
      const phoneOnly = phone ? costs[at - 1]! + extraCost(phone) : Number.POSITIVE_INFINITY;
      const least = Math.min(both, letterOnly, phoneOnly);
      costs[at] = least;
      steps[at] = least === both ? LETTER_AND_PHONE : least === letterOnly ? LETTER_ONLY : PHONE_ONLY;
    }
  }
  return traceBack(steps, letters.length, phones.length);
}

function traceBack(steps: Uint8Array, letters: number, phones: number): number[] {
  const path: number[] = [];
  let row = letters;
  let column = phones;
  while (row > 0 || column > 0) {
    const step = steps[row * (phones + 1) + column]!;
    path.push(step);
    if (step !== PHONE_ONLY) row--;
    if (step !== LETTER_ONLY) column--;
  }
  return path.reverse();
}

function matchCost(letter: string, phone: string): number {
  if (letter === PAUSE || phone === 'pau') return letter === PAUSE && phone === 'pau' ? COST.match : 10 * COST.wrong;
  if (SOUND_SETS.get(letter)?.has(phone)) return COST.match;
  return VOWEL_LETTERS.has(letter) && VOWEL_PHONES.has(phone) ? COST.vowel : COST.wrong;
}

function silentCost(letter: string): number {
  return letter === PAUSE ? COST.missingPause : COST.silentLetter;
}

function extraCost(phone: string): number {
  return phone === 'pau' ? COST.extraPause : COST.extraPhone;
}
