import { describe, expect, it } from 'vitest';
import type { JournalEvent, StoredEvent } from '../journal/events.js';
import { Metrics } from './metrics.js';

const QUIET = {
  calls: 1,
  pendingEvents: 0,
  speechBacklog: 2,
  speechRestarts: 0,
  clips: { hits: 5, misses: 1, bytes: 640 },
  late: [{ p50: 0.2, p99: 1.5, max: 4 }],
  load: [['loopMs', 0.25]] as const,
  alarms: ['PARLEY_ERR_STORE_UNAVAILABLE'],
  unhandled: 0,
};

function metricsOf(events: JournalEvent[]): Promise<string> {
  const metrics = new Metrics();
  events.forEach((event, seq) => {
    metrics.observe({ ...event, call: 'c1', seq: seq + 1, at: seq } as StoredEvent);
  });
  return metrics.text(QUIET);
}

describe('metrics', () => {
  it('are a projection of the journal, with labels that no caller can make up', async () => {
    const text = await metricsOf([
      {
        type: 'call.received',
        time: '',
        from: 'anna',
        to: '8001',
        source: '10.0.0.1',
        sipCallId: 'x',
        agent: 'orders',
      },
      { type: 'caller.turn', turn: 1, text: 'my secret words', from: 'speech' },
      { type: 'topic', turn: 1, topic: 'refund', score: 0.9, ms: 1 },
      {
        type: 'agent.turn',
        turn: 1,
        planned: 'x',
        heard: 'x',
        interrupted: false,
        kind: 'reply',
        latency: { endpoint: 220, reply: 340 },
      },
      { type: 'turn.decision', turn: 1, decision: 'held', waitMs: 1, text: 'my secret' },
      { type: 'escalation', trigger: 'the caller says: my secret words', target: 'desk' },
      { type: 'media.quality', direction: 'sent', mos: 4.1, lossPercent: 1.5, jitterMs: 12 },
      { type: 'error', code: 'PARLEY_ERR_ACTION_FAILED', message: 'x' },
      { type: 'call.ended', by: 'caller', reason: 'BYE', durationMs: 42_000 },
    ]);
    expect(text).toContain('parley_calls_total{agent="orders",ended_by="caller"} 1');
    expect(text).toContain('parley_topics_total{agent="orders",topic="refund"} 1');
    expect(text).toContain('parley_turn_latency_seconds_bucket{le="0.4",part="reply"} 1');
    expect(text).toContain('parley_turn_latency_seconds_bucket{le="0.3",part="reply"} 0');
    expect(text).toContain('parley_errors_total{code="PARLEY_ERR_ACTION_FAILED"} 1');
    expect(text).toContain('parley_call_duration_seconds_sum 42');
    expect(text).toContain('parley_media_tick_late_seconds{worker="0",quantile="0.99"} 0.0015');
    expect(text).toContain('parley_clip_cache{what="hits"} 5');
    expect(text).toContain('parley_load_ratio{signal="loopMs"} 0.25');
    expect(text).toContain('parley_alarm{code="PARLEY_ERR_STORE_UNAVAILABLE"} 1');
    expect(text).toContain('parley_cut_offs_total{heard="false"} 1');
    expect(text).toContain('parley_escalations_total{agent="orders",trigger="other"} 1');
    expect(text).toContain('parley_media_loss_ratio_bucket{le="0.02",direction="sent"} 1');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).not.toMatch(/anna|secret|8001|10\.0\.0\.1/);
  });

  it('stay as many under 10,000 callers, numbers, and names of agents and actions', async () => {
    const count = async (calls: number) => {
      const metrics = new Metrics();
      for (let n = 0; n < calls; n++) {
        const events: JournalEvent[] = [
          {
            type: 'call.received',
            time: '',
            from: `+4930${n}`,
            to: `80${n}`,
            source: `10.0.${n >> 8}.${n & 255}`,
            sipCallId: `id-${n}`,
            agent: `agent-${n}`,
          },
          { type: 'topic', turn: 1, topic: `topic-${n}`, score: 0.9, ms: 1 },
          { type: 'escalation', trigger: `trigger-${n}`, target: `sip:+4930${n}@desk` },
          { type: 'action.returned', turn: 1, action: `action-${n}`, ok: true, ms: 10 },
          { type: 'error', code: 'PARLEY_ERR_ACTION_FAILED', message: `no ${n}` },
          { type: 'call.ended', by: 'caller', reason: `to +4930${n}`, durationMs: n },
        ];
        events.forEach((event, at) => {
          metrics.observe({ ...event, call: `c${n}`, seq: at + 1, at } as StoredEvent);
        });
      }
      return (await metrics.text(QUIET)).split('\n').filter((line) => line.startsWith('parley_'));
    };
    const [some, many] = [await count(1000), await count(10_000)];
    expect(many.length).toBe(some.length);
    expect(many).toContain('parley_calls_total{agent="other",ended_by="caller"} 9800');
    expect(many.join('\n')).not.toMatch(/4930|id-\d|10\.0\./);
  });

  it('are all documented (npx vitest run src/console/metrics.test.ts -u writes the page anew)', async () => {
    const rows = new Metrics().describe().map(({ name, type, labels, help }) => {
      const named = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${named} | ${help} |`;
    });
    await expect(PAGE.replace('ROWS', rows.join('\n'))).toMatchFileSnapshot('../../docs/reference/metrics.md');
  });
});

const PAGE = `# Metrics

\`GET /metrics\` in Prometheus' text format: counts of this process's calls, read from their journals, and of its workers. Labels are
bounded: agents, topics, actions and triggers come from the files, the rest from the code; at most 200 values of each are told apart, what is none of these is
\`other\`. Besides these, \`nodejs_*\` and \`process_*\` of prom-client, event-loop lag among them.

| metric | kind | labels | |
|---|---|---|---|
ROWS

\`parley_turn_latency_seconds\` has the parts of [the journal's latency](events.md): \`endpoint\`, \`recognition\`, \`reasoning\`, \`synthesis\`, \`playout\`, \`firstAudio\`, \`reply\`.
\`parley_cut_offs_total\`: \`heard="false"\` when more words came before the answer began, \`"true"\` when the caller went on as it began, and both parts were read as one turn.
What to watch, and alert on: [docs/guides/observability.md](../guides/observability.md).
`;
