import type { Plan } from '../targets/targets.js';
import { announce, fail, follow, gaveUp, next } from './transfer-plan.js';
import type { TransferEffect, TransferEvent, TransferOutcome, TransferState, TransferTimer } from './transfer-state.js';
import { attempt, bridge, dispositionOf, drop, finish, quiet, Step, unbridged } from './transfer-step.js';

/** A machine's greeting is one stretch of voice, though it pauses for less than this between its sentences, ms. */
const PAUSE_MS = 900;
/** The question is asked again after so much silence, ms. */
const ASK_AGAIN_MS = 6000;

type Happened<T extends TransferEvent['type']> = Extract<TransferEvent, { type: T }>;

/**
 * One step of a transfer. Pure: time comes only from `event.at`, timers are effects, and what belongs to a leg that is
 * gone, or to a transfer that is over, changes nothing.
 */
export function reduceTransfer(
  state: TransferState,
  event: TransferEvent,
): { state: TransferState; effects: TransferEffect[] } {
  if (state.phase === 'over') return { state, effects: [] };
  const step = new Step(structuredClone(state), event.at);
  apply(step, event);
  return { state: step.state, effects: step.effects };
}

function apply(step: Step, event: TransferEvent): void {
  switch (event.type) {
    case 'begin':
      return begin(step);
    case 'place':
      return placed(step, event.place);
    case 'ringing':
      return ringing(step, event.leg);
    case 'answered':
      return answered(step, event.leg);
    case 'refused':
      return refused(step, event);
    case 'left':
      return left(step, event);
    case 'keyed':
      if (step.leg(event.leg)?.phase === 'keying') brief(step, event.leg);
      return;
    case 'briefed':
      return briefed(step, event.leg);
    case 'key':
      return pressed(step, event);
    case 'words':
      return said(step, event);
    case 'voice':
      return voiced(step, event);
    case 'beep':
      return beeped(step, event.leg);
    case 'reported':
      return reported(step, event);
    case 'handed-on':
      return handedOn(step, event);
    case 'replaced':
      return replaced(step, event);
    case 'timer':
      return timer(step, event.name);
    case 'caller.left':
      return callerLeft(step, event.taken);
    case 'stop':
      return stopped(step, event);
  }
}

function stopped(step: Step, { reason, ending }: Happened<'stop'>): void {
  const outcome: TransferOutcome = ending ? { type: 'stopped' } : { type: 'failed', disposition: 'failed', reason };
  finish(step, 'failed', reason, outcome);
}

function begin(step: Step): void {
  const { state } = step;
  if (state.phase !== 'new') return;
  state.beganAt = step.at;
  const { plan, reason } = state;
  const first = plan.steps.find(({ type }) => type === 'dial' || type === 'refer');
  const method =
    first?.type === 'refer'
      ? 'refer'
      : first?.type === 'dial'
        ? (first.destinations[0]?.settings.method ?? 'warm')
        : 'none';
  step.do({ type: 'journal', event: { type: 'transfer.started', target: plan.target, method, reason } });
  step.do({ type: 'wait', on: true });
  if (!plan.queue) {
    state.phase = 'trying';
    return next(step);
  }
  state.phase = 'queued';
  step.timer('queue', plan.queue.maxWaitMs);
  step.do({ type: 'queue', on: true });
}

/** The place in the queue, or another one. */
function placed(step: Step, place: number): void {
  const { state } = step;
  const before = state.place;
  state.place = place;
  if (state.phase !== 'queued' || place === before) return;
  step.do({ type: 'journal', event: { type: 'transfer.queued', target: state.plan.target, place } });
  if (place > 1) {
    if (before === 0) announce(step);
    return;
  }
  state.phase = 'trying';
  state.at = -1;
  next(step);
}

function ringing(step: Step, leg: string): void {
  const { target } = step.leg(leg)?.destination ?? {};
  if (target !== undefined) step.do({ type: 'journal', event: { type: 'transfer.ringing', target, leg } });
}

function answered(step: Step, name: string): void {
  const leg = step.leg(name);
  if (leg?.phase !== 'dialling') return step.do({ type: 'drop', leg: name, reason: 'no longer wanted' });
  step.clear(`ring:${name}`);
  const { target, settings } = leg.destination;
  step.do({ type: 'journal', event: { type: 'transfer.answered', target, leg: name } });
  step.timer(`accept:${name}`, settings.acceptMs);
  if (settings.extension === undefined) return brief(step, name);
  step.set(name, { phase: 'keying' });
  step.do({ type: 'keys', leg: name, digits: settings.extension });
}

