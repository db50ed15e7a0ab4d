import { type ActionOutcome, parametersOf } from '../actions/actions.js';
import { findSlot, speakSlot } from '../entities/slots.js';
import type { Response, Slot, Topic } from '../file/topics.js';
import type { ReplyPart } from '../reasoner.js';
import { escalate, hangUp, makeOffer, offerPerson } from './endings.js';
import { answerTopic } from './knowledge.js';
import { newTask, type Task } from './state.js';
import { type Parts, type Talk, type Turn, text } from './talk.js';

/** Begins a topic; what is in work meanwhile waits. Slots that the turn fills already are not asked. */
export async function* begin(talk: Talk, turn: Turn, topic: Topic): Parts {
  const { state } = talk;
  if (state.task) state.waiting.unshift(state.task);
  state.waiting = state.waiting.filter((task) => task.topic !== topic.name);
  state.task = newTask(topic.name);
  state.pending = undefined;
  yield* fillSlots(talk, topic.slots, turn.text);
  yield* proceed(talk, turn);
}

/** Takes slot values out of what was said. */
export function* fillSlots(talk: Talk, slots: readonly Slot[], said: string): Generator<ReplyPart, void, undefined> {
  for (const slot of slots) {
    const value = findSlot(slot, said, talk.equipment.now());
    if (value === undefined || value === talk.state.variables[slot.name]) continue;
    yield* keep(talk, slot, value);
  }
}

/** Keeps a value that was heard. */
export function* keep(talk: Talk, slot: Slot, value: string): Generator<ReplyPart, void, undefined> {
  talk.forget(slot.name);
  if (talk.state.task) Object.assign(talk.state.task, { checked: false, agreed: false });
  yield { type: 'event', event: { type: 'entity.heard', name: slot.name, value } };
  yield* talk.set(slot.name, value);
}

/** Takes the topic in work as far as it goes: to its next question, or to its end. */
export async function* proceed(talk: Talk, turn: Turn): Parts {
  const { state } = talk;
  const task = state.task;
  const topic = task && talk.topic(task.topic);
  if (!task || !topic) return;
  const missing = topic.slots.find((slot) => !isFilled(talk, slot));
  if (missing) return yield* askSlot(talk, turn, missing);

  if (topic.check && !task.checked) {
    const outcome = yield* act(talk, turn, task, topic.check.action);
    if (!outcome.ok) return yield* actionFailed(talk, turn);
    const fitting = topic.check.responses.find((response) => response.when?.test(state.variables) ?? true);
    if (fitting) return yield* respond(talk, turn, topic, fitting);
    task.checked = true;
  }
  if (topic.confirm && !task.agreed) {
    return yield* talk.ask(turn, talk.word(topic.confirm), { kind: 'agree' });
  }
  if (topic.action && !task.acted) {
    const outcome = yield* act(talk, turn, task, topic.action);
    if (!outcome.ok) return yield* actionFailed(talk, turn);
    task.acted = true;
  }
  yield* conclude(talk, turn, topic);
}

/** A slot is filled when it has a value and, where it wants one, the caller's consent to it. */
function isFilled(talk: Talk, slot: Slot): boolean {
  const value = talk.state.variables[slot.name];
  if (value === undefined || value === null || value === '') return false;
  return !slot.confirm || talk.state.confirmed.includes(slot.name);
}

/** Asks for a slot, or reads its value back. `before` is said first. */
export async function* askSlot(talk: Talk, turn: Turn, slot: Slot, before = ''): Parts {
  const value = talk.state.variables[slot.name];
  if (value !== undefined && value !== null && value !== '') {
    const spoken = speakSlot(slot, String(value));
    const question = talk.word(slot.readBack ?? talk.agent.phrases.readBack, { value: spoken });
    yield* talk.ask(turn, join(before, question), { kind: 'read-back', slot: slot.name, value: String(value) });
    return;
  }
  yield* talk.ask(turn, join(before, talk.word(slot.ask)), { kind: 'slot', slot: slot.name, partial: '' });
}

/** Counts an answer that was of no use; after too many a person is offered instead of asking again. */
export async function* retrySlot(talk: Talk, turn: Turn, slot: Slot, before: string): Parts {
  const { task } = talk.state;
  if (!task) return;
  const failures = (task.failures[slot.name] ?? 0) + 1;
  task.failures[slot.name] = failures;
  if (failures > slot.retries) {
    talk.state.task = undefined;
    yield* offerPerson(talk, turn, talk.agent.fallbacks.slotFailed);
    return;
  }
  yield* askSlot(talk, turn, slot, before);
}

