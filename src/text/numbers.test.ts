import { describe, expect, it } from 'vitest';
import { cardinal, decimal, digitByDigit, ordinal, year } from './numbers.js';
import { isPronounceable, spellLetters } from './spelling.js';

describe('numbers in words', () => {
  it.each([
    [0, 'zero'],
    [13, 'thirteen'],
    [20, 'twenty'],
    [99, 'ninety-nine'],
    [100, 'one hundred'],
    [1001, 'one thousand one'],
    [1_000_000, 'one million'],
    [999_999_999_999, `nine hundred ninety-nine billion nine hundred ninety-nine million ${nines()}`],
    [-7, 'minus seven'],
  ])('%i is %s', (value, words) => {
    expect(cardinal(value)).toBe(words);
  });

  it.each([
    [1, 'first'],
    [12, 'twelfth'],
    [20, 'twentieth'],
    [33, 'thirty-third'],
    [100, 'one hundredth'],
    [108, 'one hundred eighth'],
  ])('%i as an ordinal is %s', (value, words) => {
    expect(ordinal(value)).toBe(words);
  });

  it.each([
    [1905, 'nineteen oh five'],
    [1900, 'nineteen hundred'],
    [2000, 'two thousand'],
    [2026, 'twenty twenty-six'],
  ])('the year %i is %s', (value, words) => {
    expect(year(value)).toBe(words);
  });

  it('groups digits as they are read out, and reads numbers too large as digits', () => {
    expect(digitByDigit('5550142')).toBe('five five five, zero one four two');
    expect(digitByDigit('3125550142').split(', ')).toHaveLength(3);
    expect(
      digitByDigit('4'.repeat(18))
        .split(', ')
        .map((group) => group.split(' ').length),
    ).toEqual([4, 4, 4, 4, 2]);
    expect(cardinal(1e15)).toMatch(/^one zero zero zero, /);
    expect(decimal('1,234.05')).toBe('one thousand two hundred thirty-four point zero five');
  });
});

describe('spelling', () => {
  it('names letters', () => {
    expect(spellLetters('Wa-9é')).toBe('double you ay');
  });

  it.each(['nasa', 'strength', 'thirsts', 'jane'])('takes %s for a word', (word) => {
    expect(isPronounceable(word)).toBe(true);
  });

  it.each(['usps', 'html', 'ndc', 'jsmith', 'xqz'])('takes %s for letters', (word) => {
    expect(isPronounceable(word)).toBe(false);
  });
});

function nines(): string {
  return 'nine hundred ninety-nine thousand nine hundred ninety-nine';
}
