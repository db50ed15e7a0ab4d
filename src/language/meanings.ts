/** A text and the encoder's vector of it. */
export interface Meaning {
  text: string;
  vector: Float32Array;
}

/** The last words of all calls under way; each vector is 2.4 KB. */
const REMEMBERED = 512;

/**
 * The vectors of what callers have just said. Whoever recognises words embeds them in the same piece of work, long
 * before a topic is asked for; of a text that is not here, the words alone are judged.
 */
export class Meanings {
  readonly #vectors = new Map<string, Float32Array>();

  /** The oldest are forgotten. */
  remember(meanings: readonly Meaning[]): void {
    for (const { text, vector } of meanings) {
      this.#vectors.delete(text);
      this.#vectors.set(text, vector);
    }
    for (const oldest of this.#vectors.keys()) {
      if (this.#vectors.size <= REMEMBERED) return;
      this.#vectors.delete(oldest);
    }
  }

  of(text: string): Float32Array | undefined {
    return this.#vectors.get(text);
  }
}
