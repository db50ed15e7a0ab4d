/**
 * The beginning of the newer of two results of a recogniser that the older has, too: words that are seldom taken back.
 * Its last word may be heard in part only, and counts once it was heard twice.
 */
export function agreedWords(before: string, text: string): string {
  const older = before.split(/\s+/).map(plain);
  let end = 0;
  for (const [n, place] of [...text.matchAll(/\S+/g)].entries()) {
    if (plain(place[0]) !== older[n]) break;
    end = place.index + place[0].length;
  }
  return text.slice(0, end);
}

/** Without case and punctuation. */
function plain(word: string): string {
  return word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}
