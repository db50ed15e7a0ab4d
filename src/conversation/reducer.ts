import type { EndedBy } from '../journal/events.js';
import {
  endpoint,
  final,
  key,
  offset,
  onset,
  partial,
  recognitionDelayed,
  recognitionFailed,
  recognitionLate,
  stir,
  takeKeys,
  turnTooLong,
  typed,
} from './caller-side.js';
import { armEndpoint, listenOn } from './floor.js';
import { judgeBurst, judged, overlapOver } from './overlap.js';
import { abandon, interrupt, sensitive, settle, stopYielding } from './reply-end.js';
import { addSentence, complete, ended, failed, joinOver, resumeAfterTransfer, speak, started } from './reply-side.js';
import type { Reply, TimerName, TurnEffect, TurnEvent, TurnState, Utterance } from './state.js';
import { Step } from './step.js';
import { pauseAgent, sayInstead, sendOn } from './supervision.js';

/**
 * The turn machine: what happened, and what to do about it. Pure: time comes only from `event.at`, timers are effects,
 * and results that belong to a reply which is no more are ignored.
 */
export function reduce(state: TurnState, event: TurnEvent): { state: TurnState; effects: TurnEffect[] } {
  if (state.phase === 'ended') return { state, effects: [] };
  const step = new Step(structuredClone(state), event.at);
  apply(step, event);
  return { state: step.state, effects: step.effects };
}

function apply(step: Step, event: TurnEvent): void {
  switch (event.type) {
    case 'begin':
      return begin(step, event.greeting, event.notice);
    case 'leave':
      return farewell(step, event.reason, event.by);
    case 'stir':
      return stir(step, event.voiced);
    case 'onset':
      return onset(step, event.voicedAt);
    case 'pause':
      step.state.caller.pausedAt = event.voicedAt;
      return judgeBurst(step);
    case 'offset':
      return offset(step, event.voicedAt, event.position);
    case 'partial':
      return partial(step, event);
    case 'final':
      return final(step, event);
    case 'recognition.delayed':
      return recognitionDelayed(step);
    case 'recognition.failed':
      return recognitionFailed(step, event.reason);
    case 'hold':
      return held(step, event.on);
    case 'text':
      return typed(step, event.text);
    case 'dtmf':
      return key(step, event.digit, event.durationMs);
    case 'utterance.ready':
    case 'utterance.started':
    case 'utterance.ended':
      return utterance(step, event);
    case 'timer':
      return timer(step, event.name);
    case 'judged':
      return judged(step, event);
    case 'transfer.failed':
      return resumeAfterTransfer(step, event);
    case 'supervisor.say':
      return sayInstead(step, event.sentences);
    case 'supervisor.pause':
      return pauseAgent(step, event.on);
    case 'supervisor.send-on':
      return sendOn(step, event.target, event.reason);
    case 'closed':
      return closed(step);
    default:
      return reply(step, event);
  }
}

function begin(step: Step, greeting: readonly string[], notice: readonly string[]): void {
  if (step.state.phase !== 'new') return;
  step.state.greeting = greeting;
  step.timer('call', step.state.settings.callMs);
  if (notice.length > 0) speak(step, 'notice', notice);
  else speak(step, 'greeting', greeting);
}

function utterance(step: Step, event: Extract<TurnEvent, { type: `utterance.${string}` }>): void {
  const found = find(step.state, event.id);
  if (!found) return;
  const [reply, utterance] = found;
  if (event.type === 'utterance.ready') reply.marks.ready ??= event.at;
  else if (event.type === 'utterance.started') started(step, reply, utterance);
  else ended(step, reply, utterance, event.heard, event.stopped);
}

function reply(step: Step, event: Extract<TurnEvent, { type: `reply.${string}` }>): void {
  const { current } = step.state;
  if (current?.id !== event.reply || current.complete) return;
  switch (event.type) {
    case 'reply.sentence':
      return addSentence(step, current, event.text, event.firm);
    case 'reply.expect':
      current.expected = event.expected;
      if (event.expected.sensitive) sensitive(step, event.expected);
      return;
    case 'reply.acted':
      current.acted = true;
      return settle(step, current);
    case 'reply.done':
      current.afterwards = event.afterwards;
      return complete(step, current);
    case 'reply.failed':
      return failed(step, current, event.reason);
  }
}

