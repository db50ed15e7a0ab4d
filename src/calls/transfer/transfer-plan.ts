import type { Disposition } from '../../journal/events.js';
import { userOf } from '../../sip/headers/address.js';
import type { Destination, Plan, PlanStep } from '../targets/targets.js';
import type { PersonState } from './transfer-state.js';
import { attempt, bridge, drop, finish, type Step } from './transfer-step.js';

/* The way through a plan: who is tried next, and what when nobody is left. */

/** Goes on to the next step of the plan, or says that there is none. */
export function next(step: Step): void {
  const { state } = step;
  for (;;) {
    state.at += 1;
    if (state.at === 0) state.followed = [];
    const todo = state.plan.steps[state.at];
    if (!todo) return exhausted(step);
    switch (todo.type) {
      case 'dial': {
        const others = todo.destinations.filter(({ uri }) => !state.followed.includes(uri));
        for (const destination of others) dial(step, destination);
        if (others.length > 0) return;
        break;
      }
      case 'refer':
        state.phase = 'leaving';
        return step.do({ type: 'refer', destination: todo.destination });
      case 'agent':
        return finish(step, 'agent', `agent ${todo.agent}`, {
          type: 'agent',
          agent: todo.agent,
          target: todo.target,
        });
      case 'callback':
        step.do({ type: 'call-back', step: todo });
        return finish(step, 'call-back', 'call-back', { type: 'callback', message: todo.message });
      case 'skip':
        attempt(step, todo.target, undefined, todo.disposition, undefined, todo.reason);
    }
  }
}

/** What of a plan is of use for a caller who is with somebody, and stays: who can be called, as participants and no more. */
export function dialsOnly({ steps }: Plan): PlanStep[] {
  const plain = (one: PersonState['destination']) => ({
    ...one,
    settings: { ...one.settings, method: 'warm' as const, introduction: undefined },
  });
  return steps.flatMap((todo): PlanStep[] => {
    if (todo.type === 'skip') return [todo];
    if (todo.type === 'refer') return [{ type: 'dial', destinations: [plain(todo.destination)] }];
    return todo.type === 'dial' ? [{ type: 'dial', destinations: todo.destinations.map(plain) }] : [];
  });
}

/** Tells the caller their place, and again after a while. */
export function announce(step: Step): void {
  const { plan, place } = step.state;
  step.do({ type: 'announce', place });
  if (plan.queue) step.timer('announce', plan.queue.announceMs);
}

/** An attempt ended without a person. */
export function fail(
  step: Step,
  name: string,
  disposition: Disposition,
  status: number | undefined,
  reason: string,
): void {
  const { state } = step;
  attempt(step, step.leg(name)?.destination.target ?? '', name, disposition, status, reason);
  drop(step, name, reason);
  if (step.open.length === 0 && state.phase === 'trying') next(step);
}

/** Nobody took the call. */
export function gaveUp(step: Step): void {
  const { disposition, reason } = step.state.last;
  finish(step, disposition, reason, { type: 'failed', disposition, reason });
}

/** A phone sends the call to another target: that one is called, once, and unless it is called already. */
export function follow(step: Step, name: string, { steps }: Plan): void {
  const leg = step.leg(name);
  const first = steps.find(({ type }) => type !== 'skip');
  if (!leg || leg.sentBy !== undefined) return;
  // Whether the caller's side is asked to connect the two is for the one who was to be called.
  const { method } = leg.destination.settings;
  const called = new Set(step.open.map((open) => step.leg(open)?.destination.uri));
  const destinations = first?.type === 'dial' ? first.destinations : first?.type === 'refer' ? [first.destination] : [];
  for (const destination of destinations) {
    if (called.has(destination.uri)) continue;
    step.state.followed = [...step.state.followed, destination.uri];
    const settings = { ...destination.settings, method };
    dial(step, { ...destination, settings, divertedBy: nameOf(leg.destination) }, name);
  }
}

/** What a phone is known by outside: its URI may be where a user has logged in from. */
function nameOf({ settings: { user, number }, uri, target }: Destination): string {
  return (user ?? number ?? userOf(uri)) || target;
}

function dial(step: Step, destination: PersonState['destination'], sentBy?: string): void {
  const { state } = step;
  state.made += 1;
  const leg = `${state.prefix}${state.made}`;
  state.legs = {
    ...state.legs,
    [leg]: { destination, phase: 'dialling', sentBy, asked: false, spoke: false, speaking: false, machine: false },
  };
  const { target, uri, settings } = destination;
  step.do({ type: 'journal', event: { type: 'transfer.dialling', target, leg, uri, sentBy } });
  step.do({ type: 'dial', leg, destination });
  step.timer(`ring:${leg}`, settings.ringMs);
}

/** Every step was tried: again after a while when there is a queue, else it is over. */
function exhausted(step: Step): void {
  const { state } = step;
  const { queue } = state.plan;
  if (state.handedOnBy !== undefined) return handingOnFailed(step, state.handedOnBy);
  if (queue && state.last.disposition !== 'closed' && step.at - state.beganAt < queue.maxWaitMs) {
    state.phase = 'queued';
    if (!state.plan.steps.some(({ type }) => type !== 'skip')) return gaveUp(step);
    announce(step);
    return step.timer('retry', queue.retryMs);
  }
  gaveUp(step);
}

/** Nobody could be reached for a person that hands on: they have the caller back, if they are still there. */
function handingOnFailed(step: Step, by: string): void {
  const { state } = step;
  const { status = 480, reason } = state.last;
  step.do({ type: 'report', leg: by, status, reason });
  state.handedOnBy = undefined;
  const leg = step.leg(by);
  if (!leg) return gaveUp(step);
  state.joined = by;
  bridge(step, by, leg.destination.name);
}
