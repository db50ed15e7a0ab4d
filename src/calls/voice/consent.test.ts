import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VoiceEvent } from '../../conversation/voice.js';
import type { JournalEvent } from '../../journal/events.js';
import { type AskingVoice, ConsentQuestion } from './consent.js';

const CONSENT = {
  ask: 'May we?',
  again: 'Yes or no?',
  key: '1',
  refuseKey: '2',
  tries: 2,
  waitMs: 5000,
  refused: 'unrecorded',
} as const;

/** A voice whose sentences last one second. */
function talk() {
  const events: JournalEvent[] = [];
  let tell: (event: VoiceEvent) => void = () => undefined;
  let cut: () => void = () => undefined;
  const voice: AskingVoice = {
    announce: (sentences) =>
      new Promise((resolve) => {
        const end = (stopped: boolean) => resolve({ heard: stopped ? '' : sentences.join(' '), stopped });
        setTimeout(() => end(false), 1000);
        cut = () => end(true);
      }),
    divert: (listener) => {
      tell = listener ?? (() => undefined);
    },
    expect: () => undefined,
    commit: () => undefined,
    stop: () => cut(),
  };
  const question = new ConsentQuestion(
    voice,
    CONSENT,
    (event) => events.push(event),
    () => Date.now(),
  );
  let result: boolean | undefined | 'asking' = 'asking';
  void question.ask().then((agreed) => {
    result = agreed;
  });
  return {
    question,
    result: () => result,
    outcome: () => events.find((event) => event.type === 'consent'),
    asked: () => events.flatMap((event) => (event.type === 'agent.turn' ? [event.planned] : [])),
    press: (digit: string) => tell({ type: 'dtmf', at: Date.now(), digit, durationMs: 100 }),
    say: async (text: string, ms = 500) => {
      tell({ type: 'onset', at: Date.now(), voicedAt: Date.now(), position: 0 });
      await vi.advanceTimersByTimeAsync(ms);
      tell({ type: 'offset', at: Date.now(), voicedAt: Date.now(), position: 1 });
      tell({ type: 'final', at: Date.now(), text, position: 1 });
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('asking for consent', () => {
  it('takes a key in the middle of the question', async () => {
    const { press, result, outcome } = talk();
    await vi.advanceTimersByTimeAsync(300);
    press('7');
    press('1');
    await vi.advanceTimersByTimeAsync(0);
    expect(result()).toBe(true);
    expect(outcome()).toEqual({ type: 'consent', outcome: 'given', by: 'key', words: undefined, asked: 1 });
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
  });

  it('takes words once the question is heard, and none of the question itself', async () => {
    const { say, result, outcome } = talk();
    await say('yes or no', 200);
    expect(result()).toBe('asking');
    await vi.advanceTimersByTimeAsync(1000);
    await say('No, thank you.');
    expect(result()).toBe(false);
    expect(outcome()).toMatchObject({ outcome: 'refused', by: 'voice', words: 'No, thank you.', asked: 1 });
  });

  it('asks again at once when something else is said, and takes silence for no', async () => {
    const { say, result, outcome, asked } = talk();
    await vi.advanceTimersByTimeAsync(1000);
    await say('What is this about?');
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked()).toEqual(['May we?', 'Yes or no?']);
    await vi.advanceTimersByTimeAsync(5000);
    expect(result()).toBe(false);
    expect(outcome()).toMatchObject({ outcome: 'no-answer', asked: 2 });
  });

  it('waits for who is still speaking, and says nothing when the call ends', async () => {
    const { say, question, result, outcome } = talk();
    await vi.advanceTimersByTimeAsync(1000);
    await say('Well', 8000);
    expect(result()).toBe('asking');
    question.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(result()).toBeUndefined();
    expect(outcome()).toBeUndefined();
    expect(question.pending).toBe(0);
  });
});
