import { describe, expect, it } from 'vitest';
import { glareBackoffMs } from './glare.js';
import { intervalRefusal, SessionInterval } from './session-interval.js';

const CONFIG = { expires: 1800, min: 120 };

function headers(given: Record<string, string>): (name: string) => string | undefined {
  return (name) => given[name];
}

function answer(given: Record<string, string>): string {
  const { 'Session-Expires': session = '', Require = '' } = new SessionInterval(CONFIG).answer(headers(given));
  return `${session} ${Require}`.trim();
}

describe('a session timer', () => {
  it('is agreed as the caller can and asks', () => {
    expect(answer({})).toBe('');
    expect(answer({ Supported: '100rel, timer' })).toBe('1800;refresher=uas');
    expect(answer({ Supported: 'timer', 'Session-Expires': '600' })).toBe('600;refresher=uas');
    expect(answer({ Supported: 'timer', 'Session-Expires': '3600;refresher=uac' })).toBe('1800;refresher=uac timer');
    expect(answer({ Supported: 'timer', 'Session-Expires': '600;refresher=uas' })).toBe('600;refresher=uas');
    // A proxy asked for it, and the caller knows nothing of it.
    expect(answer({ 'Session-Expires': '600;refresher=uac' })).toBe('600;refresher=uas');
    expect(answer({ Supported: 'timer', 'Session-Expires': '7200', 'Min-SE': '3600' })).toBe('3600;refresher=uas');
  });

  it('that is too short is refused with the least that is taken', () => {
    expect(intervalRefusal(headers({ 'Session-Expires': '119;refresher=uac' }), CONFIG)).toEqual({
      status: 422,
      headers: { 'Min-SE': '120' },
    });
    expect(intervalRefusal(headers({ 'Session-Expires': '120' }), CONFIG)).toBeUndefined();
    expect(intervalRefusal(headers({}), CONFIG)).toBeUndefined();
  });

  it('stays as it is through offers of ours, and grows when the peer asks for it', () => {
    const interval = new SessionInterval(CONFIG);
    expect(interval.request()).toEqual({ Supported: 'timer' });
    interval.answer(headers({ Supported: 'timer', 'Session-Expires': '600;refresher=uac' }));
    expect(interval.request()).toMatchObject({ 'Session-Expires': '600;refresher=uas' });
    expect(interval.tooShort(headers({ 'Min-SE': '900' }))).toBe(true);
    expect(interval.tooShort(headers({ 'Min-SE': '900' }))).toBe(false);
    expect(interval.request()).toMatchObject({ 'Session-Expires': '900;refresher=uas', 'Min-SE': '900' });
    interval.accepted(headers({ 'Session-Expires': '900;refresher=uac' }));
    expect(interval.request()).toMatchObject({ 'Session-Expires': '900;refresher=uac' });
    interval.accepted(headers({}));
    expect(interval.request()).toEqual({ Supported: 'timer' });
  });

  it('and glare: who made the Call-ID waits longer', () => {
    for (let n = 0; n < 200; n++) {
      const [owner, other] = [glareBackoffMs(true), glareBackoffMs(false)];
      expect([owner % 10, other % 10]).toEqual([0, 0]);
      expect(owner >= 2100 && owner <= 4000 && other >= 0 && other <= 2000).toBe(true);
    }
  });
});
