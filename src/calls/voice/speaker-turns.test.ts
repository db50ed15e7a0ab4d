import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SpeakerTurns } from './speaker-turns.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('makes a line of what is said without a long pause, and commits it', () => {
  const done: string[] = [];
  const turns = new SpeakerTurns({
    turn: (text, from, to) => done.push(`${text} ${from}-${to}`),
    partial: () => undefined,
    commit: (position) => done.push(`commit ${position}`),
  });
  const at = performance.now();
  turns.event({ type: 'onset', at, position: 0, voicedAt: 10 });
  turns.event({ type: 'offset', at, voicedAt: 20, position: 100 });
  turns.event({ type: 'final', at, text: 'Hello', position: 100 });
  turns.event({ type: 'onset', at, position: 150, voicedAt: 30 });
  turns.event({ type: 'offset', at, voicedAt: 40, position: 200 });
  turns.event({ type: 'final', at, text: 'Hello there', position: 200 });
  vi.advanceTimersByTime(1000);
  expect(done).toEqual(['commit 200', 'Hello there 10-40']);
  turns.event({ type: 'onset', at, position: 300, voicedAt: 50 });
  turns.event({ type: 'partial', at, text: 'And', position: 310 });
  turns.flush();
  expect(done.at(-1)).toMatch(/^And 50-/);
  expect(turns.pending).toBe(0);
});
