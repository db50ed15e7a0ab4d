import { describe, expect, it } from 'vitest';
import type { Candidate } from '../candidates.js';
import { END } from './model.js';
import { rescore, shortfall } from './rescoring.js';
import { tokensOf } from './tokens.js';

const VOCABULARY = 32768;

/** A row that gives some tokens these log-probabilities and all others hardly any. */
function row(likely: Record<number, number>) {
  const logits = new Float32Array(VOCABULARY).fill(-50);
  for (const [token, logProbability] of Object.entries(likely)) logits[Number(token)] = logProbability;
  return { logits, from: 0, norm: 0 };
}

/** A model that heard one text, and finds each token of another as likely as told. */
function heard(text: string, other: string, otherLogProbability: number) {
  const [tokens, others] = [tokensOf(text, true), tokensOf(other, true)];
  const rows = [...tokens, END].map((token, at) => row({ [others[at] ?? END]: otherLogProbability, [token]: -0.1 }));
  let passes = 0;
  const model = {
    follow: async (_: unknown, fed: readonly number[], shared: number) => {
      passes++;
      return fed.slice(shared).map((_, at) => row({ [fed[shared + at + 1] ?? END]: otherLogProbability }));
    },
  };
  const decoded = { tokens, logProbabilities: rows.map(() => -0.1), accepted: 0, rows, feeds: {} };
  return {
    rescored: (candidate: Candidate) => rescore(model, decoded, [candidate]),
    behind: (most: number) => shortfall(model, decoded, [other], most),
    others,
    passes: () => passes,
  };
}

const candidate = (text: string, cost = 1): Candidate => ({ text, kind: 'phrase', cost, sounds: 10 });

describe('rescore', () => {
  it('believes a phrase that is nearly as likely', async () => {
    const { rescored, others } = heard('A young spleen.', 'Agent please.', -1);
    expect((await rescored(candidate('Agent please.')))?.tokens).toEqual(others);
  });

  it('leaves what was heard when the model finds the phrase unlikely, and spends no pass on a hopeless one', async () => {
    const unlikely = heard('A young spleen.', 'Agent please.', -5);
    expect(await unlikely.rescored(candidate('Agent please.'))).toBeUndefined();
    const hopeless = heard('A young spleen.', 'Agent please.', -30);
    expect(await hopeless.rescored(candidate('Agent please.'))).toBeUndefined();
    expect(hopeless.passes()).toBe(0);
  });

  it('tells how far a text is behind what was heard, as far as that is asked for', async () => {
    const near = heard('You got.', 'Yeah.', -1);
    const tokens = tokensOf('You got.', true).length + 1;
    const behind = near.others.length + 1 - tokens * 0.1;
    expect(await near.behind(10)).toBeCloseTo(behind, 5);
    expect(await near.behind(behind / 2)).toBeUndefined();
    expect(await heard('You got.', 'Yeah.', -0.01).behind(10)).toBe(0);
    expect(await heard('Yeah.', 'Yeah.', -0.1).behind(10)).toBeCloseTo(0);
    const far = heard('You got.', 'Yeah.', -30);
    expect(await far.behind(10)).toBeUndefined();
    expect(far.passes()).toBe(0);
  });

  it('believes the less the more it sounds unlike', async () => {
    const { rescored } = heard('A young spleen.', 'Agent please.', -2);
    expect(await rescored(candidate('Agent please.', 0))).toBeDefined();
    expect(await rescored(candidate('Agent please.', 20))).toBeUndefined();
  });
});