/** Another phone is at a leg now; who picks up one that rings has answered it. */
function replaced(step: Step, { leg: name, person, sipCallId }: Happened<'replaced'>): void {
  const leg = step.leg(name);
  if (!leg) return;
  step.set(name, { destination: { ...leg.destination, name: person } });
  step.do({
    type: 'journal',
    event: { type: 'transfer.replaced', target: leg.destination.target, leg: name, person, sipCallId },
  });
  step.do({ type: 'rename', leg: name, person });
  if (leg.phase === 'dialling') answered(step, name);
}

function brief(step: Step, name: string): void {
  const { settings, replaces } = step.leg(name)?.destination ?? {};
  if (!settings) return;
  step.set(name, { phase: 'briefing' });
  // Who is called for a person that hands on is not briefed by us: that was their matter.
  const handed = step.state.handedOnBy !== undefined || replaces !== undefined;
  if (handed || (settings.accept === 'answer' && !settings.briefing)) return accept(step, name, 'answer');
  step.do({ type: 'brief', leg: name, question: settings.accept === 'answer' ? undefined : settings.accept });
}

function briefed(step: Step, name: string): void {
  const leg = step.leg(name);
  if (leg?.phase !== 'briefing') return;
  if (leg.destination.settings.accept === 'answer') return accept(step, name, 'answer');
  step.set(name, { asked: true });
  step.timer(`ask:${name}`, ASK_AGAIN_MS);
}

function pressed(step: Step, { leg: name, digit }: Happened<'key'>): void {
  const leg = step.leg(name);
  if (leg?.phase !== 'briefing') return;
  const { acceptKey, declineKey } = leg.destination.settings;
  if (digit === acceptKey) accept(step, name, 'key');
  else if (digit === declineKey) fail(step, name, 'declined', undefined, 'declined by key');
}

/** Words before the question are a greeting: "Yes, hello?" takes no call. */
function said(step: Step, { leg: name, answer }: Happened<'words'>): void {
  const leg = step.leg(name);
  if (leg?.phase !== 'briefing' || !leg.asked || leg.destination.settings.accept !== 'voice') return;
  if (answer === 'yes') accept(step, name, 'voice');
  else if (answer === 'no') fail(step, name, 'declined', undefined, 'declined by word');
}

/** A person pauses; a machine that reads its greeting does not. */
function voiced(step: Step, { leg: name, on }: Happened<'voice'>): void {
  const leg = step.leg(name);
  if (!leg || leg.phase === 'joined') return;
  if (!on) return step.timer(`pause:${name}`, PAUSE_MS);
  step.clear(`pause:${name}`);
  if (!leg.speaking) step.timer(`voice:${name}`, leg.destination.settings.voicemailMs);
  step.set(name, { spoke: true, speaking: true });
}

/** After a greeting a beep says that a machine records; before one it may be the network's. */
function beeped(step: Step, name: string): void {
  const leg = step.leg(name);
  if (!leg?.spoke || leg.phase === 'joined') return;
  if (leg.destination.settings.accept !== 'key') return fail(step, name, 'voicemail', undefined, 'a machine beeped');
  // A key tells a person from a machine for certain: who is one has a moment for it.
  step.set(name, { machine: true });
  step.timer(`accept:${name}`, ASK_AGAIN_MS);
}

/** The person takes the call: the others are told that it is over, and the two are brought together. */
function accept(step: Step, name: string, by: 'key' | 'voice' | 'answer'): void {
  const { state } = step;
  const leg = step.leg(name);
  if (!leg) return;
  const { target, settings, name: person } = leg.destination;
  step.set(name, { phase: 'joined' });
  quiet(step, name);
  step.do({ type: 'journal', event: { type: 'transfer.accepted', target, leg: name, by } });
  for (const other of step.open) {
    const lost = step.leg(other)?.destination.target ?? '';
    attempt(step, lost, other, 'answered-elsewhere', undefined, `taken by ${target}`);
    drop(step, other, 'answered elsewhere');
  }
  if (state.plan.queue) step.do({ type: 'queue', on: false });
  step.clear('queue', 'announce', 'retry');
  state.joined = name;
  const { handedOnBy } = state;
  if (handedOnBy !== undefined) {
    step.do({ type: 'report', leg: handedOnBy, status: 200, reason: 'OK' });
    drop(step, handedOnBy, `handed on to ${target}`);
    state.handedOnBy = undefined;
  } else if (settings.method === 'attended') {
    state.phase = 'leaving';
    return step.do({ type: 'attend', leg: name });
  }
  bridge(step, name, person);
  if (handedOnBy === undefined && settings.introduction !== undefined) step.do({ type: 'introduce', leg: name });
}

function refused(step: Step, { leg, status, reason, elsewhere }: Happened<'refused'>): void {
  if (!step.leg(leg)) return;
  if (elsewhere) follow(step, leg, elsewhere);
  fail(step, leg, dispositionOf(status), status || undefined, reason);
}

