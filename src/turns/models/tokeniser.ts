import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ParleyError } from '../../errors.js';

/** Whole words where the vocabulary has them, else the longest pieces from the left ("##" begins a later piece). */
export class Tokeniser {
  private readonly ids: ReadonlyMap<string, number>;
  /** The longest piece, in characters. */
  private readonly longest: number;

  constructor(pieces: readonly string[]) {
    this.ids = new Map(pieces.map((piece, id) => [piece, id]));
    this.longest = pieces.reduce((most, piece) => Math.max(most, piece.length), 0);
  }

  /** @throws ParleyError PARLEY_ERR_MODEL_MISSING */
  static load(): Tokeniser {
    const file = fileURLToPath(modelFile('vocabulary.txt'));
    if (!existsSync(file)) throw new ParleyError('PARLEY_ERR_MODEL_MISSING', { file });
    return new Tokeniser(readFileSync(file, 'utf8').trimEnd().split('\n'));
  }

  /** @param name without the angle brackets */
  special(name: string): number {
    return this.ids.get(`<${name}>`) ?? 0;
  }

  /** The pieces of words, the last `limit` of them. @param words of a-z */
  encode(words: readonly string[], limit: number): number[] {
    return words.flatMap((word) => this.split(word)).slice(-limit);
  }

  private split(word: string): number[] {
    const pieces: number[] = [];
    for (let at = 0; at < word.length; ) {
      const prefix = at ? '##' : '';
      let end = Math.min(word.length, at + this.longest);
      let id: number | undefined;
      for (; end > at; end--) {
        id = this.ids.get(prefix + word.slice(at, end));
        if (id !== undefined) break;
      }
      // Every letter is a piece; what is none is left out.
      if (id !== undefined) pieces.push(id);
      at = Math.max(end, at + 1);
    }
    return pieces;
  }
}

/** Where a file of models/turns lies, seen from src/ and from dist/ alike. */
export function modelFile(name: string): string {
  return new URL(`../../../models/turns/${name}`, import.meta.url).href;
}
