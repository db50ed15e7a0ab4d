import { addedWords } from '../text/added-words.js';
import { agreedWords } from '../text/agreed-words.js';
import { armEndpoint, dismiss, dropSpeculation, endpointOf, listenOn, speculate } from './floor.js';
import { isOpen, ownWords } from './joining.js';
import { burstEnded, contest, judgeBurst, keepsFloor, yieldVoice } from './overlap.js';
import { interrupt, settle, stopYielding } from './reply-end.js';
import { apologise, beginTurn, leaveUnanswered, reopen, speak } from './reply-side.js';
import type { TakenTurn } from './state.js';
import { goesOn, type Step, sameWords } from './step.js';
import type { VoiceEvent } from './voice.js';

/* The caller's half of the turn machine: from sound to a turn. */

/** What the recogniser tells of the caller's words. */
type Words = Extract<VoiceEvent, { type: 'partial' | 'final' }>;

/** A sound may be the caller's voice, or was none. */
export function stir(step: Step, voiced: boolean): void {
  const { caller, phase, held } = step.state;
  caller.stirredAt = voiced ? step.at : undefined;
  // The end of the turn may have waited for this.
  const waits = caller.turnSince !== undefined && !caller.speaking && !caller.awaiting && !held;
  if (!voiced && phase === 'listening' && waits) armEndpoint(step);
}

/** What stirs has become an onset by then, or is none, ms. */
const STIR_MS = 130;

/** How much longer a sound may still turn out to be the caller's voice, ms. */
function stirring({ at, state: { caller } }: Step): number {
  return caller.stirredAt === undefined ? 0 : Math.max(0, caller.stirredAt + STIR_MS - at);
}

/** The caller begins to make sound. */
export function onset(step: Step, voicedAt = step.at): void {
  const { caller, settings, phase } = step.state;
  caller.speaking = true;
  caller.onsetAt = voicedAt;
  caller.stirredAt = undefined;
  caller.yielded = false;
  caller.partial = '';
  caller.real = undefined;
  caller.listening = undefined;
  caller.asked = undefined;
  caller.stable = undefined;
  caller.pausedAt = undefined;
  step.clear('endpoint', 'idle', 'recognition');
  caller.awaiting = undefined;
  if (caller.turnSince === undefined) {
    caller.turnSince = step.at;
    step.timer('turn', settings.turnMs);
    step.journal({ type: 'caller.started' });
  }
  if (phase === 'speaking') contest(step);
  else if (phase === 'thinking') holdBack(step);
}

/** Longest that a reply waits for the words of somebody who may be going on, ms. */
const HOLD_BACK_MS = 1000;

/** The caller makes a sound before the reply has begun: it does not, until their words are known. */
function holdBack(step: Step): void {
  if (!isOpen(step.state.current)) return;
  yieldVoice(step, 'pause');
  step.timer('barge-in', HOLD_BACK_MS);
}

/** The caller falls silent. */
export function offset(step: Step, voicedAt: number, position: number): void {
  const { caller } = step.state;
  caller.speaking = false;
  caller.voicedAt = voicedAt;
  caller.pausedAt = undefined;
  caller.offsetPosition = position;
  step.clear('barge-in');
  if (step.state.phase === 'speaking') burstEnded(step);
  else if (step.state.phase === 'listening') armEndpoint(step);
}

/** Words so far. */
export function partial(step: Step, words: Extract<VoiceEvent, { type: 'partial' }>): void {
  const { position, paused, finished, real, listening } = words;
  const { state } = step;
  if (position <= state.committed) return;
  const text = ownWords(step, words);
  state.caller.stable = goesOn(state.caller.partial, text);
  const stable = agreedWords(state.caller.partial, text);
  state.caller.partial = text;
  if (!paused) state.caller.pausedAt = undefined;
  state.caller.finished = finished;
  state.caller.real = real;
  state.caller.listening = listening;
  step.journal({ type: 'caller.partial', text, stable });
  if (text && hasNewWords(step, text)) reopenFor(step);
  else judgeBurst(step);
  if (paused) speculate(step);
  else if (state.speculation && !sameWords(state.speculation.text, text)) dropSpeculation(step);
}

