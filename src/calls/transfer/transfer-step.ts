import type { Disposition } from '../../journal/events.js';
import type { PersonState, TransferEffect, TransferOutcome, TransferState, TransferTimer } from './transfer-state.js';

/* What the reducer's parts share: a step in the making, and how legs and transfers end. */

/** One step: the state as it becomes, and what is to be done. */
export class Step {
  readonly effects: TransferEffect[] = [];

  constructor(
    readonly state: TransferState,
    readonly at: number,
  ) {}

  do(effect: TransferEffect): void {
    this.effects.push(effect);
  }

  timer(name: TransferTimer, ms: number): void {
    this.do({ type: 'timer', name, ms });
  }

  clear(...names: TransferTimer[]): void {
    for (const name of names) this.do({ type: 'clear', name });
  }

  /** A leg that is not gone. */
  leg(name: string): PersonState | undefined {
    const leg = this.state.legs[name];
    return leg?.phase === 'gone' ? undefined : leg;
  }

  set(name: string, change: Partial<PersonState>): void {
    const leg = this.state.legs[name];
    if (leg) this.state.legs = { ...this.state.legs, [name]: { ...leg, ...change } };
  }

  /** Names of legs that are neither gone nor joined. */
  get open(): string[] {
    return Object.keys(this.state.legs).filter((name) => {
      const phase = this.state.legs[name]?.phase;
      return phase !== 'gone' && phase !== 'joined';
    });
  }
}

/** Puts an attempt that came to nothing on record. */
export function attempt(
  step: Step,
  target: string,
  leg: string | undefined,
  disposition: Disposition,
  status: number | undefined,
  reason: string,
): void {
  if (disposition !== 'answered-elsewhere') step.state.last = { disposition, status, reason };
  step.do({ type: 'journal', event: { type: 'transfer.attempt', target, leg, disposition, status, reason } });
}

/** Ends a leg. */
export function drop(step: Step, name: string, reason: string): void {
  step.set(name, { phase: 'gone' });
  quiet(step, name);
  step.do({ type: 'drop', leg: name, reason });
}

/** No clock of this leg runs any more. */
export function quiet(step: Step, name: string): void {
  step.clear(`ring:${name}`, `accept:${name}`, `ask:${name}`, `voice:${name}`, `pause:${name}`);
}

/** The result goes on record, once. */
export function settle(step: Step, disposition: Disposition, reason: string, target: string, status?: number): void {
  const { state } = step;
  if (state.settled) return;
  state.settled = true;
  const outcome = disposition === 'answered' ? 'accepted' : 'failed';
  step.do({ type: 'journal', event: { type: 'transfer.finished', target, outcome, disposition, status, reason } });
}

/** Caller and person are joined. */
export function bridge(step: Step, name: string, person: string): void {
  const { state } = step;
  const target = step.leg(name)?.destination.target ?? '';
  state.phase = 'bridged';
  step.do({ type: 'wait', on: false });
  step.do({ type: 'join', leg: name });
  step.do({ type: 'journal', event: { type: 'transfer.bridged', target, person, leg: name } });
  settle(step, 'answered', person, target);
  step.do({ type: 'bridged' });
}

/** They no longer hear each other. */
export function unbridged(step: Step, leg: string, reason: string): void {
  const target = step.leg(leg)?.destination.target ?? step.state.plan.target;
  step.do({ type: 'journal', event: { type: 'transfer.unbridged', target, leg, reason } });
}

/** Nothing is left running. */
export function finish(
  step: Step,
  disposition: Disposition,
  reason: string,
  outcome: TransferOutcome,
  status?: number,
): void {
  const { state } = step;
  if (state.handedOnBy !== undefined) step.do({ type: 'report', leg: state.handedOnBy, status: 487, reason });
  if (state.phase === 'bridged' && state.joined !== undefined) unbridged(step, state.joined, reason);
  for (const name of Object.keys(state.legs)) if (step.leg(name)) drop(step, name, reason);
  if (state.plan.queue) step.do({ type: 'queue', on: false });
  step.clear('queue', 'announce', 'retry');
  step.do({ type: 'wait', on: false });
  settle(
    step,
    disposition,
    reason,
    state.plan.target,
    status ?? (disposition === 'answered' ? undefined : state.last.status),
  );
  state.phase = 'over';
  step.do({ type: 'over', outcome });
}

/** What a refusal says (RFC 3261 21.4 to 21.6). */
export function dispositionOf(status: number): Disposition {
  switch (status) {
    case 300:
    case 301:
    case 302:
      return 'deflected';
    case 486:
    case 600:
      return 'busy';
    case 603:
    case 607:
    case 608:
      return 'declined';
    case 408:
    case 480:
    case 487:
      return 'no-answer';
    case 404:
    case 410:
    case 604:
      return 'unavailable';
    default:
      return 'failed';
  }
}
