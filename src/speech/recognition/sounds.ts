/*
 * Roughly how English words sound, from their letters: enough to find what a recogniser may have misheard ("a young
 * spleen" is near "agent please"), not enough to speak. Both sides of a comparison come from the same rules, so that
 * most of their mistakes cancel out.
 *
 * Sounds: p b t d k g f v T(hin) s z S(he) Z C(heese) J(am) m n N(sing) l r w y h, and the vowels I(sit, see)
 * E(set, say, sat) A(hot, but) O(go) U(too) Y(my) W(now) @ (the weak one).
 */

const VOWELS = 'IEAOUYW@';
const SOUNDS = `${VOWELS}pbtdkgfvTszSZCJmnNlrwyh`;
const COUNT = SOUNDS.length;

/** Words that the rules get badly wrong and that telephone talk is full of. */
const IRREGULAR: Readonly<Record<string, string>> = {
  ...{ a: '@', the: 'T@', of: '@v', one: 'wAn', once: 'wAns', two: 'tU', to: 'tU', do: 'dU', who: 'hU', eight: 'Et' },
  ...{ are: 'Ar', you: 'yU', your: 'yOr', have: 'hEv', give: 'gIv', live: 'lIv', get: 'gEt', people: 'pIpl' },
  ...{ could: 'kUd', would: 'wUd', should: 'SUd', what: 'wAt', was: 'wAz', said: 'sEd', does: 'dAz', done: 'dAn' },
  ...{ come: 'kAm', some: 'sAm', gone: 'gAn', again: '@gEn', their: 'TEr', there: 'TEr', where: 'wEr', were: 'w@r' },
  ...{ they: 'TE', any: 'EnI', many: 'mEnI', been: 'bIn', minute: 'mInIt', business: 'bIznIs', answer: 'EnsAr' },
  ...{
    i: 'Y',
    "i'm": 'Ym',
    "i'd": 'Yd',
    "i'll": 'Yl',
    "i've": 'Yv',
    be: 'bI',
    he: 'hI',
    she: 'SI',
    me: 'mI',
    we: 'wI',
  },
  ...{ okay: 'OkE', ok: 'OkE', 'uh-huh': 'AhA', huh: 'hA', uh: 'A', 'mm-hmm': 'mhm', hmm: 'hm', mm: 'm' },
  ...{ island: 'YlAnd', receipt: 'rIsIt', doctor: 'dAktAr', schedule: 'skEJUl', through: 'TrU', though: 'TO' },
  ...{
    no: 'nO',
    so: 'sO',
    go: 'gO',
    for: 'fOr',
    hi: 'hY',
    bye: 'bY',
    buy: 'bY',
    'p.m': 'pIEm',
    'a.m': 'EEm',
    know: 'nO',
    now: 'nW',
  },
  ...{ how: 'hW', sure: 'SUr', sugar: 'SUgAr', money: 'mAnI', other: 'ATAr', another: '@nATAr', mother: 'mATAr' },
};
const DIGITS = 'zIrO wAn tU TrI fOr fYv sIks sEvAn Et nYn'.split(' ');

