import { listenOn } from './floor.js';
import { handOver, interrupt } from './reply-end.js';
import { speak } from './reply-side.js';
import type { Step } from './step.js';

/* What a supervisor does to a conversation, at any moment of it. */

/** The agent says this now, whatever it was saying. */
export function sayInstead(step: Step, sentences: readonly string[]): void {
  if (!standing(step)) return;
  interrupt(step, 'supervisor');
  speak(step, 'supervisor', sentences);
}

/** The agent falls silent, and answers nothing until it is let on again; what is said meanwhile is on record. */
export function pauseAgent(step: Step, on: boolean): void {
  const { state } = step;
  if (state.paused === on) return;
  state.paused = on;
  if (!standing(step)) return;
  if (on) {
    interrupt(step, 'supervisor');
    step.clear('idle');
  } else if (state.phase === 'listening' && !state.caller.speaking) listenOn(step);
}

/** The call goes to somebody, whatever the agent was saying. */
export function sendOn(step: Step, target: string, reason: string): void {
  if (!standing(step)) return;
  interrupt(step, 'supervisor');
  handOver(step, { type: 'transfer', target, reason });
}

function standing({ state: { phase } }: Step): boolean {
  return phase === 'listening' || phase === 'thinking' || phase === 'speaking';
}
