import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type AgentDefinition, loadAgents } from '../../agent/agents.js';
import type { JournalEvent, StoredEvent } from '../../journal/events.js';
import type { Recogniser } from '../../speech/recognition/recogniser.js';
import { PATIENCE } from '../../turns/config.js';
import { answerAgain } from './answers.js';
import { contextOf, hearAgain } from './audio.js';
import { type Deciders, redecide } from './decisions.js';

const stored = (events: readonly JournalEvent[]): StoredEvent[] =>
  events.map((event, n) => ({ call: 'C', seq: n + 1, at: 1000 * n, ...event }));

/** Sure of what ends in "order", and of every interruption. */
const models: Deciders = {
  finished: async ({ words }) => (words.endsWith('order') ? 0.95 : 0.1),
  real: async () => 0.9,
};
const balanced = { endpointing: PATIENCE.balanced, stopWords: [] };

function orders(): AgentDefinition {
  const agent = loadAgents(fileURLToPath(new URL('../../../agents', import.meta.url))).get('orders');
  if (!agent) throw new Error('no agent');
  return agent;
}

const turn = (turnNumber: number, text: string, said: string): JournalEvent[] => [
  { type: 'caller.turn', turn: turnNumber, text, from: 'speech' },
  { type: 'agent.turn', turn: turnNumber, planned: said, heard: said, interrupted: false, kind: 'reply' },
];

describe('a replay', () => {
  it('decides turns anew by what was asked for and how patient the agent is, and tells what differs', async () => {
    const events = stored([
      { type: 'turn.decision', turn: 1, decision: 'ended', waitMs: 230, text: 'where is my order', finished: 0.9 },
      {
        type: 'turn.decision',
        turn: 2,
        decision: 'ended',
        waitMs: 230,
        text: 'four eight',
        expected: { kind: 'digits', length: 6 },
      },
      { type: 'turn.decision', turn: 2, decision: 'held', waitMs: 0, text: 'and' },
    ]);
    const decided = await redecide(events, models, balanced);
    expect(decided.map(({ differs }) => differs)).toEqual([false, true, false]);
    expect(decided[1]).toMatchObject({ was: 'ended after 230 ms', now: 'ended after 2500 ms, P 0.10' });
    const patient = await redecide(events, models, { ...balanced, endpointing: PATIENCE.patient });
    expect(patient[0]).toMatchObject({ now: 'ended after 400 ms, P 0.95', differs: true });
  });

  it('decides anew who has the floor', async () => {
    const events = stored([
      { type: 'backchannel', text: 'uh-huh', durationMs: 300 },
      { type: 'backchannel', text: 'my sister', durationMs: 600 },
      { type: 'interruption', turn: 1, intoReplyMs: 900, text: 'yeah', burstMs: 500 },
      { type: 'interruption', turn: 1, intoReplyMs: 900 },
    ]);
    const decided = await redecide(events, models, balanced);
    expect(decided.map(({ text, was, differs }) => [text, was, differs])).toEqual([
      ['uh-huh', 'go-on', false],
      ['my sister', 'go-on', true],
      ['yeah', 'stop', true],
    ]);
  });

  it('answers anew with the results that actions gave in the call', async () => {
    const order = { found: true, status: 'processing', item: 'a chair', arrives: '2025-05-17', number: '482715' };
    const events = stored([
      { type: 'call.received', time: '2025-05-15T10:00:00Z', from: '100', to: '8001', source: '', sipCallId: '' },
      ...turn(1, 'where is my order', 'What is your six digit order number?'),
      { type: 'action.returned', turn: 2, action: 'find-order', ok: true, ms: 3, result: order },
      ...turn(2, '482715', 'It is lost.'),
    ]);
    const answers = await answerAgain(events, orders(), new Date(2025, 4, 15));
    expect(answers.map(({ differs }) => differs)).toEqual([false, true]);
    expect(answers[0]?.now.topic).toBe('order-status');
    expect(answers[1]?.now.said).toContain('a chair');
  });

  it('finds the turns of a recording: a pause that the wait outlasts divides nothing', async () => {
    const words = ['i want to ask', 'i want to ask about my order', 'thank you'];
    const recogniser: Recogniser = {
      capabilities: { sampleRate: 16_000, maxSeconds: 30, drafts: false },
      recognise: async () => ({ text: words.shift() ?? '', tokens: [], logProbability: 0 }),
      close: async () => undefined,
    };
    const at = (start: number, end: number) => ({ start: start * 8000, end: end * 8000 });
    const ears = { recogniser, turns: models, speech: async () => [at(1, 2), at(2.6, 3.5), at(6, 7)] };
    const sound = { pcm: new Int16Array(8000 * 10), sampleRate: 8000 };
    const events = stored([]);
    const found = await hearAgain(sound, ears, PATIENCE.balanced, contextOf(events, 0));
    expect(found).toMatchObject([
      { from: 1, to: 3.5, text: 'i want to ask about my order', pauses: [600], waitMs: 220 },
      { from: 6, to: 7, text: 'thank you', pauses: [] },
    ]);
  });
});
