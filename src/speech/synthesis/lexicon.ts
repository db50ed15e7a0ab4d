/** How one word, or a few in a row, is to be said. */
export interface LexiconEntry {
  /** As written. Capitals anywhere make the match exact; otherwise case does not matter. */
  word: string;
  /** Respelled in plain words: `win` for Nguyen, `see quell` for SQL. */
  say: string;
}

/** A match: how many written words it covers. */
export interface LexiconMatch {
  words: number;
  say: string;
}

/** A pronunciation dictionary. Entries match whole words, the longest and most exact first; a possessive keeps its ending. */
export class Lexicon {
  /** Entries by their first word in lower case. */
  private readonly byFirst = new Map<string, { words: string[]; exact: boolean; say: string }[]>();

  constructor(entries: readonly LexiconEntry[]) {
    for (const { word, say } of entries) {
      const words = word.trim().split(/\s+/);
      const first = words[0]!.toLowerCase();
      const spoken = say.replace(/[^\p{L}\p{M}\p{N}'’,\s-]+/gu, ' ').trim();
      if (first === '' || spoken === '') continue;
      const list = this.byFirst.get(first) ?? [];
      list.push({ words, exact: word !== word.toLowerCase(), say: spoken });
      list.sort((a, b) => b.words.length - a.words.length || Number(b.exact) - Number(a.exact));
      this.byFirst.set(first, list);
    }
  }

  /**
   * The longest entry that matches at a place in a text.
   *
   * @param words the text's words without punctuation
   */
  match(words: readonly string[], at: number): LexiconMatch | undefined {
    const whole = this.find(words, at, '');
    if (whole) return whole;
    const possessive = /^(.+)['’]s$/.exec(words[at] ?? '');
    if (!possessive) return undefined;
    return this.find([possessive[1]!], 0, "'s");
  }

  private find(words: readonly string[], at: number, ending: string): LexiconMatch | undefined {
    const entries = this.byFirst.get((words[at] ?? '').toLowerCase()) ?? [];
    const entry = entries.find(({ words: wanted, exact }) =>
      wanted.every((word, offset) => {
        const given = words[at + offset] ?? '';
        return exact ? given === word : given.toLowerCase() === word;
      }),
    );
    return entry && { words: entry.words.length, say: entry.say + ending };
  }
}
