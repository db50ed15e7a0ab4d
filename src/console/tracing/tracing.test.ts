import * as api from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import type { JournalEvent, StoredEvent } from '../../journal/events.js';
import { createLogger } from '../../telemetry/log.js';
import { CallTracing } from './call-tracing.js';
import { startTracing } from './start.js';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const TIME = '2026-11-27T14:00:00.000Z';
const EPOCH = Date.parse(TIME);

const CONVERSATION: [number, JournalEvent][] = [
  [
    0,
    {
      type: 'call.received',
      time: TIME,
      from: '+4930123',
      to: '8001',
      source: '127.0.0.1',
      sipCallId: 'x',
      agent: 'orders',
      traceparent: PARENT,
    },
  ],
  [40, { type: 'call.answered', codec: 'PCMU', ms: 40 }],
  [60, { type: 'agent.started', turn: 0, utterance: 'r1' }],
  [
    900,
    { type: 'agent.turn', turn: 0, planned: 'Hello Anna.', heard: 'Hello Anna.', interrupted: false, kind: 'greeting' },
  ],
  [3000, { type: 'turn.decision', turn: 1, decision: 'ended', waitMs: 500, text: 'my secret is 4711' }],
  [3000, { type: 'speculation', turn: 1, text: 'my secret is 4711', used: true, ms: 300 }],
  [3002, { type: 'topic', turn: 1, topic: 'order-status', score: 0.9, ms: 2 }],
  [3003, { type: 'knowledge', turn: 1, chunks: [{ article: 'a', score: 1 }], ms: 1 }],
  [3010, { type: 'action.called', turn: 1, action: 'find-order', parameters: { number: '4711' }, sideEffects: false }],
  [3110, { type: 'action.returned', turn: 1, action: 'find-order', ok: false, ms: 100, error: '4711 is secret' }],
  [3200, { type: 'caller.turn', turn: 1, text: 'my secret is 4711', from: 'speech', startedAt: 1000, endedAt: 2500 }],
  [3200, { type: 'agent.started', turn: 1, utterance: 'r2' }],
  [3300, { type: 'error', code: 'PARLEY_ERR_ACTION_FAILED', message: '4711' }],
  [
    5000,
    {
      type: 'agent.turn',
      turn: 1,
      planned: 'Secret 4711.',
      heard: 'Secret',
      interrupted: true,
      kind: 'reply',
      latency: {
        endpoint: 500,
        recognition: 0,
        reasoning: 150,
        synthesis: 40,
        playout: 10,
        firstAudio: 700,
        reply: 700,
      },
    },
  ],
  [5100, { type: 'transfer.started', target: 'sip:+4930999@host', method: 'warm' }],
  [6000, { type: 'call.ended', by: 'transfer', reason: 'to +4930999', durationMs: 6000 }],
];

function traced(events: [number, JournalEvent][]) {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracing = new CallTracing(api, provider.getTracer('test'));
  let handed: string | undefined;
  events.forEach(([at, event], n) => {
    tracing.observe({ call: 'c1', at, seq: n + 1, ...event } as StoredEvent);
    if (n === 1) handed = tracing.traceparent('c1');
  });
  const spans = exporter.getFinishedSpans();
  const ms = (time: api.HrTime) => Math.round(time[0] * 1000 + time[1] / 1e6 - EPOCH);
  const find = (name: string) => spans.find((span) => span.name === name);
  return {
    spans,
    tracing,
    handed,
    times: (name: string) => [ms(find(name)!.startTime), ms(find(name)!.endTime)],
    find,
  };
}

describe('OpenTelemetry spans', () => {
  it('has one for the call, each turn and each stage, at the times of the journal', () => {
    const { times, spans, find } = traced(CONVERSATION);
    expect(times('call')).toEqual([0, 6000]);
    expect(times('setup')).toEqual([0, 40]);
    expect(times('greeting')).toEqual([60, 900]);
    expect(times('turn')).toEqual([1000, 5000]);
    expect(times('caller speaks')).toEqual([1000, 2500]);
    expect(times('endpointing')).toEqual([2500, 3000]);
    expect(times('recognition')).toEqual([3000, 3000]);
    expect(times('topics')).toEqual([3000, 3002]);
    expect(times('retrieval')).toEqual([3002, 3003]);
    expect(times('reasoning')).toEqual([3000, 3150]);
    expect(times('action')).toEqual([3010, 3110]);
    expect(times('synthesis')).toEqual([3150, 3190]);
    expect(times('first audio')).toEqual([3190, 3200]);
    expect(times('agent speaks')).toEqual([60, 900]);
    expect(times('transfer')).toEqual([5100, 6000]);
    expect(find('action')?.status.code).toBe(api.SpanStatusCode.ERROR);
    const turn = find('turn')?.spanContext().spanId;
    expect(spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === turn).length).toBe(11);
  });

  it('goes on with the trace that the INVITE brings, and hands it on', () => {
    const { find, handed, tracing } = traced(CONVERSATION);
    const call = find('call');
    expect(call?.spanContext().traceId).toBe(PARENT.split('-')[1]);
    expect(call?.parentSpanContext?.spanId).toBe(PARENT.split('-')[2]);
    expect(handed).toBe(`00-${call?.spanContext().traceId}-${call?.spanContext().spanId}-01`);
    expect(tracing.traceparent('c1')).toBeUndefined();
  });

  it('tells nothing that anybody said, and no number', () => {
    const { spans } = traced(CONVERSATION);
    const told = JSON.stringify(
      spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]),
    );
    expect(told).not.toMatch(/4711|secret|Anna|4930/i);
    expect(told).toContain('find-order');
  });

  it('is not there unless somebody wants it', async () => {
    expect(await startTracing(createLogger('silent'), {})).toBeUndefined();
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'true' };
    expect(await startTracing(createLogger('silent'), off)).toBeUndefined();
  });
});
