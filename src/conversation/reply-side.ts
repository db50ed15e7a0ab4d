import { armEndpoint, commitTo, dropSpeculation, forget, listenOn, speculate, useSpeculation } from './floor.js';
import { isContested, isOpen } from './joining.js';
import { contest, isOwedAnswer, passBurst } from './overlap.js';
import { conclude, sensitive, settle, stopYielding } from './reply-end.js';
import type { Afterwards, Reply, ReplyKind, TakenTurn, TurnState, Utterance } from './state.js';
import type { Step } from './step.js';

/* The agent's half of the turn machine: from a turn taken to the words that are heard. */

/** Takes the caller's turn and asks for the answer. Nothing is beyond recall until the answer is heard. */
export function beginTurn(step: Step, taking: TakenTurn, marks: Reply['marks']): void {
  const { state } = step;
  if (state.paused) return overhear(step, taking);
  const prepared = useSpeculation(step, taking);
  state.turn += 1;
  state.idle = 0;
  state.collided = false;
  forget(step);
  step.clear('idle');
  const reply = newReply(state, 'reply', state.turn, prepared);
  reply.taking = taking;
  reply.marks = marks;
  state.current = reply;
  state.phase = 'thinking';
  step.timer('reasoner', state.settings.reasonerMs);
  if (prepared !== undefined) step.do({ type: 'confirm', reply: prepared });
  else step.do({ type: 'ask', reply: reply.id, turn: { turn: state.turn, text: taking.text, from: taking.from } });
}

/** A turn that nobody answers, since the agent is paused. */
function overhear(step: Step, taken: TakenTurn): void {
  leaveUnanswered(step, taken);
  step.do({ type: 'overheard', text: taken.text });
}

/** The turn is the caller's and on record, and no answer to it is asked for. */
export function leaveUnanswered(step: Step, { text, from, startedAt, endedAt, position }: TakenTurn): void {
  const { state } = step;
  state.turn += 1;
  step.journal({ type: 'caller.turn', turn: state.turn, text, from, startedAt, endedAt });
  commitTo(step, position);
  forget(step);
}

/** The caller went on before the answer was heard: the turn is not over after all, unless an action was taken on it. */
export function reopen(step: Step): void {
  const { state } = step;
  const { current, caller } = state;
  if (state.phase !== 'thinking' || !current?.taking || current.acted) return;
  step.do({ type: 'cancel', reply: current.id });
  if (current.utterances.length > 0) step.do({ type: 'stop' });
  stopYielding(step);
  step.clear('reasoner', 'barge-in');
  step.journal({ type: 'turn.decision', turn: state.turn, decision: 'held', waitMs: 0, text: current.taking.text });
  caller.turnSince = current.taking.startedAt ?? caller.turnSince;
  state.turn -= 1;
  state.current = undefined;
  state.phase = 'listening';
}

/** Says something that no reasoner was asked for: greeting, idle prompt, farewell, apology. */
export function speak(step: Step, kind: ReplyKind, sentences: readonly string[], afterwards?: Afterwards): void {
  const { state } = step;
  const reply = newReply(state, kind, kind === 'reply' ? state.turn : 0);
  reply.afterwards = afterwards;
  reply.expected = kind === 'idle' || kind === 'go-ahead' ? state.expected : { kind: 'open' };
  state.current = reply;
  state.phase = 'speaking';
  dropSpeculation(step);
  step.clear('idle', 'endpoint');
  for (const text of sentences) addSentence(step, reply, text);
  complete(step, reply);
}

/** A failed transfer: the conversation goes on with what the agent has to say about it. */
export function resumeAfterTransfer(
  step: Step,
  { reason, turn = 0, say }: { reason: string; turn?: number | undefined; say?: string | undefined },
): void {
  const { state } = step;
  if (state.phase !== 'handing-over') return;
  state.turn = Math.max(state.turn, turn);
  forget(step);
  if (say !== undefined) {
    state.failures = 0;
    return speak(step, 'reply', [say]);
  }
  const reply = newReply(state, 'reply', state.turn);
  // Nobody takes over: what failed has its tries again, or the call would be handed over in a circle.
  state.failures = 0;
  state.current = reply;
  state.phase = 'thinking';
  step.timer('reasoner', state.settings.reasonerMs);
  step.do({ type: 'ask-after-failed-transfer', reply: reply.id, reason });
}

export function addSentence(step: Step, reply: Reply, text: string, firm = false): void {
  step.clear('reasoner');
  reply.marks.sentence ??= step.at;
  const utterance: Utterance = {
    id: `${reply.id}.${reply.utterances.length + 1}`,
    text,
    firm: firm || reply.kind === 'notice',
    status: 'queued',
    heard: '',
    stopped: false,
  };
  reply.utterances.push(utterance);
  step.do({ type: 'say', id: utterance.id, text, firm: utterance.firm });
}

