import type { JournalEvent } from '../../journal/events.js';
import type { KeptHandoff } from './handoff.js';
import { masked } from './masks.js';

/**
 * An IVR's part of a call as journal events, in the order in which it happened.
 *
 * @param inviteAt when the INVITE came, ms since 1970
 * @returns events with `at` in ms since the INVITE, never after it
 */
export function segmentOf(
  { document, createdAt }: KeptHandoff,
  by: 'token' | 'number' | 'invite' | 'info',
  inviteAt: number,
): { event: JournalEvent; at: number }[] {
  const { ivr, language, topic, menu, digits, transcript, variables, sensitive } = document;
  const latest = Math.min(createdAt - inviteAt, -1);
  let last = Number.NEGATIVE_INFINITY;
  const lines = transcript.map(({ at, who, text, from }) => {
    const said = at === undefined ? latest : Math.min(Date.parse(at) - inviteAt, latest);
    // An IVR's clock may be set back in the middle; its order is what is known best.
    last = Math.max(last, said);
    return { event: { type: 'ivr.segment', part: 'line', who, text, from } as const, at: last };
  });
  const shown = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      sensitive.includes(name) ? masked(typeof value === 'string' ? value : JSON.stringify(value)) : value,
    ]),
  );
  const start: JournalEvent = { type: 'ivr.segment', part: 'start', by, ivr, language, topic, menu, variables: shown };
  return [
    { event: start, at: lines[0]?.at ?? latest },
    ...lines,
    ...digits.map(({ name, digits: keys, sensitive: hidden }) => {
      return {
        event: { type: 'ivr.segment', part: 'digits', name, digits: keys, masked: hidden } as const,
        at: latest,
      };
    }),
  ];
}
