import type { Step } from './step.js';

/* Who has the floor: what both halves of the turn machine share. */

/** Caller and agent speak at once: lower the agent's voice until it is decided who goes on. */
export function contest(step: Step): void {
  const { current, settings } = step.state;
  if (!current || current.kind === 'notice') return;
  step.do({ type: 'gain', level: settings.duckLevel });
  step.timer('barge-in', settings.bargeInMs);
}

/** Sets the timer that ends the turn unless the caller goes on. */
export function armEndpoint(step: Step): void {
  const { caller, settings } = step.state;
  step.timer('endpoint', settings.waitMs - (step.at - (caller.voicedAt ?? step.at)));
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

/** Clears what was gathered for a turn. */
export function forget(step: Step): void {
  const { caller } = step.state;
  step.state.caller = {
    speaking: caller.speaking,
    onsetAt: caller.onsetAt,
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
  if (!state.caller.speaking) step.timer('idle', state.settings.idle.afterMs);
}
