import { describe, expect, it } from 'vitest';
import { loopStart } from './repetition.js';

const times = (count: number, ...piece: number[]) => Array.from({ length: count }, () => piece).flat();

describe('loopStart', () => {
  it('finds where endless repetition begins', () => {
    expect(loopStart([7, 8, ...times(10, 5)])).toBe(2);
    expect(loopStart([7, ...times(4, 1, 2, 3, 4, 5)])).toBe(1);
  });

  it('lets people say a thing a few times', () => {
    expect(loopStart(times(4, 5, 6))).toBeUndefined();
    expect(loopStart(times(6, 5))).toBeUndefined();
    expect(loopStart([1, 2, 3, 4, 5, 6, 7, 8])).toBeUndefined();
  });
});
