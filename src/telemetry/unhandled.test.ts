import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { callOfScope, inCall, scoped } from './call-scope.js';
import { createLogger } from './log.js';
import { UnhandledErrors } from './unhandled.js';

function errors() {
  const ended: unknown[][] = [];
  let at = 0;
  const pass = (ms: number) => {
    at += ms;
  };
  const unhandled = new UnhandledErrors({
    logger: createLogger('silent'),
    ofCall: (...told) => void ended.push(told),
    now: () => at,
  });
  return { unhandled, ended, pass };
}

describe('errors that nothing caught', () => {
  it('cost the call whose work they come from, and no other', () => {
    const { unhandled, ended } = errors();
    const error = new Error('in a call');
    inCall('a', () => unhandled.take(error));
    expect(unhandled.take(new Error('in none'))).toBe(true);
    expect(ended).toEqual([['a', error]]);
    expect(unhandled.count).toBe(2);
  });

  it('say that the process is not sound when they come in storms only', () => {
    const { unhandled, pass } = errors();
    for (let n = 0; n < 60; n++) {
      expect(unhandled.take(new Error('now and then'))).toBe(true);
      pass(10_000);
    }
    const storm = Array.from({ length: 20 }, () => unhandled.take(new Error('storm')));
    expect([storm[0], storm.at(-1)]).toEqual([true, false]);
  });

  it('do not reach who called the listener, and keep its call', async () => {
    const thrown = new Promise<unknown[]>((resolve) => {
      const before = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        const call = callOfScope();
        for (const listener of before) process.on('uncaughtException', listener);
        resolve([error.message, call]);
      });
    });
    const socket = new EventEmitter();
    let told = 0;
    const listener = inCall('b', () =>
      scoped(() => {
        throw new Error('in a listener');
      }),
    );
    socket.on('data', listener);
    socket.on('data', () => void told++);
    inCall('another', () => socket.emit('data'));
    expect(told).toBe(1);
    expect(await thrown).toEqual(['in a listener', 'b']);
  });
});
