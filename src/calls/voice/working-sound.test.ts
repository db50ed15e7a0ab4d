import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JournalEvent, StoredEvent } from '../../journal/events.js';
import { WorkingSound } from './working-sound.js';

describe('the sound of an agent at work', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const called = (turn = 1): JournalEvent => ({
    ...{ type: 'action.called', turn, action: 'find-order', parameters: {}, sideEffects: false },
  });
  const returned = (turn = 1): JournalEvent => ({
    ...{ type: 'action.returned', turn, action: 'find-order', ok: true, ms: 1 },
  });
  const turn = (number: number): JournalEvent => ({ type: 'caller.turn', turn: number, text: 'x', from: 'speech' });
  const hold = (by: 'us' | 'caller'): JournalEvent => ({ type: 'hold', on: true, by });

  /** What is played after these events; a number is time that passes, ms. */
  function played(...steps: (JournalEvent | number)[]): (string | undefined)[] {
    const sounds: (string | undefined)[] = [];
    const sound = new WorkingSound({
      settings: () => ({ sound: 'typing', afterMs: 800 }),
      play: (what) => void sounds.push(what),
    });
    for (const step of steps) {
      if (typeof step === 'number') vi.advanceTimersByTime(step);
      else sound.event({ call: 'c', seq: 1, at: 0, ...step } as StoredEvent);
    }
    const { length } = sounds;
    sound.event({ call: 'c', seq: 1, at: 0, type: 'call.summary' } as StoredEvent);
    expect([sound.pending, sounds.slice(length).every((one) => one === undefined)]).toEqual([0, true]);
    return sounds.slice(0, length);
  }

  it.each<[string, (JournalEvent | number)[], (string | undefined)[]]>([
    ['a quick action is not heard', [called(), 700, returned(), 5000], []],
    ['a slow one is, until it returns', [called(), 900, returned()], ['typing', undefined]],
    ['two at a time are one', [called(), 500, called(), 500, returned(), 900, returned()], ['typing', undefined]],
    ['its own turn, put on record later, ends nothing', [called(2), turn(2), 900], ['typing']],
    ['another turn ends it', [called(1), 900, turn(2), returned(1)], ['typing', undefined]],
    ['and before it was heard', [called(1), 100, turn(2), 5000], []],
    [
      'an interruption ends it',
      [called(), 900, { type: 'interruption', turn: 1, intoReplyMs: 1 }],
      ['typing', undefined],
    ],
    ['our music takes its place', [called(), 900, hold('us'), returned()], ['typing']],
    ['nobody hears it on hold', [hold('caller'), called(), 5000], []],
    ['an action that never returns ends it as well', [called(), 900, 60_000], ['typing', undefined]],
  ])('%s', (_, steps, sounds) => {
    expect(played(...steps)).toEqual(sounds);
  });
});
