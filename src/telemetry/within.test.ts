import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { within } from './within.js';

describe('a wait with an end', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('brings what the work comes to, and leaves no timer behind', async () => {
    expect(await within(50, Promise.resolve('done'))).toBe('done');
    await expect(within(50, Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends without it, and what fails later is nobody’s', async () => {
    let fail: (error: Error) => void = () => undefined;
    const waited = within(50, new Promise<string>((_, reject) => (fail = reject)), 'late');
    await vi.advanceTimersByTimeAsync(50);
    expect(await waited).toBe('late');
    fail(new Error('failed'));
  });
});
