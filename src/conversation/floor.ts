import { type EndpointDecision, endpointWait } from '../turns/endpointing.js';
import type { Speculation, TakenTurn } from './state.js';
import { type Step, sameWords } from './step.js';

/* Who has the floor: what both halves of the turn machine share. */

/** Sets the timer that ends the turn unless the caller goes on: set again when more is known of the words. */
export function armEndpoint(step: Step): void {
  const { caller } = step.state;
  const { waitMs } = endpointOf(step);
  step.timer('endpoint', waitMs - (step.at - (caller.voicedAt ?? step.at)));
}

/** How long the caller may be silent by what is known of the turn now. */
export function endpointOf(step: Step): EndpointDecision {
  const { caller, expected, settings } = step.state;
  const isFinal = caller.textPosition !== undefined && caller.textPosition === caller.offsetPosition;
  const text = isFinal ? caller.text : caller.partial || caller.text;
  return endpointWait({ text, finished: caller.finished, expected }, settings.endpointing);
}

/** What sounded was no speech, or is over and done with: forget it and listen on. */
export function dismiss(step: Step): void {
  const { state } = step;
  commitTo(step, state.caller.offsetPosition);
  forget(step);
  listenOn(step);
}

/** Everything up to this position of the caller's stream is dealt with. */
export function commitTo(step: Step, position: number | undefined): void {
  if (position === undefined || position <= step.state.committed) return;
  step.state.committed = position;
  step.do({ type: 'commit', position });
}

/** Prepares the answer to the words so far, in a pause, unless they visibly ask for more or for none. */
export function speculate(step: Step): void {
  const { state } = step;
  const { caller, settings, phase } = state;
  const text = caller.partial || caller.text;
  if (!settings.speculation || phase !== 'listening' || text === '') return;
  if (state.speculation && sameWords(state.speculation.text, text)) return;
  dropSpeculation(step);
  const seen = endpointOf(step).completeness;
  if (seen === 'incomplete' || seen === 'hand-back') return;
  state.replies += 1;
  state.speculation = { reply: `r${state.replies}`, text, since: step.at };
  const turn = { turn: state.turn + 1, text, from: 'speech' as const };
  step.do({ type: 'speculate', reply: state.speculation.reply, turn });
}

/** The caller said something else. */
export function dropSpeculation(step: Step): void {
  const { state } = step;
  if (!state.speculation) return;
  step.do({ type: 'cancel', reply: state.speculation.reply });
  tellSpeculation(step, state.speculation, state.turn + 1, false);
}

/** The answer prepared for exactly these words, if there is one: from now on it is the answer. */
export function useSpeculation(step: Step, { text, from }: TakenTurn): string | undefined {
  const { state } = step;
  const { speculation } = state;
  if (!speculation) return undefined;
  if (from !== 'speech' || !sameWords(speculation.text, text)) {
    dropSpeculation(step);
    return undefined;
  }
  tellSpeculation(step, speculation, state.turn + 1, true);
  return speculation.reply;
}

function tellSpeculation(step: Step, { text, since }: Speculation, turn: number, used: boolean): void {
  step.state.speculation = undefined;
  step.journal({ type: 'speculation', turn, text, used, ms: Math.round(step.at - since) });
}

/** Clears what was gathered for a turn. */
export function forget(step: Step): void {
  const { caller } = step.state;
  dropSpeculation(step);
  step.state.joined = step.state.settled = undefined;
  step.state.caller = {
    speaking: caller.speaking,
    onsetAt: caller.onsetAt,
    stirredAt: caller.stirredAt,
    yielded: caller.yielded,
    turnSince: caller.speaking ? step.at : undefined,
    text: '',
    partial: '',
    keys: caller.keys,
  };
  step.clear('endpoint', 'recognition', 'turn');
  if (caller.speaking) step.timer('turn', step.state.settings.turnMs);
}

/** The caller has the floor, and is asked after a while whether they are still there. */
export function listenOn(step: Step): void {
  const { state } = step;
  if (state.phase !== 'listening') return;
  if (!state.caller.speaking && !state.held) step.timer('idle', state.settings.idle.afterMs);
}
