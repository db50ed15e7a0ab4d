import { describe, expect, it } from 'vitest';
import type { StoredEvent } from './journal/events.js';
import { ParleyListeners } from './parley-events.js';
import { createLogger } from './telemetry/log.js';

const caller: StoredEvent = { call: 'c', seq: 2, at: 10, type: 'caller.turn', turn: 1, text: 'hello', from: 'speech' };
const failed: StoredEvent = { call: 'c', seq: 3, at: 20, type: 'error', code: 'PARLEY_ERR_INTERNAL', message: 'x' };

describe('listeners of a program', () => {
  it('are told by type, by group, and of everything; until they are taken away', () => {
    const listeners = new ParleyListeners(createLogger('silent'));
    const told: string[] = [];
    const note = (name: string) => (event: StoredEvent) => told.push(`${name} ${event.type}`);
    const turn = note('turn');
    listeners.add('turn', turn);
    listeners.add('caller.turn', note('caller.turn'));
    listeners.add('event', note('event'));
    listeners.tell(caller);
    // An EventEmitter would throw: nobody listens to errors.
    listeners.tell(failed);
    listeners.remove('turn', turn);
    listeners.tell(caller);
    expect(told.sort()).toEqual([
      'caller.turn caller.turn',
      'caller.turn caller.turn',
      'event caller.turn',
      'event caller.turn',
      'event error',
      'turn caller.turn',
    ]);
  });

  it('fail for themselves only, by throwing or by rejecting', async () => {
    const listeners = new ParleyListeners(createLogger('silent'));
    let told = 0;
    listeners.add('turn', () => {
      throw new Error('bad');
    });
    listeners.add('turn', () => Promise.reject(new Error('bad')));
    listeners.add('turn', () => told++);
    listeners.tell(caller);
    await new Promise(setImmediate);
    expect(told).toBe(1);
  });
});
