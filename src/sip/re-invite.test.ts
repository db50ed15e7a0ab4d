import type Srf from 'drachtio-srf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Reinvites } from './re-invite.js';
import { SessionInterval } from './session-interval.js';

const OFFER = 'v=0\r\n';

/** A dialog whose peer answers offers with these statuses; `at` are the times they were made, ms. */
function dialog(type: 'uac' | 'uas', statuses: readonly number[]) {
  const at: number[] = [];
  const left = [...statuses];
  const request = (_: object, callback: (error: unknown, response: object) => void) => {
    at.push(Date.now());
    const [status, body] = [left.shift() ?? 200, 'answer'];
    callback(undefined, { status, reason: '', body, has: () => false, get: () => '' });
  };
  const interval = new SessionInterval({ expires: 1800, min: 90 });
  const offers = new Reinvites({ type, local: {}, request } as unknown as Srf.Dialog, interval);
  return { offers, at };
}

describe('an offer that crosses the peer’s (RFC 3261 14.1)', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ['uac', 2100, 4000],
    ['uas', 0, 2000],
  ] as const)('is made again as the %s after %i to %i ms, every time anew', async (type, least, most) => {
    const { offers, at } = dialog(type, [491, 491, 491, 200]);
    const outcome = offers.offer(() => OFFER);
    await vi.runAllTimersAsync();
    expect(await outcome).toEqual({ accepted: true, answer: 'answer' });
    const gaps = at.slice(1).map((time, n) => time - at[n]!);
    expect(gaps).toHaveLength(3);
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(least);
      expect(gap).toBeLessThanOrEqual(most);
    }
  });

  it('is given up when it crosses for ever, and at once when the call is over', async () => {
    const endless = dialog(
      'uas',
      Array.from({ length: 20 }, () => 491),
    );
    const outcome = endless.offers.offer(() => OFFER);
    await vi.runAllTimersAsync();
    expect(await outcome).toMatchObject({ accepted: false, status: 491, gone: false });
    expect(endless.at).toHaveLength(6);
    const ended = dialog('uac', [491]);
    const given = ended.offers.offer(() => OFFER);
    await vi.advanceTimersByTimeAsync(100);
    ended.offers.end();
    expect(await given).toMatchObject({ accepted: false, gone: true });
    expect(ended.at).toHaveLength(1);
  });

  it('waits while an offer of the peer is open', async () => {
    const { offers, at } = dialog('uas', [200]);
    offers.block(true);
    const outcome = offers.offer(() => OFFER);
    await vi.advanceTimersByTimeAsync(5000);
    expect(at).toEqual([]);
    offers.block(false);
    expect(await outcome).toMatchObject({ accepted: true });
  });
});
