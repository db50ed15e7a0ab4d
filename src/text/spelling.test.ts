import { describe, expect, it } from 'vitest';
import { asLetters } from './spelling.js';

describe('asLetters', () => {
  it.each([
    ['See.', 'C.'],
    ['Why, you 4.', 'Y, U 4.'],
    ['a b Double', undefined],
    ['I see what you mean.', undefined],
    ['', undefined],
  ])('writes %s as %s', (heard, letters) => {
    expect(asLetters(heard)).toBe(letters);
  });
});