const RULES: readonly (readonly [letters: RegExp, sounds: string])[] = (
  [
    ["'", ''],
    ['\\b(?:kn|gn|pn)', 'n'],
    ['\\bwr', 'r'],
    ['\\bps', 's'],
    ['\\bx', 'z'],
    ['wh', 'w'],
    ['tch', 'C'],
    ['sch', 'sk'],
    ['chr', 'kr'],
    ['ch', 'C'],
    ['sh', 'S'],
    ['ph', 'f'],
    ['th', 'T'],
    ['ck', 'k'],
    ['cqu|qu', 'kw'],
    ['dge?', 'J'],
    ['ti(?=on|al|ent|ou)|ci(?=al|ou|an|ent)|ssi(?=on)', 'S'],
    ['si(?=on)', 'Z'],
    ['tu(?=re|al)', 'CA'],
    ['igh', 'Y'],
    ['eigh|aigh', 'E'],
    ['augh|ought?', 'A'],
    ['gh', ''],
    ['ng(?![aeiouy])', 'N'],
    ['sc(?=[eiy])', 's'],
    ['c(?=[eiy])', 's'],
    ['gg', 'g'],
    ['gu(?=[eiy])', 'g'],
    ['g(?=[eiy])', 'J'],
    ['(?<=[sxz]|ch|sh)es$', 'Iz'],
    ['(?<=[td])ed$', 'Id'],
    ['ed$', 'd'],
    ['(?<=[aeiouy].*[^aeiouysxzh])es$', 'z'],
    ['(?<=[aeiouy].*)e$', ''],
    ['(?<=[aeiouy].*)le$', 'l'],
    ['a(?=[bcdfgklmnpstvz]e(?:s|d|r|rs)?$)', 'E'],
    ['i(?=[bcdfgklmnpstvz]e(?:s|d|r|rs)?$)', 'Y'],
    ['o(?=[bcdfgklmnpstvz]e(?:s|d|r|rs)?$)', 'O'],
    ['u(?=[bcdfgklmnpstvz]e(?:s|d|r|rs)?$)', 'U'],
    ['ere$|ear|eer|ier', 'Ir'],
    ['air|are$', 'Er'],
    ['oor|our|oar|ore', 'Or'],
    ['[eiu]r(?![aeiou])', '@r'],
    ['ee|ea|ie|ei|ey$', 'I'],
    ['oo|ue|ui|ew|eu', 'U'],
    ['ou', 'W'],
    ['ow$|oa|oe', 'O'],
    ['ow', 'W'],
    ['oi|oy', 'OI'],
    ['au|aw|a(?=ll)', 'A'],
    ['ai|ay', 'E'],
    ['\\by', 'y'],
    ['(?<=^[^aeiou]+)y$', 'Y'],
    ['y', 'I'],
    ['(?<=[aeiou][^aeiou]+)o$', 'O'],
    ['a$', '@'],
    ['a', 'E'],
    ['e', 'E'],
    ['i', 'I'],
    ['o', 'A'],
    ['u', 'A'],
    ['x', 'ks'],
    ['q|c', 'k'],
    ['j', 'J'],
    ['([bdfgklmnprstvz])\\1', ''],
  ] as const
).map(([letters, sounds]) => [new RegExp(letters, 'y'), sounds] as const);

const known = new Map<string, Uint8Array>();
/** A vocabulary has a few thousand words; beyond that something else is being asked for. */
const MOST_KNOWN = 20_000;

/** The sounds of one word, any case, without punctuation round it; each a number for {@link soundDistance}. */
export function soundsOf(word: string): Uint8Array {
  const key = word.toLowerCase();
  let sounds = known.get(key);
  if (!sounds) {
    sounds = Uint8Array.from(spoken(key), (sound) => SOUNDS.indexOf(sound));
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, sounds);
  }
  return sounds;
}

