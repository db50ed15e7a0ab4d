import type { EndedBy, StoredEvent } from './events.js';

/** One call in a list of calls. What its journal does not tell (yet) is absent. */
export interface CallSummary {
  call: string;
  /** Wall clock of the INVITE, ISO 8601. */
  time?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** Dialplan entry that matched, `file#name`. */
  entry?: string | undefined;
  agent?: string | undefined;
  /** ms from the INVITE to the last event. */
  lastAt: number;
  /** Absent while the call lives, and for a while when its node died. */
  ended?: { by: EndedBy; reason: string; durationMs: number } | undefined;
}

/** The summary of a call by the first and the last event of its journal. */
export function summaryOf(call: string, first: StoredEvent | undefined, last: StoredEvent | undefined): CallSummary {
  const summary: CallSummary = { call, lastAt: last?.at ?? 0 };
  if (first?.type === 'call.received') {
    const { time, from, to, entry, agent } = first;
    Object.assign(summary, { time, from, to, entry, agent });
  }
  if (last?.type === 'call.ended') {
    summary.ended = { by: last.by, reason: last.reason, durationMs: last.durationMs };
  }
  return summary;
}

/** The event in a stored entry; undefined when the text is none (a foreign or damaged entry). */
export function parseEvent(data: string): StoredEvent | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Looks at what every event has; a type this version does not know passes, as readers ignore it. */
function isEvent(value: unknown): value is StoredEvent {
  if (typeof value !== 'object' || value === null) return false;
  const has = (key: string, type: string) => key in value && typeof Reflect.get(value, key) === type;
  return has('call', 'string') && has('seq', 'number') && has('at', 'number') && has('type', 'string');
}
