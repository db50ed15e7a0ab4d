import { isBackchannel, judge } from '../turns/interruption.js';
import { commitTo, forget } from './floor.js';
import { interrupt } from './reply-side.js';
import type { Step } from './step.js';

/*
 * Caller and agent speak at once. The agent's voice is lowered on the first sound, and the words of the burst decide who
 * goes on: a stop word at once, a listener's "uh-huh" never, anything else as the judge finds it.
 */

/** A burst is judged anew so long after its onset, ms, besides at each new word. */
const CHECKPOINTS_MS = [300, 500, 800, 1500];
/** Between two sentences there is nothing to interrupt: looked at again after this, ms. */
const AGAIN_MS = 100;

/** Lowers the agent's voice until it is decided who goes on. */
export function contest(step: Step): void {
  const { current, settings } = step.state;
  if (!current || current.kind === 'notice') return;
  step.do({ type: 'yield', how: settings.reflex, level: settings.duckLevel });
  step.clear('overlap');
  judgeLater(step);
}

/** Judges the burst by what is known of it now. */
export function judgeBurst(step: Step): void {
  const { caller, current, phase, settings } = step.state;
  if (phase !== 'speaking' || !current || current.kind === 'notice' || caller.onsetAt === undefined) return;
  const known = caller.textPosition !== undefined && caller.textPosition === caller.offsetPosition;
  const text = caller.speaking || !known ? caller.partial : caller.text;
  const agent = current.utterances.flatMap(({ text: said, status }) => (status === 'queued' ? [] : [said])).join(' ');
  const burst = { text, elapsedMs: step.at - caller.onsetAt, speaking: caller.speaking, real: caller.real, agent };
  const verdict = judge(burst, settings.stopWords);
  if (verdict === 'wait') return judgeLater(step);
  if (verdict === 'go-on') return goOn(step);
  if (step.talking) interrupt(step);
  else step.timer('barge-in', AGAIN_MS);
}

/** The caller fell silent over the agent: the final words decide, or, when they do not come in time, what is known. */
export function burstEnded(step: Step): void {
  const { phase, current, settings } = step.state;
  if (phase === 'speaking' && current && current.kind !== 'notice') step.timer('barge-in', settings.finalMs);
}

/** The agent keeps the floor, at full level. What was said stays for a while: it may answer the agent's last words. */
function goOn(step: Step): void {
  step.do({ type: 'go-on' });
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
  const { text, voicedAt, onsetAt, offsetPosition } = step.state.caller;
  if (text && voicedAt !== undefined) {
    step.journal({ type: 'backchannel', text, durationMs: Math.round(voicedAt - (onsetAt ?? voicedAt)) });
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
  const elapsed = step.at - (onsetAt ?? step.at);
  const next = CHECKPOINTS_MS.find((at) => at > elapsed);
  if (next === undefined) step.clear('barge-in');
  else step.timer('barge-in', next - elapsed);
}
