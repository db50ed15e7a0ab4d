import type { StoredEvent } from '../../journal/events.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import type { WaitTimes } from '../../turns/config.js';
import { endpointWait } from '../../turns/endpointing.js';
import { judge } from '../../turns/interruption.js';

/** The models that decide. */
export interface Deciders {
  finished(input: { words: string; agent: string; expected: ExpectedAnswer }): Promise<number>;
  real(input: { words: string; elapsedMs: number; speaking: boolean; agent: string }): Promise<number>;
}

/** How an agent takes turns. */
export interface TurnTaking {
  endpointing: WaitTimes;
  stopWords: readonly string[];
}

/** One decision as it was, and as it would be now. */
export interface Redecided {
  /** ms since the INVITE. */
  at: number;
  kind: 'turn' | 'interruption';
  text: string;
  was: string;
  now: string;
  differs: boolean;
}

/** A wait that differs by less is the same, ms: timers and recognition add as much. */
const SAME_WAIT_MS = 60;

/** Decides anew, by the words on record, when turns end and who has the floor. */
export async function redecide(
  events: readonly StoredEvent[],
  models: Deciders,
  settings: TurnTaking,
): Promise<Redecided[]> {
  const decided: Redecided[] = [];
  let agent = '';
  for (const event of events) {
    if (event.type === 'turn.decision' && event.decision !== 'maximum') {
      decided.push(await turn(event, agent, models, settings));
    }
    if (event.type === 'backchannel') decided.push(await burst(event, event.durationMs, agent, models, settings));
    if (event.type === 'interruption' && event.text) {
      decided.push(await burst({ ...event, text: event.text }, event.burstMs ?? 0, agent, models, settings));
    }
    if (event.type === 'agent.turn') agent = event.heard || agent;
  }
  return decided;
}

type Decision = StoredEvent & { type: 'turn.decision' };

async function turn(event: Decision, agent: string, models: Deciders, { endpointing }: TurnTaking): Promise<Redecided> {
  const { at, text, decision, waitMs } = event;
  const expected = event.expected ?? { kind: 'open' };
  const finished = await models.finished({ words: text, agent: lastSentence(agent), expected });
  const now = endpointWait({ text, finished, expected }, endpointing);
  const nowIs = now.handBack ? 'hand-back' : 'ended';
  // The words before a pause that was too short to end the turn; only how long it was waited is known to have been too short.
  const held = decision === 'held' || decision === 'rejoined';
  // What was waited holds the time of recognition, too: it may be longer than what was asked for, not shorter.
  const differs = held
    ? false
    : nowIs !== decision || Math.abs(now.waitMs - waitMs) > Math.max(SAME_WAIT_MS, spare(event));
  const p = (value: number | undefined) => (value === undefined ? '' : `, P ${value.toFixed(2)}`);
  return {
    at,
    kind: 'turn',
    text,
    was: held ? 'taken too early' : `${decision} after ${Math.round(waitMs)} ms${p(event.finished)}`,
    now: `${nowIs} after ${now.waitMs} ms${p(finished)}`,
    differs,
  };
}

/** Recognition that was late explains a longer wait than what was decided. */
function spare({ waitMs, seen }: Decision): number {
  return seen === 'complete' || waitMs < 400 ? 150 : 0;
}

async function burst(
  event: { type: string; at: number; text: string },
  elapsedMs: number,
  agent: string,
  models: Deciders,
  { stopWords }: TurnTaking,
): Promise<Redecided> {
  const { at, text } = event;
  const stopped = event.type === 'interruption';
  const real = await models.real({ words: text, elapsedMs, speaking: stopped, agent: lastSentence(agent) });
  const verdict = judge({ text, elapsedMs, speaking: stopped, real, agent: '' }, stopWords);
  const was = stopped ? 'stop' : 'go-on';
  return {
    at,
    kind: 'interruption',
    text,
    was,
    now: `${verdict}, P ${real.toFixed(2)}`,
    // While the caller still speaks, to wait is to let the agent go on a little longer.
    differs: stopped ? verdict !== 'stop' : verdict === 'stop',
  };
}

function lastSentence(text: string): string {
  return text.split(/(?<=[.?!])\s+/).at(-1) ?? '';
}