function spoken(word: string): string {
  if (Object.hasOwn(IRREGULAR, word)) return IRREGULAR[word] ?? '';
  const parts = word.match(/\d|[a-z']+/g) ?? [];
  return parts.map((part) => (/\d/.test(part) ? (DIGITS[Number(part)] ?? '') : byRules(part))).join('');
}

function byRules(word: string): string {
  let sounds = '';
  for (let at = 0; at < word.length; ) {
    let length = 1;
    let made = SOUNDS.includes(word.charAt(at)) ? word.charAt(at) : '';
    for (const [letters, its] of RULES) {
      letters.lastIndex = at;
      const match = letters.exec(word);
      if (!match) continue;
      // Of a doubled consonant the first letter is dropped, and the second follows the other rules.
      length = match[1] ? 1 : match[0].length;
      made = its;
      break;
    }
    sounds += made;
    at += length;
  }
  return sounds;
}

const ALIKE: readonly (readonly [sounds: string, cost: number])[] = [
  ['pb', 0.3],
  ['td', 0.3],
  ['kg', 0.3],
  ['fv', 0.3],
  ['sz', 0.2],
  ['SZ', 0.3],
  ['CJ', 0.3],
  ['mnN', 0.4],
  ['fT', 0.4],
  ['vT', 0.4],
  ['dT', 0.4],
  ['tT', 0.5],
  ['sT', 0.5],
  ['sS', 0.5],
  ['CS', 0.4],
  ['CtJd', 0.6],
  ['ZJ', 0.4],
  ['ptk', 0.6],
  ['bdg', 0.6],
  ['lrw', 0.6],
  ['bv', 0.6],
  ['wv', 0.6],
  ['IEAOUYW', 0.4],
  ['@IEAU', 0.25],
  ['yI', 0.4],
  ['wU', 0.4],
  ['wO', 0.5],
  ['lO', 0.6],
  ['@r', 0.5],
];
/** Cost of hearing one sound for another: COUNT x COUNT. */
const CHANGE = changes();
/** Cost of a sound too many or too few. */
const LOSS = Float32Array.from(SOUNDS, (sound) =>
  sound === 'h' || sound === '@' ? 0.35 : VOWELS.includes(sound) ? 0.6 : sound === 'r' ? 0.6 : 0.8,
);

function changes(): Float32Array {
  const table = new Float32Array(COUNT * COUNT).fill(1);
  for (const [sounds, cost] of ALIKE) {
    for (const a of sounds)
      for (const b of sounds) {
        const at = SOUNDS.indexOf(a) * COUNT + SOUNDS.indexOf(b);
        table[at] = Math.min(table[at] ?? 1, cost);
      }
  }
  for (let i = 0; i < COUNT; i++) table[i * COUNT + i] = 0;
  return table;
}

/** Words one after another: all their sounds, and where each word begins; the end stands last. */
export interface Sounding {
  sounds: Uint8Array;
  begins: number[];
}

export function sounding(words: readonly string[]): Sounding {
  const each = words.map(soundsOf);
  const begins = [0];
  for (const { length } of each) begins.push((begins.at(-1) ?? 0) + length);
  const sounds = new Uint8Array(begins.at(-1) ?? 0);
  each.forEach((some, at) => void sounds.set(some, begins[at]));
  return { sounds, begins };
}

/** Where a piece fits best among the words that were heard. */
export interface Fit {
  /** Words [from, to). */
  from: number;
  to: number;
  /** Cost of the mishearing; a sound of another kind costs 1. */
  cost: number;
}

let above = new Float32Array(256);
let row = new Float32Array(256);
let aboveBegin = new Int32Array(256);
let rowBegin = new Int32Array(256);

/**
 * The stretch of whole words that sounds most like a piece: Sellers' alignment, begun and ended at word limits only.
 *
 * @param heard with at least one word
 * @param most cost beyond which nothing is looked for
 */
export function bestFit(heard: Sounding, piece: Uint8Array, most: number): Fit | undefined {
  const { sounds, begins } = heard;
  const length = sounds.length;
  makeRoom(length + 1);
  above.fill(Infinity, 0, length + 1);
  for (const begin of begins) {
    above[begin] = 0;
    aboveBegin[begin] = begin;
  }
  for (const sound of piece) {
    const loss = LOSS[sound]!;
    let least = above[0]! + loss;
    row[0] = least;
    rowBegin[0] = aboveBegin[0]!;
    for (let at = 0; at < length; at++) {
      const other = sounds[at]!;
      const change = above[at]! + CHANGE[sound * COUNT + other]!;
      const missed = above[at + 1]! + loss;
      const added = row[at]! + LOSS[other]!;
      let cost = change;
      let begin = aboveBegin[at]!;
      if (missed < cost) {
        cost = missed;
        begin = aboveBegin[at + 1]!;
      }
      if (added < cost) {
        cost = added;
        begin = rowBegin[at]!;
      }
      row[at + 1] = cost;
      rowBegin[at + 1] = begin;
      if (cost < least) least = cost;
    }
    if (least > most) return undefined;
    [above, row] = [row, above];
    [aboveBegin, rowBegin] = [rowBegin, aboveBegin];
  }
  return ending(begins, most);
}

/** The cheapest word limit to end at; of equal ones, the longest stretch. */
function ending(begins: readonly number[], most: number): Fit | undefined {
  let best: Fit | undefined;
  for (let to = 1; to < begins.length; to++) {
    const end = begins[to]!;
    const cost = above[end]!;
    if (cost > most || (best && cost > best.cost)) continue;
    const from = begins.lastIndexOf(aboveBegin[end]!, to - 1);
    if (from >= 0) best = { from, to, cost };
  }
  return best;
}

function makeRoom(size: number): void {
  if (size <= above.length) return;
  above = new Float32Array(2 * size);
  row = new Float32Array(2 * size);
  aboveBegin = new Int32Array(2 * size);
  rowBegin = new Int32Array(2 * size);
}
