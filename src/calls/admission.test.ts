import { describe, expect, it } from 'vitest';
import { Admission } from './admission.js';

const QUIET = { loopMs: 2, mediaMs: 1, speech: 0 };

function admission() {
  const one = new Admission({ loopMs: 100, mediaMs: 30, speechBacklog: 8 });
  const feed = (load: Partial<typeof QUIET>, times: number) => {
    for (let n = 0; n < times; n++) one.sample({ ...QUIET, ...load });
    return one.overload;
  };
  return { one, feed };
}

describe('admission by load', () => {
  it.each([
    ['loopMs', 150],
    ['mediaMs', 31],
    ['speech', 9],
  ] as const)('refuses when %s stays above its limit, not at a hiccup', (signal, value) => {
    const { one, feed } = admission();
    expect(feed({ [signal]: value }, 2)).toBeUndefined();
    feed({}, 1);
    expect(feed({ [signal]: value }, 2)).toBeUndefined();
    expect(feed({ [signal]: value }, 1)).toBe(signal);
    expect(Object.fromEntries(one.load)[signal]).toBeGreaterThan(1);
  });

  it('takes calls again only when it has been well below for a while', () => {
    const { feed } = admission();
    expect(feed({ loopMs: 200 }, 3)).toBe('loopMs');
    // A little below the limit: the next call would bring it back.
    expect(feed({ loopMs: 90 }, 20)).toBe('loopMs');
    expect(feed({}, 5)).toBe('loopMs');
    feed({ loopMs: 80 }, 1);
    expect(feed({}, 5)).toBe('loopMs');
    expect(feed({}, 1)).toBeUndefined();
  });

  it('lets a limit of 0 be none', () => {
    const one = new Admission({ loopMs: 0, mediaMs: 0, speechBacklog: 0 });
    for (let n = 0; n < 9; n++) one.sample({ loopMs: 1e6, mediaMs: 1e6, speech: 1e6 });
    expect(one.overload).toBeUndefined();
  });
});
