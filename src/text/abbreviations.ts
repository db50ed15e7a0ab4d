/** Never the end of a sentence: a name or a number follows. */
const OPENING = new Set(
  'dr mr mrs ms mx prof st mt ft rev hon gen col sgt capt lt gov vs fig vol ext approx e.g i.e tel'.split(' '),
);
/** The end of a sentence when a capital follows. */
const EITHER = new Set(
  [
    'a.m p.m etc inc ltd co corp jr sr ave blvd rd ln hwy ste apt appt dept est max min mins hr hrs sec lb lbs oz in',
    'jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun',
  ]
    .join(' ')
    .split(' '),
);

/**
 * Whether a full stop after this word belongs to the word and ends no sentence.
 *
 * @param word without its full stop
 * @param next the text that follows, from its first character on; '' when nothing does
 */
export function ownsStop(word: string, next: string): boolean {
  const lower = word.toLowerCase();
  // A lone letter is an initial; the pronoun is not.
  if (OPENING.has(lower) || (/^[a-z]$/.test(lower) && lower !== 'i')) return true;
  if (lower === 'no') return /^#?\d/.test(next);
  return isStopAmbiguous(word) && !/^[\p{Lu}"“]/u.test(next) && next !== '';
}

/** Whether {@link ownsStop} needs to see what follows. */
export function isStopAmbiguous(word: string): boolean {
  const lower = word.toLowerCase();
  return lower === 'no' || EITHER.has(lower) || /^(?:[a-z]\.)+[a-z]$/.test(lower);
}
