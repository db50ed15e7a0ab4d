import type { ReplyLatency } from '../journal/events.js';
import { addedWords } from '../text/added-words.js';
import type { ExpectedAnswer } from '../text/expected.js';
import { commitTo, dropSpeculation, forget } from './floor.js';
import type { Afterwards, Reply } from './state.js';
import type { Step } from './step.js';

/* How a reply ends: heard, cut short, or with the call. What was heard of it goes on record, and the turn that it answers. */

/** What is known of speech that takes the floor, for the journal. */
interface Burst {
  text?: string;
  burstMs?: number;
  real?: number | undefined;
}

/** Somebody takes the floor, the caller or a supervisor: fall silent now, drop what was planned. */
export function interrupt(step: Step, by: Burst | 'supervisor' = {}): void {
  const { state } = step;
  const reply = state.current;
  if (!reply) return;
  const started = reply.marks.started ?? step.at;
  settle(step, reply);
  step.do({ type: 'stop' });
  step.do({ type: 'go-on' });
  state.caller.yielded = false;
  if (!reply.complete) step.do({ type: 'cancel', reply: reply.id });
  step.clear('barge-in', 'overlap', 'join', 'reasoner');
  if (by !== 'supervisor') {
    step.journal({ type: 'interruption', turn: reply.turn, intoReplyMs: step.at - started, ...by });
  }
  reply.interrupted = true;
  // What was to follow a farewell is off when the caller has more to say; a promised transfer is not.
  if (reply.afterwards?.type === 'hangup' && reply.afterwards.by !== 'limit') reply.afterwards = undefined;
  state.fading.push(reply);
  state.current = undefined;
  state.phase = 'listening';
  conclude(step, reply);
}

/** Ends every reply as it stands, when the call is gone. */
export function abandon(step: Step): void {
  const { state } = step;
  dropSpeculation(step);
  const replies = state.current ? [...state.fading, state.current] : [...state.fading];
  if (state.current && !state.current.complete) step.do({ type: 'cancel', reply: state.current.id });
  for (const reply of replies) {
    settle(step, reply);
    const cut = reply.utterances.some((u) => u.status !== 'ended' || u.stopped) || !reply.complete;
    reply.interrupted ||= cut;
    record(step, reply);
  }
  state.fading = [];
  state.current = undefined;
}

/** The caller turn that this reply answers goes on record. */
export function settle(step: Step, reply: Reply): void {
  const { taking } = reply;
  if (!taking) return;
  reply.taking = undefined;
  const { text, from, startedAt, endedAt } = taking;
  step.journal({ type: 'caller.turn', turn: reply.turn, text, from, startedAt, endedAt });
  commitTo(step, taking.position);
  const { state } = step;
  const { caller } = state;
  if (caller.textPosition !== undefined && caller.textPosition <= state.committed) forget(step);
  else if (from === 'speech') {
    // What is said meanwhile was recognised together with it.
    state.settled = taking;
    caller.text = addedWords(text, caller.text);
    caller.partial = addedWords(text, caller.partial);
  }
}

/**
 * Puts a reply on record of which nothing more will be heard, and lets happen what was to follow it.
 *
 * @returns whether the floor is free now
 */
export function conclude(step: Step, reply: Reply): boolean {
  const { state } = step;
  if (!reply.complete && !reply.interrupted) return false;
  if (reply.utterances.some((u) => u.status !== 'ended')) return false;
  settle(step, reply);
  record(step, reply);
  countSilence(step, reply);
  const wasCurrent = state.current === reply;
  if (wasCurrent) {
    state.current = undefined;
    step.clear('join');
    stopYielding(step);
  }
  state.fading = state.fading.filter((r) => r !== reply);
  if (reply.afterwards) handOver(step, reply.afterwards);
  return wasCurrent && !reply.afterwards;
}

/** A reply of which nothing could be played is a failure of the voice: after a few in a row a person is called. */
function countSilence(step: Step, reply: Reply): void {
  const { state } = step;
  if (reply.interrupted || reply.utterances.length === 0) return;
  if (!reply.utterances.every((u) => u.stopped && !u.heard)) return;
  state.failures += 1;
  // A goodbye that nobody hears ends the call all the same.
  if (state.failures < state.settings.failures || reply.afterwards) return;
  reply.afterwards = { type: 'transfer', target: '', reason: 'failure' };
}

export function handOver(step: Step, afterwards: Afterwards): void {
  step.state.phase = 'handing-over';
  step.clear('idle', 'endpoint', 'recognition', 'turn', 'reasoner', 'keys', 'barge-in', 'overlap', 'join', 'farewell');
  // Whoever has the caller now is to hear them.
  sensitive(step, { kind: 'open' });
  step.do({ type: 'finish', afterwards });
}

/** From the question on until the answer is there and read back, what is said is for nobody else. */
export function sensitive(step: Step, { kind, sensitive: on = false }: ExpectedAnswer): void {
  if (step.state.sensitive === on) return;
  step.state.sensitive = on;
  step.do({ type: 'sensitive', on, digits: kind === 'digits' });
}

/** Nobody can take the floor from what is said now, or nothing is said: a voice that had made room is itself again. */
export function stopYielding(step: Step): void {
  if (!step.state.caller.yielded) return;
  step.state.caller.yielded = false;
  step.do({ type: 'go-on' });
}

function record(step: Step, reply: Reply): void {
  if (reply.utterances.length === 0) return;
  const planned = reply.utterances.map((u) => u.text).join(' ');
  const heard = reply.utterances
    .map((u) => u.heard)
    .filter(Boolean)
    .join(' ');
  const interrupted = reply.interrupted || reply.utterances.some((u) => u.stopped);
  step.journal({
    type: 'agent.turn',
    turn: reply.turn,
    planned,
    heard,
    interrupted,
    kind: reply.kind,
    latency: reply.kind === 'reply' && !reply.dropped ? latency(reply.marks) : undefined,
  });
  step.do({ type: 'heard', turn: reply.turn, text: heard, interrupted });
}

/** Each step's share of the time from the caller's last voiced sample to the agent's first. */
function latency(marks: Reply['marks']): ReplyLatency {
  const { voiced, decided, final, sentence, ready, started } = marks;
  const between = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? undefined : Math.max(0, Math.round((to - from) * 10) / 10);
  return {
    endpoint: between(voiced, decided),
    recognition: between(decided, final),
    reasoning: between(final, sentence),
    synthesis: between(sentence, ready),
    playout: between(ready, started),
    firstAudio: between(voiced, started),
    reply: between(voiced, started),
  };
}
