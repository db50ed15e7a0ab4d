import { CHECKPOINTS_MS, isBackchannel, isUncertain, judge, stopWord } from '../turns/interruption.js';
import { armEndpoint, commitTo, forget, speculate } from './floor.js';
import { beganTogether, isOpen, saidOver, takeBack } from './joining.js';
import { interrupt, settle } from './reply-end.js';
import type { Reply, TurnEvent } from './state.js';
import { type Step, sameWords } from './step.js';

/*
 * Caller and agent speak at once. The agent's voice is lowered on the first sound, and the words of the burst decide who
 * goes on: a stop word at once, a listener's "uh-huh" never, anything else as the judge finds it.
 */

/** Between two sentences there is nothing to interrupt: looked at again after this, ms. */
const AGAIN_MS = 100;

/** Lowers the agent's voice until it is decided who goes on. */
export function contest(step: Step): void {
  if (!step.state.current || keepsFloor(step)) return;
  yieldVoice(step);
  step.clear('overlap');
  judgeLater(step);
}

export function yieldVoice(step: Step, how = step.state.settings.reflex): void {
  const { settings, caller } = step.state;
  caller.yielded = true;
  step.do({ type: 'yield', how, level: settings.duckLevel });
}

/**
 * Judges the burst by what is known of it now.
 *
 * @param late its final words are not waited for any longer
 */
export function judgeBurst(step: Step, late = false): void {
  const { caller, current, phase, settings } = step.state;
  if (phase !== 'speaking' || !current || keepsFloor(step) || caller.onsetAt === undefined) return;
  if (settings.judge === 'voice') return judgeVoice(step, caller.onsetAt);
  const known = caller.textPosition !== undefined && caller.textPosition === caller.offsetPosition;
  const text = saidOver(step, caller.speaking || !known ? caller.partial : caller.text);
  const agent = heardSoFar(step, current);
  const floor = caller.asked && sameWords(caller.asked.text, text) ? caller.asked.floor : undefined;
  const { onsetAt, speaking, real, stable, listening } = caller;
  const silentAt = speaking ? caller.pausedAt : caller.voicedAt;
  const voicedMs = silentAt === undefined ? undefined : Math.max(0, silentAt - onsetAt);
  // Partials of a burst that is over are not its last words yet.
  const open = speaking || (!known && !late);
  const goesOn = isOpen(current) && beganTogether(step);
  const soFar = { text, elapsedMs: step.at - onsetAt, voicedMs, speaking: open };
  const burst = { ...soFar, real, stable, listening, floor, agent, goesOn };
  const verdict = judge(burst, settings.stopWords);
  if (verdict !== 'stop' && settings.secondJudge && isUncertain(burst, settings.stopWords)) {
    askSecond(step, text, agent);
  }
  if (verdict === 'wait') {
    if (!speaking) return;
    // What was let pass as a listener's goes on in other words.
    if (!caller.yielded && text !== '' && !isBackchannel(text)) yieldVoice(step);
    return judgeLater(step);
  }
  if (verdict === 'go-on') return goOn(step);
  if (step.talking) takeFloor(step);
  else step.timer('barge-in', AGAIN_MS);
}

/** Faster than this nobody speaks, words a second. */
const FASTEST = 5;

/** The most that can have been heard of a reply by now: an echo is of nothing else, and callers use the words that follow, too. */
function heardSoFar({ at }: Step, { utterances, marks }: Reply): string {
  const begun = utterances.flatMap(({ text, status }) => (status === 'queued' ? [] : text.split(/\s+/)));
  return begun.slice(0, 1 + Math.ceil(((at - (marks.started ?? at)) / 1000) * FASTEST)).join(' ');
}

/** Voice alone decides, as long as it lasts. */
function judgeVoice(step: Step, onsetAt: number): void {
  const { caller, settings } = step.state;
  const left = settings.voiceMs - (step.at - onsetAt);
  if (!caller.speaking) return goOn(step);
  if (left > 0) step.timer('barge-in', left);
  else if (step.talking) takeFloor(step);
  else step.timer('barge-in', AGAIN_MS);
}

