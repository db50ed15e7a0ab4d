import type { JournalEvent, StoredEvent } from './events.js';
import { outcomeOf } from './outcome.js';

/**
 * How the journal of a call ends whose node died; nothing when it has its end, or was never begun.
 *
 * @param seenAt when the node was last there, ms since 1970, where that is known
 */
export function endOfLost(
  events: readonly StoredEvent[],
  node: string,
  seenAt: number | undefined,
): { at: number; events: JournalEvent[] } {
  const [first, last] = [events[0], events.at(-1)];
  const has = (type: JournalEvent['type']) => events.some((event) => event.type === type);
  if (!last || has('call.ended')) return { at: 0, events: [] };
  const receivedAt = first?.type === 'call.received' ? Date.parse(first.time) : Number.NaN;
  const lived = (seenAt ?? Number.NaN) - receivedAt;
  const at = Math.max(last.at, Number.isNaN(lived) ? 0 : lived);
  const lost: JournalEvent = {
    type: 'node.lost',
    node,
    seenAt: seenAt === undefined ? undefined : new Date(seenAt).toISOString(),
  };
  const ended: JournalEvent = {
    type: 'call.ended',
    by: 'node-lost',
    reason: `node ${node} was lost`,
    durationMs: Math.round(at),
  };
  const summary = has('call.summary') ? [] : [outcomeOf(events, 'node-lost')];
  return { at, events: [...(has('node.lost') ? [] : [lost]), ...summary, ended] };
}
