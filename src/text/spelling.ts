/** English letter names written as words, so that no voice takes a lone `A` for the article. */
const LETTER_NAMES: Record<string, string> = {
  a: 'ay',
  b: 'bee',
  c: 'see',
  d: 'dee',
  e: 'ee',
  f: 'eff',
  g: 'gee',
  h: 'aitch',
  i: 'eye',
  j: 'jay',
  k: 'kay',
  l: 'ell',
  m: 'em',
  n: 'en',
  o: 'oh',
  p: 'pee',
  q: 'cue',
  r: 'are',
  s: 'ess',
  t: 'tee',
  u: 'you',
  v: 'vee',
  w: 'double you',
  x: 'ex',
  y: 'why',
  z: 'zee',
};

/** How recognisers write the names of letters. */
const HEARD_AS: Readonly<Record<string, string>> = {
  ...{ ay: 'a', bee: 'b', be: 'b', see: 'c', sea: 'c', cee: 'c', dee: 'd', ef: 'f', eff: 'f', gee: 'g', aitch: 'h' },
  ...{ eye: 'i', jay: 'j', kay: 'k', el: 'l', ell: 'l', em: 'm', en: 'n', oh: 'o', pee: 'p', pea: 'p', cue: 'q' },
  ...{ queue: 'q', are: 'r', ar: 'r', ess: 's', es: 's', tee: 't', tea: 't', you: 'u', vee: 'v', ex: 'x', why: 'y' },
  ...{ zee: 'z', zed: 'z' },
};

/** The letter whose name sounds like this word: "see" is c. Small letters in and out. */
export function letterHeard(word: string): string | undefined {
  return Object.hasOwn(HEARD_AS, word) ? HEARD_AS[word] : undefined;
}

/**
 * What was heard where letters were asked for, names of letters written as letters: "See, why 4." is "C, Y 4.".
 *
 * @returns undefined when another word is among them
 */
export function asLetters(text: string): string | undefined {
  let others = false;
  const letters = text.replace(/[\p{L}\p{N}']+/gu, (word) => {
    const small = word.toLowerCase();
    if (/^(?:[a-z]|\d+)$/.test(small)) return word.toUpperCase();
    const letter = letterHeard(small);
    others ||= !letter;
    return letter?.toUpperCase() ?? word;
  });
  return others || letters === '' ? undefined : letters;
}

/** Consonants that an English word may begin with, beyond a single one. */
const ONSETS = new Set(
  [
    'bl br ch chr cl cr dr dw fl fr gh gl gn gr kl kn kr ph phr pl pn pr ps qu rh sc sch scr sh shr sk sl sm sn sp',
    'sph spl spr squ st str sw th thr tr tw wh wr',
  ]
    .join(' ')
    .split(' '),
);

/** Letters by their names: `UA` is "you ay". Characters other than A to Z are left out. */
export function spellLetters(text: string): string {
  return [...text.toLowerCase()].flatMap((letter) => LETTER_NAMES[letter] ?? []).join(' ');
}

/**
 * Whether English spelling would let a reader say this as a word; a guess by its consonant clusters.
 *
 * @param word letters only
 */
export function isPronounceable(word: string): boolean {
  const letters = word.toLowerCase();
  if (!/[aeiouy]/.test(letters)) return false;
  const onset = /^[^aeiouy]*/.exec(letters)?.[0] ?? '';
  if (onset.length > 1 && !ONSETS.has(onset)) return false;
  if (/[^aeiouy]{5}/.test(letters)) return false;
  const coda = /[^aeiouy]*$/.exec(letters)?.[0] ?? '';
  return coda.length < 3 || /(?:[lnrcps][dtk]s|mps|ngs|ths|r?th|[nr]st|cks|[trn]?ch|ght|l[mp]s)$/.test(coda);
}
