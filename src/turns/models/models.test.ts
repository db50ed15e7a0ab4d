import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecoderLanguage } from '../../speech/recognition/moonshine/language.js';
import { Moonshine } from '../../speech/recognition/moonshine/moonshine.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import { EndpointModel, endpointIds, heardOf } from './endpoint-model.js';
import { InterruptionModel } from './interruption-model.js';
import { Tokeniser } from './tokeniser.js';
import { wordsOf } from './words.js';

interface Fixtures {
  endpoint: {
    words: string;
    agent: string;
    expected: ExpectedAnswer;
    plain: string[];
    ids: number[];
    probability: number;
  }[];
  interruption: {
    words: string;
    agent: string;
    elapsedMs: number;
    speaking: boolean;
    sinceLastWordMs?: number;
    probability: number;
  }[];
}

/** Written by the training code. */
const fixtures: Fixtures = JSON.parse(
  readFileSync(new URL('../../../models/turns/fixtures.json', import.meta.url), 'utf8'),
);

describe('text for the models', () => {
  const tokeniser = Tokeniser.load();

  it.each(fixtures.endpoint)('is as in training: $words', ({ words, agent, expected, plain, ids }) => {
    expect(wordsOf(words)).toEqual(plain);
    expect(endpointIds(tokeniser, heardOf({ words, agent, expected }))).toEqual(ids);
  });
});

let recogniser: Moonshine;
let language: DecoderLanguage;
beforeAll(async () => {
  recogniser = await Moonshine.load();
  language = await recogniser.language();
});
afterAll(async () => {
  await language.close();
  await recogniser.close();
});

describe('EndpointModel', () => {
  let model: EndpointModel;
  beforeAll(async () => {
    model = await EndpointModel.load(language);
  });
  afterAll(() => model.release());
  const p = (words: string, agent = 'How can I help you?', expected: ExpectedAnswer = { kind: 'open' }) =>
    model.probability({ words, agent, expected });

  it('judges as in training', async () => {
    for (const { words, agent, expected, probability } of fixtures.endpoint) {
      // Weights are rounded to eight bits on the way here.
      expect(Math.abs((await p(words, agent, expected)) - probability), words).toBeLessThan(0.05);
    }
  });

  it('knows a finished turn from an unfinished one', async () => {
    expect(await p('I would like to cancel my order')).toBeGreaterThan(0.6);
    expect(await p('I would like to')).toBeLessThan(0.2);
    expect(await p('um')).toBeLessThan(0.2);
  });

  it('counts a number whose length is known', async () => {
    const asked = { kind: 'digits', length: 6 } as const;
    expect(await p('four eight three', 'What is the code?', asked)).toBeLessThan(0.3);
    expect(await p('four eight three nine one two', 'What is the code?', asked)).toBeGreaterThan(0.7);
  });
});

describe('InterruptionModel', () => {
  let model: InterruptionModel;
  beforeAll(async () => {
    model = await InterruptionModel.load(language);
  });
  afterAll(() => model.release());

  it('judges as in training', async () => {
    for (const { probability, ...burst } of fixtures.interruption) {
      expect(Math.abs((await model.probability(burst)) - probability), burst.words).toBeLessThan(0.05);
    }
  });

  it.each(['yeah', 'uh-huh', 'mm-hmm', 'okay'])('lets the agent go on at a lone %s', async (words) => {
    const burst = { words, agent: 'your order was shipped on', elapsedMs: 500, speaking: false };
    expect(await model.probability(burst)).toBeLessThan(0.3);
  });

  it.each(['stop', 'wait', 'no wait', 'but I wanted'])('hears that %s is real', async (words) => {
    const burst = { words, agent: 'your order was shipped on', elapsedMs: 800, speaking: true };
    expect(await model.probability(burst)).toBeGreaterThan(0.6);
  });
});