/** Final words of the utterance up to `position`. */
export function final(step: Step, words: Words): void {
  const { position, finished, real, listening } = words;
  const { state } = step;
  const { caller } = state;
  if (position <= state.committed) return;
  const text = ownWords(step, words);
  caller.text = text;
  caller.delayed = false;
  caller.textPosition = position;
  caller.partial = '';
  caller.finished = finished;
  caller.real = real;
  caller.listening = listening;
  if (state.phase === 'thinking') {
    if (text && hasNewWords(step, text)) reopenFor(step);
    else if (state.current?.taking) {
      state.current.taking.position = position;
      stopYielding(step);
    }
    return;
  }
  if (state.phase === 'speaking') return judgeBurst(step);
  if (state.phase !== 'listening') return;
  // An empty final of an earlier sound says nothing about the words that are still to come.
  const empty = !text && position < (caller.offsetPosition ?? 0);
  if (caller.awaiting && !empty) decide(step);
  else if (caller.speaking || position !== caller.offsetPosition) return;
  else if (text) {
    armEndpoint(step);
    speculate(step);
  } else dismiss(step);
}

/** The wait after the caller's last sound is over. */
export function endpoint(step: Step): void {
  const { caller, phase, settings } = step.state;
  if (caller.speaking || phase !== 'listening') return;
  // Who has just begun to go on is not cut off for the moment that the detector needs to be sure.
  if (stirring(step) > 0) return step.timer('endpoint', stirring(step));
  if (caller.textPosition !== undefined && caller.textPosition === caller.offsetPosition) return takeWords(step);
  caller.awaiting = 'ended';
  step.timer('recognition', caller.delayed ? DELAYED_MS : settings.recognitionMs);
}

/** Models are loaded again, or a hung worker is given up, in this time, ms. */
const DELAYED_MS = 15_000;

/** Who recognises the caller begins again: the words are waited for longer. */
export function recognitionDelayed(step: Step): void {
  const { caller } = step.state;
  caller.delayed = true;
  if (caller.awaiting) step.timer('recognition', DELAYED_MS);
}

/** The caller has spoken for as long as a turn may last. */
export function turnTooLong(step: Step): void {
  const { caller, phase, settings } = step.state;
  if (phase !== 'listening' || !caller.speaking) return;
  caller.awaiting = 'maximum';
  step.do({ type: 'finalise' });
  step.timer('recognition', settings.recognitionMs);
}

/** There will be no final: when the caller has fallen silent, the turn ends with what is known. */
export function recognitionFailed(step: Step, reason: string): void {
  const { caller, phase } = step.state;
  if (phase === 'listening' && !caller.speaking) caller.awaiting ??= 'ended';
  recognitionLate(step, reason);
}

/** The final never came: what was recognised so far has to do. */
export function recognitionLate(step: Step, reason: string): void {
  const { caller } = step.state;
  if (!caller.awaiting) return;
  step.journal({ type: 'error', code: 'PARLEY_ERR_RECOGNITION_FAILED', message: reason });
  caller.text = caller.partial || caller.text;
  if (caller.text) return takeWords(step);
  dismiss(step);
  apologise(step);
}

/** A typed turn: no endpoint to wait for. Typed again before the answer began, it adds to the first. */
export function typed(step: Step, text: string): void {
  const { current, phase } = step.state;
  if (phase === 'thinking' && current?.taking && !current.acted) {
    const whole = `${current.taking.text} ${text}`;
    reopen(step);
    return beginTurn(step, { text: whole, from: 'text' }, {});
  }
  if (current) interrupt(step);
  if (step.state.phase === 'listening') beginTurn(step, { text, from: 'text' }, {});
}

