import { describe, expect, it } from 'vitest';
import type { JournalEvent, StoredEvent } from './events.js';
import { renderTranscript, type TranscriptLine, transcript } from './transcript.js';

function journal(...events: [at: number, event: JournalEvent][]): StoredEvent[] {
  return events.map(([at, event], i) => ({ call: 'c', seq: i + 1, at, ...event }));
}

function reply(turn: number, planned: string, heard = planned): JournalEvent {
  return { type: 'agent.turn', turn, planned, heard, interrupted: heard !== planned, kind: 'reply' };
}

const cases: [what: string, events: StoredEvent[], lines: TranscriptLine[]][] = [
  ['nothing', [], []],
  [
    'turns, in the order in which they began',
    journal(
      [5, { type: 'agent.started', turn: 0, utterance: 'u1' }],
      [1500, reply(0, 'Hello.')],
      [2000, { type: 'caller.started' }],
      [3900, { type: 'caller.turn', turn: 1, text: 'where is my order', from: 'speech', startedAt: 2000 }],
      [4300, { type: 'agent.started', turn: 1, utterance: 'u2' }],
      [5300, { type: 'agent.started', turn: 1, utterance: 'u3' }],
      [7000, reply(1, 'One moment. It comes today.')],
    ),
    [
      { at: 5, who: 'agent', text: 'Hello.' },
      { at: 2000, who: 'caller', text: 'where is my order' },
      { at: 4300, who: 'agent', text: 'One moment. It comes today.' },
    ],
  ],
  [
    'an interrupted reply as it was heard',
    journal(
      [100, { type: 'agent.started', turn: 1, utterance: 'u' }],
      [1900, reply(1, 'We open at nine and close at five.', 'We open at')],
      [2500, { type: 'caller.turn', turn: 2, text: 'on Sunday', from: 'speech', startedAt: 1200 }],
    ),
    [
      {
        at: 100,
        who: 'agent',
        text: 'We open at',
        interrupted: true,
        planned: 'We open at nine and close at five.',
      },
      { at: 1200, who: 'caller', text: 'on Sunday' },
    ],
  ],
  [
    'two utterances of one turn number, each from its own beginning',
    journal(
      [10, { type: 'agent.started', turn: 1, utterance: 'u1' }],
      [20, reply(1, 'First.')],
      [30, { type: 'agent.started', turn: 1, utterance: 'u2' }],
      [40, reply(1, 'Are you still there?')],
    ),
    [
      { at: 10, who: 'agent', text: 'First.' },
      { at: 30, who: 'agent', text: 'Are you still there?' },
    ],
  ],
  [
    'keys, backchannels and what else a reader needs to know',
    journal(
      [0, { type: 'call.received', time: 't', from: '100', to: '8001', source: 's', sipCallId: 'x', agent: 'orders' }],
      [1, { type: 'caller.turn', turn: 1, text: '123', from: 'dtmf' }],
      [2, { type: 'backchannel', text: 'uh-huh', durationMs: 200 }],
      [3, { type: 'topic', turn: 1, topic: 'x', score: 1, ms: 1 }],
      [4, { type: 'action.returned', turn: 1, action: 'orders', ok: false, ms: 5, error: 'timed out' }],
      [5, { type: 'escalation', trigger: 'caller asked', target: undefined }],
      [6, { type: 'call.ended', by: 'caller', reason: 'BYE', durationMs: 6 }],
    ),
    [
      { at: 0, who: 'system', text: 'call from 100 to 8001, agent orders' },
      { at: 1, who: 'caller', text: '(keys) 123' },
      { at: 2, who: 'caller', text: '(uh-huh)' },
      { at: 4, who: 'system', text: 'action orders failed: timed out' },
      { at: 5, who: 'system', text: 'escalation (caller asked) to nobody: no target' },
      { at: 6, who: 'system', text: 'call ended by caller: BYE' },
    ],
  ],
];

cases.push([
  'what an IVR in front did, before everything else',
  journal(
    [0, { type: 'call.received', time: 't', from: '1', to: '2', source: 's', sipCallId: 'x' }],
    [
      -9000,
      { type: 'ivr.segment', part: 'start', by: 'token', ivr: 'desk', menu: ['A', 'B'], variables: { vip: true } },
    ],
    [-9000, { type: 'ivr.segment', part: 'line', who: 'ivr', text: 'Your number?', from: 'speech' }],
    [-4000, { type: 'ivr.segment', part: 'line', who: 'caller', text: '***', from: 'dtmf' }],
    [-10, { type: 'ivr.segment', part: 'digits', name: 'pin', digits: '***', masked: true }],
    [0, { type: 'ivr.segment', part: 'signalling', diversion: ['2000'] }],
  ),
  [
    { at: -9000, who: 'system', text: 'from desk: A > B, vip true' },
    { at: -9000, who: 'ivr', text: 'Your number?' },
    { at: -4000, who: 'caller', text: '(keys) ***' },
    { at: -10, who: 'system', text: 'keyed pin: ***' },
    { at: 0, who: 'system', text: 'call from 1 to 2' },
    { at: 0, who: 'system', text: 'diverted from 2000' },
  ],
]);

describe('transcript', () => {
  it.each(cases)('shows %s', (_, events, lines) => {
    expect(transcript(events)).toEqual(lines);
  });

  it('renders for a terminal, and lets nobody steer it', () => {
    const text = renderTranscript([
      { at: -1500, who: 'system', text: 'ivr' },
      { at: 61_250, who: 'caller', text: 'a\u001b[2Jb\nc' },
      {
        at: 62_000,
        who: 'agent',
        text: 'We open',
        interrupted: true,
        planned: 'We open at 9',
        latency: { reply: 612.4 },
      },
      { at: 63_000, who: 'agent', text: '', planned: 'Never said.' },
    ]);
    expect(text.split('\n')).toEqual([
      ' -0:01.5  system  ivr',
      '  1:01.3  caller  a [2Jb c',
      '  1:02.0  agent   We open -- [not heard: at 9]  (612 ms)',
      '  1:03.0  agent   [not heard: Never said.]',
      '',
    ]);
  });
});
