import { isContentWord, stem, wordsOf } from '../language.js';

/** Sparse features by name. */
export type Features = Map<string, number>;

/** Weights of the kinds of feature against each other, tuned on held-out paraphrases (see classifier tests). */
const WORD = 1;
const PAIR = 0.6;
const LETTERS = 0.35;
const GRAMMAR_WORD = 0.25;

/**
 * Words, pairs of words, and groups of three and four letters. The letters let a word that was misheard or inflected
 * meet the word it should have been.
 */
export function featuresOf(text: string): Features {
  const features: Features = new Map();
  const add = (name: string, weight: number): void => {
    features.set(name, Math.max(weight, features.get(name) ?? 0));
  };
  const words = wordsOf(text);
  const stems = words.map(stem);
  words.forEach((word, at) => {
    const weight = isContentWord(word) ? 1 : GRAMMAR_WORD;
    add(`w:${stems[at]}`, WORD * weight);
    const next = stems[at + 1];
    const nextWeight = isContentWord(words[at + 1] ?? '') ? 1 : GRAMMAR_WORD;
    if (next !== undefined) add(`p:${stems[at]} ${next}`, PAIR * Math.max(weight, nextWeight));
    if (weight === 1) for (const group of letterGroups(word)) add(`l:${group}`, LETTERS);
  });
  return features;
}

/** Stems of the content words, each once. */
export function contentStems(text: string): string[] {
  return [...new Set(wordsOf(text).filter(isContentWord).map(stem))];
}

function letterGroups(word: string): string[] {
  const padded = `^${word}$`;
  const groups: string[] = [];
  for (const size of [3, 4]) {
    for (let at = 0; at + size <= padded.length; at++) groups.push(padded.slice(at, at + size));
  }
  return groups;
}