function left(step: Step, { leg: name, reason }: Happened<'left'>): void {
  const { state } = step;
  const leg = step.leg(name);
  if (!leg) return;
  if (leg.phase !== 'joined')
    return fail(step, name, leg.machine ? 'voicemail' : 'declined', undefined, `hung up: ${reason}`);
  // The phone that handed on goes, and who it called for the caller is still being reached. In an attended transfer the
  // caller's side takes our place: then the person's leg ends first.
  if (state.handedOnBy === name || state.phase === 'leaving') return drop(step, name, reason);
  finish(step, 'answered', reason, { type: 'person.left', afterwards: leg.destination.settings.afterwards, reason });
}

/** The caller's side has told how it fared with our REFER. */
function reported(step: Step, { accepted, status, reason }: Happened<'reported'>): void {
  const { state } = step;
  if (state.phase !== 'leaving') return;
  const { joined } = state;
  if (accepted) return finish(step, 'answered', reason, { type: 'gone' }, status);
  const leg = joined === undefined ? undefined : step.leg(joined);
  const todo = state.plan.steps[state.at];
  const target =
    state.legs[joined ?? '']?.destination.target ??
    (todo?.type === 'refer' ? todo.destination.target : state.plan.target);
  attempt(step, target, joined, status === undefined ? 'failed' : dispositionOf(status), status, reason);
  // Caller and person are both there: they are joined here, then.
  if (leg && joined !== undefined) return bridge(step, joined, leg.destination.name);
  state.joined = undefined;
  state.phase = 'trying';
  next(step);
}

/** The joined person's phone wants the caller to be with somebody else. */
function handedOn(step: Step, { leg: name, plan }: Happened<'handed-on'>): void {
  const { state } = step;
  const status =
    state.joined !== name || state.phase !== 'bridged' || state.handedOnBy !== undefined ? 491 : plan ? 202 : 403;
  step.do({ type: 'journal', event: { type: 'transfer.referred', leg: name, target: plan?.target, status } });
  step.do({ type: 'report', leg: name, status, reason: '' });
  if (status !== 202 || !plan) return;
  step.do({ type: 'unjoin', leg: name });
  unbridged(step, name, `handed on to ${plan.target}`);
  step.do({ type: 'wait', on: true });
  state.handedOnBy = name;
  state.settled = false;
  // What the trunk would have to be asked for (REFER), and queues, are for callers who are with nobody.
  const steps = plan.steps.flatMap((todo) =>
    todo.type === 'refer' ? [{ type: 'dial' as const, destinations: [todo.destination] }] : [todo],
  );
  state.plan = { target: plan.target, steps, queue: undefined } satisfies Plan;
  state.at = -1;
  state.phase = 'trying';
  next(step);
}

function timer(step: Step, name: TransferTimer): void {
  const { state } = step;
  const [kind, leg = ''] = name.split(':');
  const person = step.leg(leg);
  switch (kind) {
    case 'ring':
      if (person?.phase === 'dialling') fail(step, leg, 'no-answer', undefined, 'nobody answered');
      return;
    case 'accept':
      if (!person || person.phase === 'joined') return;
      return fail(step, leg, person.machine ? 'voicemail' : 'no-answer', undefined, 'answered, but not taken');
    case 'ask': {
      const { accept: how } = person?.destination.settings ?? {};
      if (person?.phase === 'briefing' && how !== undefined && how !== 'answer')
        step.do({ type: 'ask', leg, question: how });
      return;
    }
    case 'voice':
      if (!person || person.phase === 'joined') return;
      // A key tells a person from a machine for certain.
      if (person.destination.settings.accept === 'key') return step.set(leg, { machine: true });
      return fail(step, leg, 'voicemail', undefined, 'a machine answered');
    case 'pause':
      step.clear(`voice:${leg}`);
      return step.set(leg, { speaking: false });
    case 'announce':
      if (state.phase === 'queued') announce(step);
      return;
    case 'retry':
      if (state.phase !== 'queued') return;
      state.phase = 'trying';
      state.at = -1;
      return next(step);
    case 'queue':
      if (state.phase === 'queued') return waited(step);
  }
}

function waited(step: Step): void {
  const { state } = step;
  // Who was never called has no disposition of an attempt.
  if (state.made === 0) state.last = { disposition: 'busy', status: undefined, reason: 'others came first' };
  gaveUp(step);
}

function callerLeft(step: Step, taken: boolean): void {
  if (step.state.phase === 'leaving' && taken) return finish(step, 'answered', 'gone to the target', { type: 'gone' });
  const disposition = step.state.phase === 'bridged' ? 'answered' : 'cancelled-by-caller';
  finish(step, disposition, 'the caller hung up', { type: 'caller.left' });
}
