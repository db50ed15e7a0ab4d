import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokeniser, TopicEncoder } from './encoder.js';
import { FewShotTopics } from './few-shot.js';
import { plainWords } from './tokeniser.js';

const WEIGHTS = new URL('../../models/topics/weights/', import.meta.url);

/** Of a vector's numbers in the fixtures. */
const FIXTURE_STEP = 48;

interface Fixture {
  text: string;
  pieces: number[];
  words: number[];
  vector: number[];
}

const fixtures = JSON.parse(readFileSync(new URL('fixtures.json', WEIGHTS), 'utf8')) as Fixture[];

describe('tokeniser', () => {
  it('reads text as the recogniser or a keyboard writes it', () => {
    expect(plainWords("Um, I'd like forty-two caf\u00e9s!")).toEqual(['id', 'like', '#', 'cafes']);
    expect(plainWords('uh')).toEqual([]);
  });

  it('gives the numbers that the encoder knows', () => {
    const tokeniser = loadTokeniser();
    for (const { text, pieces, words } of fixtures) expect(tokeniser.encode(text), text).toEqual({ pieces, words });
  });
});

describe('topics', () => {
  const topics = [
    {
      name: 'cancel',
      examples: [
        'cancel my order',
        'I want to cancel',
        'please cancel it',
        "I don't want it any more",
        'stop the order',
      ],
    },
    {
      name: 'status',
      examples: ["where's my order", 'has it shipped yet', 'when will it arrive', 'track my parcel', 'order status'],
    },
  ];
  let encoder: TopicEncoder;
  let fitted: FewShotTopics;
  beforeAll(async () => {
    encoder = await TopicEncoder.load();
    fitted = await FewShotTopics.fit(topics, (texts) => encoder.embed(texts));
  });

  it('embeds as where it was made, alone and among others', async () => {
    const vectors = await encoder.embed(fixtures.map(({ text }) => text));
    const alone = await encoder.embed(fixtures.slice(0, 1).map(({ text }) => text));
    fixtures.forEach(({ vector, text }, at) => {
      vector.forEach((value, index) => {
        expect(Math.abs((vectors[at]?.[index * FIXTURE_STEP] ?? 9) - value), text).toBeLessThan(0.02);
      });
    });
    expect(alone[0]).toEqual(vectors[0]);
  });

  it('knows a paraphrase, and what is out of scope', async () => {
    const judge = async (text: string) => {
      const [vector] = await encoder.embed([text]);
      return vector && fitted.classify(text, vector)[0];
    };
    expect((await judge('can you cancel my order'))?.topic).toBe('cancel');
    expect((await judge('has my parcel been shipped'))?.topic).toBe('status');
    const strange = await judge('who won the football match on sunday');
    expect(strange?.score).toBeLessThan(fitted.threshold);
    expect((await judge('um'))?.score).toBe(0);
  });

  it('tells many topics apart, and lets the thread do other work while it learns', async () => {
    const many = Array.from(
      { length: 48 },
      (_, at) => `${'bcdfghjklm'[at % 10]}oo${'npqrstvz'[Math.floor(at / 10)]}ix`,
    );
    const said = many.map((name) => ({
      name,
      examples: ['where is my', 'cancel the', 'I want a', 'how much is one'].map((text) => `${text} ${name}`),
    }));
    let turns = 0;
    const others = setInterval(() => turns++, 1);
    const all = await FewShotTopics.fit(said, (texts) => encoder.embed(texts));
    clearInterval(others);
    expect(turns).toBeGreaterThan(1);
    for (const name of many) {
      const [vector] = await encoder.embed([`do you sell ${name}`]);
      expect(vector && all.classify(`do you sell ${name}`, vector)[0]?.topic).toBe(name);
    }
  });
});
