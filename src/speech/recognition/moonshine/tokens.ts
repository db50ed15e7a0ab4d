import llama from 'llama-tokenizer-js';

/** Tokens above are the model's own timestamps and specials; 0 to 2 are unknown, begin and end. */
const FIRST_TEXT_TOKEN = 3;
const TEXT_TOKENS = 32000;

/** The text of a token sequence; special tokens have none. */
export function textOf(tokens: readonly number[]): string {
  const words = tokens.filter((token) => token >= FIRST_TEXT_TOKEN && token < TEXT_TOKENS);
  return llama.decode(words, false, true).trim();
}

/** The tokens of a text; `spaced` as it is written after a space or at the beginning. */
export function tokensOf(text: string, spaced: boolean): number[] {
  return llama.encode(text, false, spaced);
}
