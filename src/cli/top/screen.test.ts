import { expect, it } from 'vitest';
import { LiveFigures } from '../../console/live-figures.js';
import type { JournalEvent, StoredEvent } from '../../journal/events.js';
import { topLines } from './screen.js';

it('shows the live calls, who speaks, and what the server has to do', () => {
  const figures = new LiveFigures();
  const happened = (event: JournalEvent) =>
    figures.observe({ call: '01ABCDEF', at: 0, seq: 1, ...event } as StoredEvent);
  happened({ type: 'call.received', time: '', from: '', to: '', source: '', sipCallId: '' });
  happened({ type: 'agent.started', turn: 0, utterance: 'r' });
  expect(figures.of('01ABCDEF')?.speaks).toBe('agent');
  happened({ type: 'caller.started' });
  expect(figures.of('01ABCDEF')?.speaks).toBe('both');
  const latency = { reply: 612.4 };
  happened({ type: 'agent.turn', turn: 1, planned: '', heard: '', interrupted: false, kind: 'reply', latency });
  happened({ type: 'media.quality', direction: 'received', mos: 4.4 });
  happened({ type: 'media.quality', direction: 'sent', mos: 3.9 });
  const call = { id: '01ABCDEF', from: '+49\x1b[2J30', to: '8001', state: 'talking', ageMs: 65_000, agent: 'orders' };
  const lines = topLines(
    {
      url: 'http://h',
      calls: [
        { ...call, ...figures.of('01ABCDEF') } as never,
        { id: '02', from: '1', to: '2', state: 'answering', ageMs: 1 },
      ],
      stats: {
        legs: 2,
        alarms: { PARLEY_ERR_SIP_LOST: 1 },
        load: { cpuPercent: 12, ofLimit: { loopMs: 0.25 } },
        late: [{ p99: 0.33 }],
        clips: { hits: 3, misses: 1 },
      },
    },
    { width: 120, height: 6 },
  );
  expect(lines).toHaveLength(6);
  expect(lines[0]).toBe('http://h  2 calls  ALARM PARLEY_ERR_SIP_LOST');
  expect(lines[1]).toBe('cpu 12%   of limits: event loop 25%   legs 2   media late 0.3 ms   clips cached 75%');
  expect(lines[4]).toMatch(/ABCDEF +1:05 +talking +\+49 \[2J30 +8001 +orders +caller +0 +612 ms +3\.9/);
  expect(lines[5]).toBe('... and 1 more');
  happened({ type: 'call.ended', by: 'caller', reason: '', durationMs: 1 });
  expect(figures.of('01ABCDEF')).toBeUndefined();
});
