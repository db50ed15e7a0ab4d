import { describe, expect, it } from 'vitest';
import type { ExpectedAnswer } from '../text/expected.js';
import { completeness } from './completeness.js';
import { endpointingConfig, PATIENCE } from './config.js';
import { endpointWait, likelyWhole } from './endpointing.js';

const OPEN: ExpectedAnswer = { kind: 'open' };

describe('completeness', () => {
  it.each<[string, ExpectedAnswer, string]>([
    ['Yes.', { kind: 'yes-no' }, 'complete'],
    ['no thanks', { kind: 'yes-no' }, 'complete'],
    ['yes but I', { kind: 'yes-no' }, 'open'],
    ['four eight two', { kind: 'digits', length: 6 }, 'incomplete'],
    ['48 27 15', { kind: 'digits', length: 6 }, 'complete'],
    ['four eight double', { kind: 'digits' }, 'incomplete'],
    ['four eight two', { kind: 'digits' }, 'parts'],
    ["I don't have it", { kind: 'digits', length: 6 }, 'open'],
    ['j smith', { kind: 'email' }, 'parts'],
    ['j smith at', { kind: 'email' }, 'incomplete'],
    ['j dot smith at example', { kind: 'email' }, 'incomplete'],
    ['j dot smith at example dot', { kind: 'email' }, 'incomplete'],
    ['j dot smith at example dot com', { kind: 'email' }, 'complete'],
    ['jsmith@example.com', { kind: 'email' }, 'complete'],
    ['s m i t', { kind: 'spelling' }, 'parts'],
    ['b as in', { kind: 'spelling' }, 'incomplete'],
    ['Let me check.', OPEN, 'hand-back'],
    ['Hold on a second', { kind: 'digits', length: 6 }, 'hand-back'],
    ['uh, let me get my card', OPEN, 'hand-back'],
    ['let me check my order status with you and then tell me about the refund', OPEN, 'open'],
    ['I would like to um', OPEN, 'incomplete'],
    ['Where are you from?', OPEN, 'open'],
    ['the third of march', { kind: 'date' }, 'incomplete'],
  ])('%s (%o): %s', (text, expected, seen) => {
    // "the third of march" may go on with the year: a month at the end holds.
    expect(completeness(text, expected)).toBe(seen);
  });
});

describe('endpoint wait', () => {
  const wait = (text: string, finished: number | undefined, expected: ExpectedAnswer = OPEN) =>
    endpointWait({ text, finished, expected }, PATIENCE.balanced).waitMs;

  it('falls as the words look more finished, and what can be seen outweighs the model', () => {
    const falling = [0.05, 0.3, 0.5, 0.7, 0.95].map((p) => wait('where is my order', p));
    expect(falling).toEqual([...falling].sort((a, b) => b - a));
    expect(falling[0]).toBe(PATIENCE.balanced.unlikelyMs);
    expect(falling[4]).toBe(PATIENCE.balanced.certainMs);
    expect(wait('four eight two', 0.99, { kind: 'digits', length: 6 })).toBe(PATIENCE.balanced.incompleteMs);
    expect(wait('yes', 0.9, { kind: 'yes-no' })).toBe(PATIENCE.balanced.certainMs);
    // A breath's time for the "thank you" that may follow, however unlikely the end.
    expect(wait('no', 0.01, { kind: 'yes-no' })).toBe(410);
    expect(wait('no', undefined, { kind: 'yes-no' })).toBe(PATIENCE.balanced.certainMs);
    expect(wait('', undefined)).toBe(PATIENCE.balanced.unknownMs);
  });

  it('takes a name or numbers from the agent file', () => {
    expect(endpointingConfig.parse('patient')).toEqual(PATIENCE.patient);
    expect(endpointingConfig.parse({ certainMs: 300 })).toEqual({ ...PATIENCE.balanced, certainMs: 300 });
    expect(endpointingConfig.parse(undefined)).toEqual(PATIENCE.balanced);
    expect(() => endpointingConfig.parse('hasty')).toThrow();
  });
});

describe('likelyWhole', () => {
  it('waits on words that may have ended in one that more must follow, however whole they read', () => {
    const wait = (finished: number) =>
      endpointWait({ text: 'what are you are', finished, expected: OPEN }, PATIENCE.balanced).waitMs;
    expect(likelyWhole(0.74)).toBe(0.74);
    expect(wait(likelyWhole(0.74))).toBeLessThan(300);
    expect(wait(likelyWhole(0.74, true))).toBeGreaterThan(1000);
    expect(likelyWhole(0.05, true)).toBe(0.05);
  });
});
