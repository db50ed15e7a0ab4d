import type { JournalEvent, ReplyLatency, StoredEvent } from './events.js';

/** One line of a call's transcript. */
export interface TranscriptLine {
  /** When it began, ms since the INVITE. */
  at: number;
  who: 'ivr' | 'caller' | 'agent' | 'person' | 'system';
  /** Who the person is. */
  name?: string;
  /** What was said; of the agent, what was heard, '' when nothing was. */
  text: string;
  /** The agent was cut off. */
  interrupted?: boolean;
  /** What the agent was to say, where that is not what was heard. */
  planned?: string;
  latency?: ReplyLatency;
}

/** The transcript of a call: what its events say was said, in the order in which it began. */
export function transcript(events: readonly StoredEvent[]): TranscriptLine[] {
  /** When the agent began to speak, by turn, until the turn's own event comes at its end. */
  const began = new Map<number, number>();
  const lines: TranscriptLine[] = [];
  for (const event of events) {
    if (event.type === 'agent.started') {
      if (!began.has(event.turn)) began.set(event.turn, event.at);
    } else if (event.type === 'agent.turn') {
      lines.push(agentLine(event, began.get(event.turn) ?? event.at));
      began.delete(event.turn);
    } else {
      const line = ivrLine(event) ?? callerLine(event) ?? personLine(event) ?? systemLine(event);
      if (line) lines.push(line);
    }
  }
  return lines.sort((a, b) => a.at - b.at);
}

/** The transcript as text for a terminal, a line each. What a caller or a header says can't steer the terminal. */
export function renderTranscript(lines: readonly TranscriptLine[]): string {
  return lines
    .map((line) => `${clock(line.at)}  ${plain(line.name ?? line.who).padEnd(6)}  ${said(line)}${timing(line)}\n`)
    .join('');
}

function agentLine(event: Extract<JournalEvent, { type: 'agent.turn' }>, at: number): TranscriptLine {
  const line: TranscriptLine = { at, who: 'agent', text: event.heard.trim() };
  if (event.interrupted) line.interrupted = true;
  if (event.planned.trim() !== line.text) line.planned = event.planned.trim();
  if (event.latency) line.latency = event.latency;
  return line;
}

function ivrLine(event: StoredEvent): TranscriptLine | undefined {
  if (event.type !== 'ivr.segment' || event.part !== 'line') return undefined;
  return { at: event.at, who: event.who, text: event.from === 'dtmf' ? `(keys) ${event.text}` : event.text };
}

function callerLine(event: StoredEvent): TranscriptLine | undefined {
  if (event.type === 'backchannel') return { at: event.at, who: 'caller', text: `(${event.text})` };
  if (event.type !== 'caller.turn') return undefined;
  const text = event.from === 'dtmf' ? `(keys) ${event.text}` : event.text;
  return { at: event.startedAt ?? event.at, who: 'caller', text };
}

function personLine(event: StoredEvent): TranscriptLine | undefined {
  if (event.type !== 'person.turn') return undefined;
  return { at: event.startedAt ?? event.at, who: 'person', name: event.person, text: event.text };
}

function systemLine(event: StoredEvent): TranscriptLine | undefined {
  const text = note(event);
  return text === undefined ? undefined : { at: event.at, who: 'system', text };
}

