/** Of the words known before, the share that may have become others when more are known. */
const CHANGED = 0.5;

/**
 * What newer words of the same speech add to those known before, which a recogniser may have heard anew in other words
 * meanwhile: what follows the beginning that resembles them most. All of them when none does.
 */
export function addedWords(before: string, text: string): string {
  const known = plain(before);
  if (known.length === 0) return text;
  const places = [...text.matchAll(/\S+/g)].filter(([word]) => plain(word).length > 0);
  const { taken, distance } = bestBeginning(
    known,
    places.map(([word]) => plain(word).join('')),
  );
  if (distance > known.length * CHANGED) return text;
  const first = places[taken];
  return first ? text.slice(first.index) : '';
}

/** How many of the newer words make up the older ones with the fewest changes; as many as those, where that is as good. */
function bestBeginning(known: readonly string[], words: readonly string[]): { taken: number; distance: number } {
  let row = Array.from({ length: words.length + 1 }, (_, n) => n);
  for (const [at, word] of known.entries()) {
    const next = [at + 1];
    for (const [n, other] of words.entries()) {
      const replaced = (row[n] ?? 0) + (word === other ? 0 : 1);
      next.push(Math.min(replaced, (row[n + 1] ?? 0) + 1, (next[n] ?? 0) + 1));
    }
    row = next;
  }
  const distance = Math.min(...row);
  const near = row.flatMap((value, n) => (value === distance ? [n] : []));
  const taken = near.reduce((best, n) => (Math.abs(n - known.length) < Math.abs(best - known.length) ? n : best));
  return { taken, distance };
}

function plain(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s]/gu, '')
    .split(/\s+/)
    .filter(Boolean);
}
