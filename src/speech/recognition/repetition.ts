/** Longest repeated piece looked for, tokens. */
const LONGEST = 8;

/** Repeats in a row that make a loop: people do say "no, no, no, no" and "zero zero zero zero", but not this often. */
function repeatsOf(length: number): number {
  return length <= 2 ? 10 : 4;
}

/**
 * Whether a decoder has fallen into endless repetition: where the loop at the end of the sequence began. Checked after
 * every token, so only the end is looked at.
 *
 * @returns index of the loop's first token, undefined when the sequence does not end in a loop
 */
export function loopStart(tokens: readonly number[]): number | undefined {
  for (let length = 1; length <= LONGEST; length++) {
    const looped = length * repeatsOf(length);
    if (tokens.length < looped) continue;
    const from = tokens.length - looped;
    let at = from;
    while (at + length < tokens.length && tokens[at] === tokens[at + length]) at++;
    if (at + length === tokens.length) return from;
  }
  return undefined;
}
