import { describe, expect, it } from 'vitest';
import { EventMask } from './masking.js';

const turn = (text: string) => ({ type: 'caller.turn', turn: 1, text, from: 'speech' }) as const;
const said = (heard: string) =>
  ({ type: 'agent.turn', turn: 1, planned: heard, heard, interrupted: false, kind: 'reply' }) as const;

describe('what must not be stored', () => {
  it('digits and keys while a number is asked for, and nothing before or after', () => {
    const mask = new EventMask(new Set(['code']));
    expect(mask.mask(turn('my order is 482715'))).toEqual(turn('my order is 482715'));
    mask.sensitive(true, true);
    expect(mask.mask(turn('it is four eight two, 7 one five thanks'))).toEqual(turn('it is ****** thanks'));
    const partial = mask.mask({ type: 'caller.partial', text: 'double four two', stable: 'double four' });
    expect(partial).toEqual({ type: 'caller.partial', text: '***', stable: '**' });
    expect(mask.mask({ type: 'dtmf', digit: '7', durationMs: 80 })).toEqual({
      type: 'dtmf',
      digit: 'x',
      durationMs: 80,
    });
    expect(mask.mask(said('I heard 4 8 2, 7 1 5. Is that right?'))).toEqual(said('I heard ******. Is that right?'));
    mask.sensitive(false, true);
    expect(mask.mask(turn('and 12 chairs'))).toEqual(turn('and 12 chairs'));
    expect(mask.mask({ type: 'dtmf', digit: '7', durationMs: 80 })).toMatchObject({ digit: '7' });
  });

  it('whole answers where words are secret, too', () => {
    const mask = new EventMask(new Set());
    mask.sensitive(true, false);
    expect(mask.mask(turn('it is blue elephant'))).toEqual(turn('***'));
    expect(mask.mask(said('Thank you.'))).toEqual(said('Thank you.'));
  });

  it('values of secret variables wherever they come up, and actions get them all the same', () => {
    const mask = new EventMask(new Set(['pin', 'word']));
    const pin = { type: 'variable', name: 'pin', value: '48271' } as const;
    expect(mask.mask(pin)).toEqual({ ...pin, value: '***' });
    expect(pin.value).toBe('48271');
    mask.mask({ type: 'entity.heard', name: 'word', value: 'Anna-Lena' });
    expect(mask.mask(turn('well four eight two seven one it was'))).toEqual(turn('well ***** it was'));
    expect(mask.mask(said('A, N, N, A, L, E, N, A, that is 4 8 2, 7 1.'))).toEqual(said('***, that is *****.'));
    const called = {
      type: 'action.called',
      turn: 1,
      action: 'check',
      parameters: { pin: '48271', n: 48271, amount: 12 },
      sideEffects: false,
    } as const;
    expect(mask.mask(called)).toMatchObject({ parameters: { pin: '*****', n: '***', amount: 12 } });
  });

  it('card numbers at any time, by their check digit', () => {
    const mask = new EventMask(new Set());
    expect(mask.mask(turn('charge 4111 1111 1111 1111 please'))).toEqual(turn(`charge ${'*'.repeat(16)} please`));
    expect(mask.mask(turn('parcel 4111 1111 1111 1112 please'))).toEqual(turn('parcel 4111 1111 1111 1112 please'));
  });
});
