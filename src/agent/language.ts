/*
 * The little that classification and retrieval need to know of English. Other languages lose only sharpness: words
 * that are not listed are content words, and suffixes that do not match stay.
 */

/** Words that carry grammar rather than content. They count little, but they do count: "can't", "where". */
const FUNCTION_WORDS = new Set(
  "something anything someone anyone no not yes get got want need know tell let a an the this that these those i me my mine we us our you your yours he she it its they them their and or but so if of to in on at for from with by about as is are was were be been am do does did have has had will would could should can may might must there here just really actually basically like please then also than too very some any what's it's i'm i've i'd i'll".split(
    ' ',
  ),
);

/** Sounds of hesitation and politeness: left out altogether. */
const FILLERS = new Set(
  'um uh uhm umm er erm hm hmm mm ah oh eh well okay ok so yeah yes hi hello hey please thanks thank sorry'.split(' '),
);

const NUMBER_WORDS = new Set(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety double triple'.split(
    ' ',
  ),
);

/** The words of a text: small letters, apostrophes kept inside, numbers as "#", fillers left out. */
export function wordsOf(text: string): string[] {
  const words =
    text
      .toLowerCase()
      .replace(/[’`]/g, "'")
      .match(/[\p{L}]+(?:'[\p{L}]+)*|\d+/gu) ?? [];
  const kept = words.filter((word) => !FILLERS.has(word)).map((word) => (isNumber(word) ? '#' : word));
  return kept.filter((word, at) => word !== '#' || kept[at - 1] !== '#');
}

/** How much a word says about the topic: 1, or little for words of grammar. */
export function isContentWord(word: string): boolean {
  return word !== '#' && !FUNCTION_WORDS.has(word);
}

/** Question words and weak verbs: they tell what kind of answer is wanted, and stand in articles by chance. */
const WEAK_FOR_SEARCH = new Set('what when where who which why how take sell offer'.split(' '));

/** Whether a word of a question should be looked for in articles. */
export function isSearchWord(word: string): boolean {
  return isContentWord(word) && !WEAK_FOR_SEARCH.has(word);
}

/** Strips the commonest English endings, so that "orders", "ordered", "ordering" meet. */
export function stem(word: string): string {
  let root = word.replace(/'(?:s|re|ve|ll|d|m)$/, '');
  if (root.length <= 3) return root;
  if (root.endsWith('ies') && root.length > 4) return `${root.slice(0, -3)}y`;
  if (/(?:ss|sh|ch|x|z)es$/.test(root)) root = root.slice(0, -2);
  else if (/[^su]s$/.test(root)) root = root.slice(0, -1);
  if (/[^e]ed$/.test(root) && root.length > 4) root = undouble(root.slice(0, -2));
  else if (root.endsWith('ing') && root.length > 5) root = undouble(root.slice(0, -3));
  else if (root.endsWith('ment') && root.length > 7) root = root.slice(0, -4);
  else if (root.endsWith('ly') && root.length > 5) root = root.slice(0, -2);
  if (/[^aeiou]ied$/.test(word)) return `${word.slice(0, -3)}y`;
  return root.length > 3 && root.endsWith('e') ? root.slice(0, -1) : root;
}

function isNumber(word: string): boolean {
  return /^\d+$/.test(word) || NUMBER_WORDS.has(word);
}

/** "shipp" to "ship", but "call" stays. */
function undouble(root: string): string {
  return /([bdgmnprt])\1$/.test(root) ? root.slice(0, -1) : root;
}