/** Runs an action: journal, result into its variable, never twice where it changes something. */
async function* act(
  talk: Talk,
  turn: Turn,
  task: Task,
  name: string,
): AsyncGenerator<ReplyPart, ActionOutcome, undefined> {
  const { actions } = talk.equipment;
  const definition = actions.get(name);
  const variables = talk.state.variables;
  const parameters = definition ? parametersOf(definition, variables) : {};
  const sideEffects = definition?.sideEffects ?? false;
  yield { type: 'event', event: { type: 'action.called', turn: turn.number, action: name, parameters, sideEffects } };
  // What an outsider could notice waits until the words stand.
  if (!definition?.readOnly) await turn.certain;
  turn.signal.throwIfAborted();
  task.running = true;
  let outcome: ActionOutcome;
  try {
    if (sideEffects) {
      // Once begun it is seen through, even if the caller interrupts: half a refund is worse than a late answer.
      const key = `${turn.number} ${name} ${JSON.stringify(parameters)}`;
      const once = talk.done.get(key) ?? actions.run(name, variables, new AbortController().signal);
      talk.done.set(key, once);
      outcome = await once;
      if (outcome.ok) task.acted = true;
    } else {
      outcome = await actions.run(name, variables, turn.signal);
    }
  } finally {
    task.running = false;
  }
  if (outcome.ok && definition?.result !== undefined) talk.state.variables[definition.result] = outcome.result;
  const base = { type: 'action.returned', turn: turn.number, action: name, ms: Math.round(outcome.ms) } as const;
  if (outcome.ok) {
    yield { type: 'event', event: { ...base, ok: true, result: outcome.result } };
  } else {
    const { code, message } = outcome.error;
    yield { type: 'event', event: { ...base, ok: false, error: message } };
    yield { type: 'event', event: { type: 'error', code, message } };
  }
  return outcome;
}

async function* actionFailed(talk: Talk, turn: Turn): Parts {
  // The task stays below the offer: "try again" takes it up once more.
  yield* offerPerson(talk, turn, talk.agent.fallbacks.actionFailed);
}

async function* conclude(talk: Talk, turn: Turn, topic: Topic): Parts {
  const { variables } = talk.state;
  if (topic.knowledge) yield* answerTopic(talk, turn, topic, turn.text);
  const response = topic.responses.find(({ when }) => when?.test(variables) ?? true);
  if (topic.escalate) {
    const reason = typeof topic.escalate === 'string' ? topic.escalate : topic.name;
    return yield* escalate(talk, reason, topic.say ? talk.word(topic.say) : '');
  }
  if (topic.say) yield text(talk.word(topic.say), topic.uninterruptible);
  if (response) return yield* respond(talk, turn, topic, response);
  if (topic.offer && talk.isCurrent(turn)) return yield* closeWithOffer(talk, turn, topic, topic.offer);
  if (topic.end) return yield* hangUp(talk, topic.name);
  yield* finish(talk, turn, topic);
}

async function* respond(talk: Talk, turn: Turn, topic: Topic, response: Response): Parts {
  const said = talk.word(response.say);
  if (response.escalate) return yield* escalate(talk, topic.name, said);
  // An earlier question's answer that comes late is told, but asks nothing: the caller is elsewhere by now.
  if (!talk.isCurrent(turn)) {
    yield text(said);
    return;
  }
  if (response.askAgain) return yield* askAgain(talk, turn, topic, response.askAgain, said);
  yield text(said);
  if (response.end) return yield* hangUp(talk, topic.name);
  const offer = response.offer ?? topic.offer;
  if (offer) return yield* closeWithOffer(talk, turn, topic, offer);
  yield* finish(talk, turn, topic);
}

async function* askAgain(talk: Talk, turn: Turn, topic: Topic, names: readonly string[], said: string): Parts {
  for (const name of names) talk.forget(name);
  if (talk.state.task) Object.assign(talk.state.task, { checked: false, agreed: false, acted: false });
  const first = topic.slots.find((slot) => names.includes(slot.name));
  if (first) yield* retrySlot(talk, turn, first, said);
}

async function* closeWithOffer(talk: Talk, turn: Turn, topic: Topic, offer: NonNullable<Topic['offer']>): Parts {
  leave(talk, topic);
  yield* makeOffer(talk, turn, offer);
}

/** Ends the topic in work and goes back to what waits. */
export async function* finish(talk: Talk, turn: Turn, topic: Topic): Parts {
  leave(talk, topic);
  if (talk.state.waiting.length > 0) return yield* resume(talk, turn);
  const { anythingElse } = talk.agent.phrases;
  if (anythingElse && talk.isCurrent(turn)) yield* talk.ask(turn, talk.word(anythingElse), { kind: 'more' });
}

/** Takes up what was put off. */
export async function* resume(talk: Talk, turn: Turn): Parts {
  const { state } = talk;
  const next = state.waiting.findIndex((task) => !task.running);
  if (next < 0) return;
  const [task] = state.waiting.splice(next, 1);
  state.task = task;
  if (task?.begun) yield text(talk.word(talk.agent.phrases.resume));
  yield* proceed(talk, turn);
}

function leave(talk: Talk, topic: Topic): void {
  if (talk.state.task?.topic === topic.name) talk.state.task = undefined;
  talk.state.misunderstood = 0;
  for (const slot of topic.slots) if (!slot.remember) talk.forget(slot.name);
}

function join(...texts: string[]): string {
  return texts.filter((words) => words !== '').join(' ');
}
