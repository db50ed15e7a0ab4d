import { describe, expect, it } from 'vitest';
import { checkExpectations } from './expectations.js';
import { type CallScript, DEFAULTS, heardPattern, type Step } from './script.js';

const say = (text: string, expect?: Partial<NonNullable<Step['expect']>>): Step => ({
  action: { kind: 'say', pieces: [{ kind: 'text', text }] },
  after: { kind: 'agent' },
  expect: expect && { heard: [], notHeard: [], ...expect },
});

const listen = (expect: Partial<NonNullable<Step['expect']>>): Step => ({
  ...say('', expect),
  action: { kind: 'listen' },
});

const script = (steps: Step[], expectEnd?: CallScript['expectEnd']): CallScript => ({
  ...DEFAULTS,
  headers: {},
  steps,
  expectEnd,
});

const turn = (heard: string, more = {}) => ({ said: 'x', heard, voiceToVoiceMs: 800, cutOff: false, atMs: 0, ...more });

const facts = {
  answered: true,
  greeting: 'Thanks for calling.',
  greetingMs: 120,
  ended: { by: 'agent' as const },
};

describe('checkExpectations', () => {
  it('holds each step to its own answer, and a listening step to what was said last', () => {
    const steps = [
      listen({ heard: [heardPattern('thanks')], withinMs: 100 }),
      say('a', { heard: [heardPattern('/on (its|the) way/i')], withinMs: 1000, cutOff: false }),
      listen({ notHeard: [heardPattern('way')] }),
      say('b', { stopsMs: 500 }),
    ];
    const turns = [turn("It's on its way."), turn('Sure.', { stoppedMs: 350 })];
    const reports = checkExpectations(script(steps, 'caller'), { ...facts, turns }, [1, 3]);
    expect(reports).toEqual([
      { step: 1, expect: 'heard "thanks"', ok: true, actual: 'heard "Thanks for calling."' },
      { step: 1, expect: 'answer within 100 ms', ok: false, actual: '120 ms' },
      { step: 2, expect: 'heard /on (its|the) way/i', ok: true, actual: 'heard "It\'s on its way."' },
      { step: 2, expect: 'answer within 1000 ms', ok: true, actual: '800 ms' },
      { step: 2, expect: 'not cut off', ok: true, actual: 'not cut off' },
      { step: 3, expect: 'not heard "way"', ok: false, actual: 'heard "It\'s on its way."' },
      { step: 4, expect: 'agent stops within 500 ms', ok: true, actual: '350 ms' },
      { expect: 'ended by caller', ok: false, actual: 'ended by agent' },
    ]);
  });

  it('fails what the call did not come to', () => {
    const steps = [say('a'), say('b', { cutOff: false })];
    expect(checkExpectations(script(steps), { ...facts, turns: [turn('')] }, [0])).toEqual([
      { step: 2, expect: 'not cut off', ok: false, actual: 'the call ended before' },
    ]);
    const unanswered = { ...facts, answered: false, greeting: '', turns: [] };
    expect(checkExpectations(script([listen({ withinMs: 100 })]), unanswered, [])[0]?.ok).toBe(false);
  });
});