function note(event: JournalEvent): string | undefined {
  switch (event.type) {
    case 'call.received':
      return `call from ${event.from} to ${event.to}${event.agent ? `, agent ${event.agent}` : ''}`;
    case 'ivr.segment':
      return ivrNote(event);
    case 'call.ended':
      return `call ended by ${event.by}: ${event.reason}`;
    case 'action.returned':
      return `action ${event.action} ${event.ok ? 'done' : `failed: ${event.error ?? 'no reason given'}`}`;
    case 'escalation':
      return `escalation (${event.trigger}) to ${event.target ?? 'nobody: no target'}`;
    case 'transfer.started':
      return `transfer to ${event.target}`;
    case 'transfer.finished':
      return `transfer to ${event.target} ${event.outcome}${event.reason ? `: ${event.reason}` : ''}`;
    case 'call.summary':
      return summaryNote(event);
    case 'audit':
      return `${event.action} by ${event.by} (${event.role})`;
    case 'transfer.attempt':
      return `${event.target}: ${event.disposition}${event.reason ? ` (${event.reason})` : ''}`;
    case 'transfer.queued':
      return `in the queue of ${event.target}, place ${event.place}`;
    case 'transfer.bridged':
      return `caller and ${event.person} are joined`;
    case 'transfer.replaced':
      return `${event.person} is at this phone now`;
    case 'caller.replaced':
      return `the caller goes on by another phone, ${event.from}`;
    case 'participant.added':
      return `${event.target} is called to take part, by ${event.by}`;
    case 'participant.joined':
      return `${event.person} takes part`;
    case 'participant.left':
      return `${event.participant} no longer takes part: ${event.reason}`;
    case 'participant.failed':
      return `${event.target} does not take part: ${event.disposition}`;
    case 'transfer.unbridged':
      return `they are no longer joined: ${event.reason}`;
    case 'callback.requested':
      return `wants to be called back at ${event.number}`;
    case 'consent':
      return `consent ${event.outcome}${event.by ? ` by ${event.by}` : ''}${event.words ? `: ${event.words}` : ''}`;
    case 'fallback':
      return `fallback${event.to ? ` to ${event.to}` : ''}: ${event.reason}`;
    case 'hold':
      return event.on ? 'on hold' : 'off hold';
    case 'error':
      return `${event.code}: ${event.message}`;
    default:
      return undefined;
  }
}

function ivrNote(event: Extract<JournalEvent, { type: 'ivr.segment' }>): string | undefined {
  switch (event.part) {
    case 'start': {
      const { menu, topic, variables } = event;
      const known = Object.entries(variables).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
      const facts = [menu.join(' > '), topic && `topic ${topic}`, ...known].filter(Boolean);
      return `from ${event.ivr ?? 'the IVR'}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
    }
    case 'digits':
      return `keyed ${event.name}: ${event.digits}`;
    case 'signalling': {
      const { diversion, history, identity, referredBy } = event;
      const said = { 'diverted from': diversion, history, identity, 'referred by': referredBy };
      const facts = Object.entries(said).flatMap(([name, users]) => (users ? `${name} ${users.join(', ')}` : []));
      return facts.join('; ');
    }
    default:
      return undefined;
  }
}

function summaryNote({ disposition, asked, done, entities }: Extract<JournalEvent, { type: 'call.summary' }>): string {
  const topics = [...new Set(asked.map(({ topic }) => topic))];
  const actions = done.map(({ action, ok }) => (ok ? action : `${action} (failed)`));
  const values = Object.entries(entities).map(([name, value]) => `${name} ${value}`);
  const facts = { asked: topics, done: actions, values };
  return [
    disposition,
    ...Object.entries(facts).flatMap(([name, list]) => (list.length > 0 ? `${name}: ${list.join(', ')}` : [])),
  ].join('; ');
}

function said(line: TranscriptLine): string {
  const text = plain(line.text) + (line.interrupted ? ' --' : '');
  if (line.planned === undefined) return text;
  const rest = line.planned.startsWith(line.text) ? line.planned.slice(line.text.length) : line.planned;
  return `${text} [not heard: ${plain(rest).trim()}]`.trimStart();
}

function timing({ latency }: TranscriptLine): string {
  const ms = latency?.reply ?? latency?.firstAudio;
  if (ms === undefined) return '';
  const parts = PARTS.flatMap((part) =>
    latency?.[part] === undefined ? [] : [`${part} ${Math.round(latency[part])}`],
  );
  return `  (${[`${Math.round(ms)} ms`, parts.join(', ')].filter(Boolean).join(': ')})`;
}

/** What a reply's latency is made of, in order. */
const PARTS = ['endpoint', 'recognition', 'reasoning', 'synthesis', 'playout'] as const;

/** Control characters as spaces. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

/** `m:ss.t` */
function clock(ms: number): string {
  const tenths = Math.round(Math.abs(ms) / 100);
  const seconds = String(Math.floor(tenths / 10) % 60).padStart(2, '0');
  return `${ms < 0 ? '-' : ''}${Math.floor(tenths / 600)}:${seconds}.${tenths % 10}`.padStart(8);
}
