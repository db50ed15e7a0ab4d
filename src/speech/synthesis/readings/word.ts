/** A written word with what a reading of it may need to know. */
export interface Word {
  /** Without the punctuation around it; signs that are said (`$`, `#`, `%`, `+`) stay. */
  core: string;
  /** Whether a full stop follows the core: "Dr." */
  dotted: boolean;
  /** Cores of the words before, nearest first, in lower case. */
  before: readonly string[];
  /** Core of the next word, '' for none. */
  after: string;
}

/** Says one kind of word; undefined when it is of another kind. A comma in what it returns is a pause. */
export type Reading = (word: Word) => string | undefined;