/** No more sentences will come. */
export function complete(step: Step, reply: Reply): void {
  step.clear('reasoner');
  reply.complete = true;
  finishIfHeard(step, reply);
}

/** The reasoner failed: say so, and after a few times in a row call a person. */
export function failed(step: Step, reply: Reply, reason: string): void {
  step.journal({ type: 'error', code: 'PARLEY_ERR_REASONER_FAILED', message: reason });
  step.do({ type: 'cancel', reply: reply.id });
  if (reply.utterances.length > 0) return complete(step, reply);
  fail(step, reply);
}

/** The recogniser failed: the same. */
export function apologise(step: Step): void {
  const { state } = step;
  const reply = newReply(state, 'reply', state.turn);
  state.current = reply;
  state.phase = 'speaking';
  step.clear('idle', 'endpoint');
  fail(step, reply);
}

function fail(step: Step, reply: Reply): void {
  const { state } = step;
  reply.failed = true;
  reply.expected = state.expected;
  state.failures += 1;
  if (state.failures >= state.settings.failures) reply.afterwards = { type: 'transfer', target: '', reason: 'failure' };
  addSentence(step, reply, state.settings.apology);
  complete(step, reply);
}

/** The first sample of an utterance went out: soon the turn it answers is beyond recall. */
export function started(step: Step, reply: Reply, utterance: Utterance): void {
  const { state } = step;
  const first = reply.marks.started === undefined;
  const before = reply.utterances[reply.utterances.indexOf(utterance) - 1];
  utterance.status = 'started';
  if (utterance.firm) stopYielding(step);
  // What was said over a sentence that kept the floor is judged in the next one.
  if (!first && before?.firm && state.current === reply && state.caller.speaking) contest(step);
  if (!first) return;
  reply.marks.started = step.at;
  if (isOpen(reply)) step.timer('join', state.settings.collisionMs);
  else settle(step, reply);
  if (state.current === reply) {
    state.phase = 'speaking';
    if (state.caller.speaking) contest(step);
  }
  step.journal({ type: 'agent.started', turn: reply.turn, utterance: utterance.id });
}

/** The reply has been heard for a moment: who speaks from now on has heard it, too. */
export function joinOver(step: Step): void {
  const { current } = step.state;
  if (current?.marks.started === undefined || !current.taking || isContested(step, current.taking)) return;
  settle(step, current);
}

export function ended(step: Step, reply: Reply, utterance: Utterance, heard: string, stopped: boolean): void {
  utterance.status = 'ended';
  utterance.heard = heard;
  utterance.stopped = stopped;
  finishIfHeard(step, reply);
  const waiting = step.state.current === reply && reply.utterances.every((u) => u.status === 'ended');
  if (waiting) step.timer('reasoner', step.state.settings.reasonerMs);
}

function finishIfHeard(step: Step, reply: Reply): void {
  const { state } = step;
  if (!conclude(step, reply)) return;
  if (reply.kind === 'notice') return speak(step, 'greeting', state.greeting);
  if ((reply.kind === 'reply' || reply.kind === 'go-ahead') && reply.expected) expect(step, reply);
  state.phase = 'listening';
  step.clear('barge-in', 'overlap');
  answerOverlap(step);
}

/** What the caller said over the agent's last words is their turn; what a listener said long before them is not. */
function answerOverlap(step: Step): void {
  const { caller, settings, committed } = step.state;
  if (caller.speaking) return;
  const { offsetPosition, voicedAt } = caller;
  if (offsetPosition === undefined || voicedAt === undefined || offsetPosition <= committed) return listenOn(step);
  if (step.at - voicedAt <= settings.overlapMs || isOwedAnswer(caller.text)) {
    armEndpoint(step);
    return speculate(step);
  }
  passBurst(step);
  listenOn(step);
}

function expect(step: Step, reply: Reply): void {
  step.state.expected = reply.expected;
  if (reply.utterances.some((u) => u.heard) && !reply.failed) step.state.failures = 0;
  step.do({ type: 'expect', expected: reply.expected });
  sensitive(step, reply.expected);
}

function newReply(state: TurnState, kind: ReplyKind, turn: number, prepared?: string): Reply {
  if (prepared === undefined) state.replies += 1;
  return {
    id: prepared ?? `r${state.replies}`,
    kind,
    turn,
    utterances: [],
    complete: false,
    interrupted: false,
    acted: false,
    failed: false,
    expected: { kind: 'open' },
    marks: {},
  };
}
