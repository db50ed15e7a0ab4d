import { describe, expect, it } from 'vitest';
import { DigitMerge, type KeySource } from './digits.js';

/** Digits that are passed on, of reports `[source, digit, at]` that lasted 100 ms each. */
function merged(...reports: [KeySource, string, number][]): string {
  const merge = new DigitMerge();
  return reports.flatMap(([source, digit, at]) => (merge.isNew(source, digit, at, 100) ? [digit] : [])).join('');
}

describe('DigitMerge', () => {
  it('takes one key that comes three ways for one', () => {
    expect(merged(['inband', '5', 1040], ['rfc4733', '5', 1100], ['info', '5', 1400])).toBe('5');
    expect(merged(['info', '5', 900], ['rfc4733', '5', 1100])).toBe('5');
  });

  it('keeps a key that is pressed twice, however quickly, whichever ways tell of it', () => {
    expect(merged(['rfc4733', '5', 1000], ['rfc4733', '5', 1150])).toBe('55');
    const both: [KeySource, string, number][] = [
      ['rfc4733', '5', 1000],
      ['rfc4733', '5', 1150],
      ['info', '5', 1200],
      ['inband', '5', 1210],
      ['info', '5', 1350],
      ['inband', '5', 1360],
    ];
    expect(merged(...both)).toBe('55');
  });

  it('keeps different keys, and the same key long after', () => {
    expect(merged(['rfc4733', '5', 1000], ['info', '6', 1010])).toBe('56');
    expect(merged(['rfc4733', '5', 1000], ['info', '5', 3000])).toBe('55');
  });

  it('keeps a key that only one of the ways has told of', () => {
    expect(merged(['rfc4733', '1', 1000], ['info', '1', 1010], ['info', '2', 2000], ['rfc4733', '3', 3000])).toBe(
      '123',
    );
  });

  it('joins a key held long, told of at its release and at its beginning', () => {
    const merge = new DigitMerge();
    expect(merge.isNew('inband', '0', 1050, 50)).toBe(true);
    expect(merge.isNew('rfc4733', '0', 6000, 5000)).toBe(false);
    expect(merge.isNew('rfc4733', '0', 6300, 200)).toBe(true);
  });
});
