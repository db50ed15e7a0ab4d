/** A written word with what a reading of it may need to know. A comma in what a reading returns is a pause. */
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
