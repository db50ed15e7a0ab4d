import type { ReplyLatency, StoredEvent } from '../../journal/events.js';

/** A span as it is to be told; times are of the journal: ms since the INVITE. */
export interface SpanDescription {
  name: string;
  start: number;
  end: number;
  attributes: Record<string, string | number | boolean>;
  failed?: boolean | undefined;
  children: SpanDescription[];
}

type EventOf<T extends StoredEvent['type']> = Extract<StoredEvent, { type: T }>;

/** Stages of a reply in their order, by the journal's latency, as the span is called. */
const STAGES = [
  ['endpoint', 'endpointing'],
  ['recognition', 'recognition'],
  ['reasoning', 'reasoning'],
  ['synthesis', 'synthesis'],
  ['playout', 'first audio'],
] as const satisfies readonly (readonly [keyof ReplyLatency, string])[];

/** Stages of one turn; who answers with more of them is not shown whole. */
const MOST = 64;

/**
 * The span of what the agent said in one turn, with the caller's words before it and the stages between them. Names and
 * attributes come from configuration and from the code: nothing that anybody said is in them.
 *
 * @param events of the call since the agent's last turn, `said` the last of them
 */
export function turnSpan(events: readonly StoredEvent[], said: EventOf<'agent.turn'>): SpanDescription {
  const own = events.filter((event) => !('turn' in event) || event.turn === said.turn);
  const heard = own.findLast((event) => event.type === 'caller.turn');
  const began = own.find((event) => event.type === 'agent.started')?.at ?? said.at;
  const children = [...own.flatMap(stageOf), ...replyStages(said.latency, heard?.endedAt)];
  if (heard?.startedAt !== undefined && heard.endedAt !== undefined) {
    children.push(stage('caller speaks', heard.startedAt, heard.endedAt));
  }
  if (began < said.at) children.push(stage('agent speaks', began, said.at));
  children.sort((a, b) => a.start - b.start);
  return {
    name: said.kind === 'reply' ? 'turn' : said.kind,
    start: Math.min(began, ...children.map(({ start }) => start)),
    end: said.at,
    attributes: {
      'parley.turn': said.turn,
      'parley.interrupted': said.interrupted,
      ...(heard && { 'parley.caller.by': heard.from }),
      ...Object.fromEntries(Object.entries(said.latency ?? {}).map(([part, ms]) => [`parley.latency.${part}_ms`, ms])),
    },
    children: children.slice(0, MOST),
  };
}

/** What the call came to, as attributes of its span. */
export function endAttributes(event: EventOf<'call.ended' | 'call.summary'>): SpanDescription['attributes'] {
  if (event.type === 'call.ended') return { 'parley.ended_by': event.by };
  const { disposition, turns, escalations } = event;
  return {
    'parley.disposition': disposition,
    'parley.turns.caller': turns.caller,
    'parley.turns.agent': turns.agent,
    'parley.turns.interrupted': turns.interrupted,
    'parley.escalated': escalations.length > 0,
  };
}

/** Endpointing to first audio: each stage begins where the one before ended. @param from the caller's last voiced sample */
function replyStages(latency: ReplyLatency | undefined, from: number | undefined): SpanDescription[] {
  if (!latency || from === undefined) return [];
  let at = from;
  return STAGES.flatMap(([part, name]) => {
    const ms = latency[part];
    if (ms === undefined) return [];
    const start = at;
    at += ms;
    return stage(name, start, at);
  });
}

function stageOf(event: StoredEvent, index: number, all: readonly StoredEvent[]): SpanDescription[] {
  switch (event.type) {
    case 'topic':
      return [
        stage('topics', event.at - event.ms, event.at, { 'parley.topic': event.topic, 'parley.score': event.score }),
      ];
    case 'knowledge':
      return [stage('retrieval', event.at - event.ms, event.at, { 'parley.articles': event.chunks.length })];
    case 'speculation':
      return [stage('speculation', event.at - event.ms, event.at, { 'parley.used': event.used })];
    case 'action.called': {
      const isIts = (other: StoredEvent) => other.type === 'action.returned' && other.action === event.action;
      const returned = all.slice(index).find(isIts) as EventOf<'action.returned'> | undefined;
      const { action, sideEffects } = event;
      const attributes = { 'parley.action': action, 'parley.side_effects': sideEffects };
      const span = stage('action', event.at, returned?.at ?? event.at, attributes);
      return [{ ...span, failed: returned?.ok !== true }];
    }
    default:
      return [];
  }
}

function stage(
  name: string,
  start: number,
  end: number,
  attributes: SpanDescription['attributes'] = {},
): SpanDescription {
  return { name, start, end: Math.max(start, end), attributes, children: [] };
}