function timer(step: Step, name: TimerName): void {
  const { state } = step;
  switch (name) {
    case 'endpoint':
      return endpoint(step);
    case 'recognition':
      return recognitionLate(step, 'no final in time');
    case 'barge-in':
      return state.phase === 'thinking' ? stopYielding(step) : judgeBurst(step, !state.caller.speaking);
    case 'overlap':
      return overlapOver(step);
    case 'join':
      return joinOver(step);
    case 'idle':
      return idle(step);
    case 'turn':
      return turnTooLong(step);
    case 'call':
      return farewell(step, 'maximum call length', 'limit');
    case 'reasoner':
      if (state.current && !state.current.complete) failed(step, state.current, 'no answer in time');
      return;
    case 'keys':
      return takeKeys(step);
    case 'farewell':
      step.do({ type: 'finish', afterwards: { type: 'hangup', reason: 'after the farewell', by: 'limit' } });
      return;
  }
}

/** On hold nobody is waited for; afterwards everything goes on where it was: words and keys that wait for their end, too. */
function held(step: Step, on: boolean): void {
  const { state } = step;
  const { caller, settings } = state;
  state.held = on;
  if (on) return step.clear('idle', 'endpoint', 'turn', 'keys');
  if (caller.speaking) step.timer('turn', settings.turnMs);
  if (caller.keys) step.timer('keys', settings.dtmfMs);
  if (state.phase !== 'listening') return;
  if (caller.turnSince !== undefined && !caller.speaking) armEndpoint(step);
  else listenOn(step);
}

/** The caller has been silent since the agent spoke. */
function idle(step: Step): void {
  const { state } = step;
  if (state.phase !== 'listening' || state.caller.speaking || state.current || state.paused) return;
  state.idle += 1;
  step.journal({ type: 'idle', count: state.idle });
  const { prompts, goodbye, handOver } = state.settings.idle;
  if (handOver && state.idle > handOver.after) {
    const { say, target, trigger, priority } = handOver;
    step.journal({ type: 'escalation', trigger, target, priority });
    return speak(step, 'farewell', [say], { type: 'transfer', target, reason: trigger, priority });
  }
  const prompt = prompts[state.idle - 1];
  if (prompt !== undefined) return speak(step, 'idle', [prompt]);
  speak(step, 'farewell', [goodbye], { type: 'hangup', reason: 'caller silent', by: 'agent' });
}

/** The call ends, whatever it is at. */
function farewell(step: Step, reason: string, by: EndedBy): void {
  const { settings, phase, current } = step.state;
  // A transfer has its own end; when it fails the limit still holds.
  if (phase === 'handing-over') return step.timer('call', FAREWELL_MS);
  if (current) interrupt(step);
  speak(step, 'farewell', [settings.farewell], { type: 'hangup', reason, by });
  step.timer('farewell', FAREWELL_MS);
}

/** A farewell that is talked over must end, too. */
const FAREWELL_MS = 15_000;

/** The voice is gone: put on record what was said and heard until then. */
function closed(step: Step): void {
  const { state } = step;
  abandon(step);
  const { caller } = state;
  const text = caller.partial || caller.text;
  if (text) {
    const { turnSince: startedAt, voicedAt: endedAt } = caller;
    step.journal({ type: 'caller.turn', turn: state.turn + 1, text, from: 'speech', startedAt, endedAt });
  }
  state.phase = 'ended';
}

function find(state: TurnState, id: string): [Reply, Utterance] | undefined {
  for (const reply of state.current ? [state.current, ...state.fading] : state.fading) {
    const utterance = reply.utterances.find((u) => u.id === id);
    if (utterance) return [reply, utterance];
  }
  return undefined;
}
