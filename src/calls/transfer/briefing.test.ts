import { describe, expect, it } from 'vitest';
import type { JournalEvent, StoredEvent } from '../../journal/events.js';
import { briefingOf, handOverOf, subjectOf } from './briefing.js';

function journal(...events: JournalEvent[]): StoredEvent[] {
  return events.map((event, n) => ({ call: 'c', seq: n + 1, at: n, ...event }) as StoredEvent);
}

const caller = (from: string) => ({ from, name: undefined, ownName: undefined, asserted: false, withheld: false });

describe('the briefing of a person', () => {
  it('tells topic, what the caller gave, and what was done', () => {
    const handOver = handOverOf(
      journal(
        { type: 'topic', turn: 1, topic: 'order-status', score: 1, ms: 1 },
        { type: 'entity.heard', name: 'orderNumber', value: '482714' },
        { type: 'entity.rejected', name: 'orderNumber', value: '482714' },
        { type: 'entity.confirmed', name: 'orderNumber', value: '482715' },
        { type: 'variable', name: 'order', value: { secret: true } },
        { type: 'action.returned', turn: 1, action: 'find-order', ok: true, ms: 1 },
        { type: 'topic', turn: 2, topic: 'none', score: 0, ms: 1 },
        { type: 'topic', turn: 2, topic: 'refund', score: 1, ms: 1 },
        { type: 'action.returned', turn: 2, action: 'request-refund', ok: false, ms: 1 },
      ),
      'request',
    );
    expect(briefingOf(handOver, caller('+4930123')).join(' ')).toBe(
      'A call from +4930123. It is about order status and refund. They gave: order number 482715. ' +
        'Done so far: find order. This did not work: request refund.',
    );
    expect(subjectOf(handOver)).toBe('refund, order number 482715');
  });

  it('falls back on the words, without what could steer anything', () => {
    const said = handOverOf(
      journal({ type: 'caller.turn', turn: 1, text: 'my <b>\r\nlamp', from: 'speech' }),
      'request',
    );
    expect(briefingOf(said, caller('anonymous'))).toEqual([
      'A call from an unknown number.',
      'The caller said: my b lamp.',
    ]);
    expect(subjectOf(handOverOf([], 'not understood'))).toBe('not understood');
    const key = handOverOf(journal({ type: 'caller.turn', turn: 1, text: '0', from: 'dtmf' }), 'request');
    expect(briefingOf(key, caller('1234'))).toEqual(['A call from 1234.']);
    const [named] = briefingOf(key, { ...caller('1234'), name: 'Zoë <b>' });
    const [withheld] = briefingOf(key, { ...caller('1234'), name: 'Zoë', withheld: true });
    expect([named, withheld]).toEqual(['A call from Zoë b, 1234.', 'A call from a withheld number.']);
  });

  it('tells what an IVR asked for, and nothing that is masked', () => {
    const { facts, ivr } = handOverOf(
      journal(
        { type: 'ivr.segment', part: 'start', by: 'token', menu: [], variables: { tier: 'gold', pin: '****' } },
        { type: 'ivr.segment', part: 'digits', name: 'orderNumber', digits: '482715', masked: false },
        { type: 'ivr.segment', part: 'digits', name: 'code', digits: '****', masked: true },
        { type: 'variable', name: 'card', value: '***' },
      ),
      'request',
    );
    expect([facts, ivr]).toEqual([{ orderNumber: '482715' }, { tier: 'gold' }]);
  });
});