/** The caller has the floor. What they said may be a whole turn already, or belong to the one that is being answered. */
function takeFloor(step: Step): void {
  const { state } = step;
  const { caller, current, settings } = state;
  const together = beganTogether(step);
  const text = saidOver(step, caller.partial || caller.text);
  const other = stopWord(text, settings.stopWords) !== undefined;
  if (together && isOpen(current) && !other) takeBack(step, current, current.taking);
  interrupt(step, { text, burstMs: Math.round(step.at - (caller.onsetAt ?? step.at)), real: caller.real });
  state.collided = together;
  if (state.phase !== 'listening' || caller.speaking) return;
  armEndpoint(step);
  speculate(step);
}

/** Once for the same words. */
function askSecond(step: Step, text: string, agent: string): void {
  const { caller } = step.state;
  if (caller.asked && sameWords(caller.asked.text, text)) return;
  caller.asked = { text };
  step.do({ type: 'judge', burst: caller.onsetAt ?? step.at, text, agent });
}

/** The second judge has spoken, in time or not: it counts for the burst and the words that it was asked about. */
export function judged(step: Step, { burst, text, floor }: Extract<TurnEvent, { type: 'judged' }>): void {
  const { caller } = step.state;
  if (floor === undefined || burst !== caller.onsetAt || !caller.asked || !sameWords(caller.asked.text, text)) return;
  caller.asked.floor = floor;
  judgeBurst(step);
}

/** Whether what is being said now is said to its end, whoever speaks. */
export function keepsFloor(step: Step): boolean {
  const { current } = step.state;
  return current?.kind === 'notice' || current?.utterances.find(({ status }) => status === 'started')?.firm === true;
}

/** The caller fell silent over the agent: the final words decide, or, when they do not come in time, what is known. */
export function burstEnded(step: Step): void {
  const { phase, current, settings, caller } = step.state;
  if (phase !== 'speaking' || !current || keepsFloor(step)) return;
  // Words that are a listener's so far hardly become others in the final.
  if (settings.judge === 'words' && isBackchannel(saidOver(step, caller.partial))) goOn(step);
  step.timer('barge-in', settings.finalMs);
}

/** The agent keeps the floor, at full level. What was said stays for a while: it may answer the agent's last words. */
function goOn(step: Step): void {
  step.do({ type: 'go-on' });
  step.state.caller.yielded = false;
  step.clear('barge-in');
  if (!step.state.caller.speaking) step.timer('overlap', step.state.settings.overlapMs);
}

/** A listener's words are too old to be an answer to what the agent says now: they are done with. */
export function overlapOver(step: Step): void {
  const { caller, phase } = step.state;
  if (phase !== 'speaking' || caller.speaking) return;
  passBurst(step);
}

/** Puts a burst that took no floor on record and forgets it. */
export function passBurst(step: Step): void {
  const { current } = step.state;
  if (current) settle(step, current);
  const { text, voicedAt, onsetAt, offsetPosition, real } = step.state.caller;
  if (text && voicedAt !== undefined) {
    step.journal({ type: 'backchannel', text, durationMs: Math.round(voicedAt - (onsetAt ?? voicedAt)), real });
  }
  commitTo(step, offsetPosition);
  forget(step);
}

/** Whether what was said over a reply that keeps the floor has to be answered after it. */
export function isOwedAnswer(text: string): boolean {
  return text !== '' && !isBackchannel(text);
}

function judgeLater(step: Step): void {
  const { onsetAt } = step.state.caller;
  if (step.state.settings.judge === 'voice') return judgeVoice(step, onsetAt ?? step.at);
  const elapsed = step.at - (onsetAt ?? step.at);
  const next = CHECKPOINTS_MS.find((at) => at > elapsed);
  if (next === undefined) step.clear('barge-in');
  else step.timer('barge-in', next - elapsed);
}
