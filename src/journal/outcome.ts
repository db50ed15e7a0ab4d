import type { CallDisposition, EndedBy, JournalEvent, LatencyFigures, StoredEvent } from './events.js';

/** What a call came to, at its end. */
type CallOutcome = Extract<JournalEvent, { type: 'call.summary' }>;

/** The summary of a call by its events, all but `call.ended`. */
export function outcomeOf(events: readonly StoredEvent[], by: EndedBy): CallOutcome {
  const of = <T extends JournalEvent['type']>(type: T) =>
    events.filter((event): event is StoredEvent & Extract<JournalEvent, { type: T }> => event.type === type);
  const turns = of('caller.turn');
  const topics = of('topic').filter(({ topic }) => topic !== 'none');
  const asked = topics.map(({ topic, turn }) => ({
    topic,
    turn,
    words: turns.findLast((one) => one.turn === turn)?.text,
  }));
  const replies = of('agent.turn');
  return {
    type: 'call.summary',
    disposition: dispositionOf(events, by, turns.length),
    ivr: ivrOf(of('ivr.segment')),
    asked,
    done: of('action.returned').map(({ action, ok }) => ({ action, ok })),
    entities: Object.fromEntries(of('entity.confirmed').map(({ name, value }) => [name, value])),
    sentiment: of('sentiment').map(({ at, turn, score }) => ({ at, turn, score })),
    escalations: of('escalation').map(({ trigger }) => trigger),
    turns: {
      caller: turns.length,
      agent: replies.length,
      interrupted: replies.filter((one) => one.interrupted).length,
    },
    latency: {
      reply: figures(replies.map(({ latency }) => latency?.reply)),
      firstAudio: figures(replies.map(({ latency }) => latency?.firstAudio)),
    },
    errors: of('error').map(({ code }) => code),
  };
}

function dispositionOf(events: readonly StoredEvent[], by: EndedBy, turns: number): CallDisposition {
  switch (by) {
    case 'transfer':
      return 'transferred';
    case 'rejected':
      return 'refused';
    case 'cancelled':
      return 'cancelled';
    case 'error':
      return 'failed';
    case 'shutdown':
    case 'node-lost':
      return 'interrupted';
    default: {
      if (events.some((one) => one.type === 'transfer.finished' && one.outcome === 'accepted')) return 'transferred';
      const answered = events.some(({ type }) => type === 'call.answered');
      return answered && turns > 0 ? 'handled' : 'abandoned';
    }
  }
}

function ivrOf(segments: readonly Extract<JournalEvent, { type: 'ivr.segment' }>[]): CallOutcome['ivr'] {
  const start = segments.find((segment) => segment.part === 'start');
  return start && { name: start.ivr, topic: start.topic, menu: start.menu };
}

function figures(values: readonly (number | undefined)[]): LatencyFigures | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0);
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), max: at(1) };
}