/** A key was pressed: it interrupts at once, and ends keyed input when it is the last one asked for. */
export function key(step: Step, digit: string, durationMs: number): void {
  const { caller, current, expected, settings } = step.state;
  step.journal({ type: 'dtmf', digit, durationMs });
  step.clear('idle', 'endpoint');
  if (current && !keepsFloor(step) && step.talking) interrupt(step);
  caller.keys += digit;
  const whole = expected.kind === 'digits' && expected.length === caller.keys.length;
  if (digit === '#' || whole) return takeKeys(step);
  step.timer('keys', settings.dtmfMs);
}

/** Keyed input is complete. */
export function takeKeys(step: Step): void {
  const { caller, phase, settings } = step.state;
  if (phase !== 'listening') return step.timer('keys', settings.dtmfMs);
  const text = caller.keys.replace(/#$/, '');
  caller.keys = '';
  step.clear('keys');
  if (!text) return listenOn(step);
  beginTurn(step, { text, from: 'dtmf', endedAt: step.at }, {});
}

/** The words that the turn waited for are here: it is over, unless they say that more is to come. */
function decide(step: Step): void {
  const { caller } = step.state;
  const silence = step.at - (caller.voicedAt ?? step.at);
  const over = endpointOf(step).waitMs <= silence && stirring(step) === 0;
  if (!caller.text || caller.awaiting === 'maximum' || over) return takeWords(step);
  caller.awaiting = undefined;
  step.clear('recognition');
  armEndpoint(step);
}

function takeWords(step: Step): void {
  const { caller } = step.state;
  if (!caller.text) return dismiss(step);
  const { handBack, completeness } = endpointOf(step);
  const decision = caller.awaiting === 'maximum' ? 'maximum' : handBack ? 'hand-back' : 'ended';
  step.journal({
    type: 'turn.decision',
    turn: step.state.turn + 1,
    decision,
    waitMs: step.at - (caller.voicedAt ?? step.at),
    text: caller.text,
    finished: caller.finished,
    seen: completeness,
    expected: step.state.expected,
  });
  if (decision === 'hand-back') return giveTime(step);
  if (gaveWay(step, completeness)) return goAhead(step);
  const taken = spoken(step);
  beginTurn(step, taken, { voiced: caller.voicedAt, decided: step.at, final: step.at });
  // The caller goes on: what comes now is the next turn, or this one would be reopened for ever.
  if (decision === 'maximum' && step.state.current) settle(step, step.state.current);
}

/** Both had begun at once, the agent fell silent, and so did the caller, with hardly anything said. */
function gaveWay({ state }: Step, completeness: string): boolean {
  const { finished = 0.5 } = state.caller;
  const text = addedWords(state.joined?.text ?? '', state.caller.text);
  const scrap = completeness === 'incomplete' || (completeness === 'open' && finished < SCRAP.finished);
  return state.collided && scrap && text.trim().split(/\s+/).length <= SCRAP.words;
}

/** Words that are no turn after a collision: so few, and so unlikely to be whole. */
const SCRAP = { words: 3, finished: 0.4 };

/** The words of the caller that a turn would be made of. */
function spoken({ state: { caller } }: Step): TakenTurn {
  const { text, turnSince: startedAt, voicedAt: endedAt, textPosition: position } = caller;
  return { text, from: 'speech', startedAt, endedAt, position };
}

/** "Sorry, go ahead." */
function goAhead(step: Step): void {
  const { state } = step;
  leaveUnanswered(step, spoken(step));
  speak(step, 'go-ahead', [state.settings.goAhead]);
}

/** The caller asked for time: the words go on record, nothing is answered, and nobody is asked whether they are there. */
function giveTime(step: Step): void {
  const { state } = step;
  leaveUnanswered(step, spoken(step));
  if (!state.held) step.timer('idle', state.settings.handBackMs);
}

/** Takes a turn back for the words that were added to it; they may have come after the caller fell silent. */
function reopenFor(step: Step): void {
  reopen(step);
  if (step.state.phase === 'listening' && !step.state.caller.speaking) armEndpoint(step);
}

/** Whether the caller has added words to a turn that is being answered but not yet aloud. */
function hasNewWords(step: Step, text: string): boolean {
  const { phase, current } = step.state;
  return phase === 'thinking' && current?.taking?.from === 'speech' && !sameWords(text, current.taking.text);
}
