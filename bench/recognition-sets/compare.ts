import { randomOf } from '../topic-sets.js';

/** Word errors of one clip, without and with the vocabulary. */
export interface Scored {
  text: string;
  words: number;
  plain: number;
  biased: number;
}

interface Rate {
  rate: number;
  /** 95 %. */
  interval: [low: number, high: number];
}

/** Word error rates, with intervals by bootstrap over sentences: clips of one sentence stay together. */
export interface Comparison {
  clips: number;
  words: number;
  plain: Rate;
  biased: Rate;
  /** 95 % interval of what the vocabulary adds. */
  difference: [low: number, high: number];
}

const SAMPLES = 1000;
const NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

export function compare(clips: readonly Scored[]): Comparison {
  const bySentence = new Map<string, Scored[]>();
  for (const clip of clips) bySentence.set(clip.text, [...(bySentence.get(clip.text) ?? []), clip]);
  const sentences = [...bySentence.values()].map(total);
  const random = randomOf(1);
  const samples = Array.from({ length: SAMPLES }, () =>
    total(sentences.map(() => sentences[Math.floor(random() * sentences.length)] ?? NONE)),
  );
  const all = total(clips);
  const rate = (of: (sums: Sums) => number): Rate => ({ rate: of(all), interval: interval(samples.map(of)) });
  return {
    clips: clips.length,
    words: all.words,
    plain: rate(({ plain, words }) => plain / words),
    biased: rate(({ biased, words }) => biased / words),
    difference: interval(samples.map(({ plain, biased, words }) => (biased - plain) / words)),
  };
}

type Sums = Omit<Scored, 'text'>;
const NONE: Sums = { words: 0, plain: 0, biased: 0 };

function total(some: readonly Sums[]): Sums {
  return some.reduce<Sums>(
    (sums, { words, plain, biased }) => ({
      words: sums.words + words,
      plain: sums.plain + plain,
      biased: sums.biased + biased,
    }),
    NONE,
  );
}

function interval(values: number[]): [low: number, high: number] {
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.floor(share * (values.length - 1))] ?? 0;
  return [at(0.025), at(0.975)];
}

/** Words as they are compared: digits spelled out, spellings that sound the same made one. */
export function wordsOf(text: string): string[] {
  const spelled = text.toLowerCase().replace(/\d/g, (digit) => ` ${NUMBERS[Number(digit)]} `);
  const words = spelled
    .replace(/[^a-z']+/g, ' ')
    .replace(/\balright\b/g, 'all right')
    .replace(/\bok\b/g, 'okay')
    .replace(/\boh\b/g, 'zero')
    .trim();
  return words === '' ? [] : words.split(' ');
}

/** Levenshtein distance in words. */
export function errors(said: readonly string[], heard: string): number {
  const words = wordsOf(heard);
  let row = Array.from({ length: words.length + 1 }, (_, j) => j);
  said.forEach((word, i) => {
    const next = [i + 1];
    words.forEach((other, j) => {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (word === other ? 0 : 1)));
    });
    row = next;
  });
  return row.at(-1) ?? 0;
}
