import { describe, expect, it } from 'vitest';
import type { EndedBy, JournalEvent, StoredEvent } from './events.js';
import { outcomeOf } from './outcome.js';

function journal(...events: JournalEvent[]): StoredEvent[] {
  return events.map((event, i) => ({ call: 'c', seq: i + 1, at: i * 10, ...event }));
}

const said = (turn: number, text: string): JournalEvent => ({ type: 'caller.turn', turn, text, from: 'speech' });
const reply = (turn: number, ms: number): JournalEvent => {
  const latency = { reply: ms, firstAudio: ms - 100 };
  return { type: 'agent.turn', turn, planned: 'x', heard: 'x', interrupted: turn === 2, kind: 'reply', latency };
};

describe('outcome of a call', () => {
  it('says what was asked and done, how it felt, and how long callers waited', () => {
    const events = journal(
      { type: 'ivr.segment', part: 'start', by: 'token', ivr: 'desk', topic: 'orders', menu: ['A'], variables: {} },
      { type: 'call.answered', codec: 'PCMU', ms: 100 },
      said(1, 'where is my order'),
      { type: 'topic', turn: 1, topic: 'order-status', score: 0.9, ms: 1 },
      { type: 'sentiment', turn: 1, score: -0.4, mood: 'negative' },
      { type: 'entity.confirmed', name: 'orderNumber', value: '482715' },
      { type: 'action.returned', turn: 1, action: 'find-order', ok: true, ms: 5 },
      reply(1, 700),
      { type: 'topic', turn: 2, topic: 'none', score: 0.1, ms: 1 },
      said(2, 'hm'),
      reply(2, 900),
      { type: 'error', code: 'PARLEY_ERR_ACTION_FAILED', message: 'm' },
    );
    expect(outcomeOf(events, 'caller')).toEqual({
      type: 'call.summary',
      disposition: 'handled',
      ivr: { name: 'desk', topic: 'orders', menu: ['A'] },
      asked: [{ topic: 'order-status', turn: 1, words: 'where is my order' }],
      done: [{ action: 'find-order', ok: true }],
      entities: { orderNumber: '482715' },
      sentiment: [{ at: 40, turn: 1, score: -0.4 }],
      escalations: [],
      turns: { caller: 2, agent: 2, interrupted: 1 },
      latency: {
        reply: { count: 2, p50: 700, p95: 900, max: 900 },
        firstAudio: { count: 2, p50: 600, p95: 800, max: 800 },
      },
      errors: ['PARLEY_ERR_ACTION_FAILED'],
    });
  });

  it.each<[EndedBy, JournalEvent[], string]>([
    ['caller', [{ type: 'call.answered', codec: 'PCMU', ms: 1 }], 'abandoned'],
    ['transfer', [], 'transferred'],
    [
      'caller',
      [{ type: 'transfer.finished', target: 'desk', outcome: 'accepted', disposition: 'answered' }],
      'transferred',
    ],
    ['rejected', [], 'refused'],
    ['cancelled', [], 'cancelled'],
    ['error', [said(1, 'x')], 'failed'],
    ['shutdown', [], 'interrupted'],
  ])('ended by %s', (by, events, disposition) => {
    expect(outcomeOf(journal(...events), by).disposition).toBe(disposition);
  });
});
