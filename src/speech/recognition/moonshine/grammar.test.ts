import { describe, expect, it } from 'vitest';
import { grammarOf } from './grammar.js';
import { END } from './model.js';
import { tokensOf } from './tokens.js';

const digits = grammarOf({ kind: 'digits' })!;

describe('Grammar', () => {
  it.each(['Four, eight, three, four.', '1-0-0-1 90210', "It's one double five zero", 'Twenty-one.'])(
    'takes %s',
    (text) => {
      expect(digits.accepts(tokensOf(text, true))).toBe(true);
    },
  );

  it.each(['I want a refund.', 'Man.', 'And that', 'Fourth'])('refuses %s', (text) => {
    expect(digits.accepts(tokensOf(text, true))).toBe(false);
  });

  it('tells how far an answer keeps to it', () => {
    const [head, whole] = [tokensOf('One, two, ', true), tokensOf('One, two, banana.', true)];
    expect(digits.prefix(whole)).toBeGreaterThanOrEqual(head.length - 1);
    expect(digits.prefix(whole)).toBeLessThan(whole.length);
  });

  it('allows the end after a whole word only', () => {
    expect(digits.allowed([]).has(END)).toBe(false);
    expect(digits.allowed(tokensOf('four', true)).has(END)).toBe(true);
  });

  it('has none for answers in open words', () => {
    expect(grammarOf({ kind: 'name' })).toBeUndefined();
    expect(grammarOf(undefined)).toBeUndefined();
  });
});
