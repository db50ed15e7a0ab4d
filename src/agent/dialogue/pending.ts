import { yesNo } from '../../text/yes-no.js';
import { findSlot, readSlot, speakSlot } from '../entities/slots.js';
import type { Slot } from '../file/topics.js';
import type { ReplyPart } from '../reasoner.js';
import { escalate, offerPerson, sayGoodbye } from './endings.js';
import { answerOf, look } from './knowledge.js';
import { answerAll, goOn, inform, isInformation, isQuestion, type Recognised, recognise, topicEvent } from './open.js';
import type { Pending } from './state.js';
import { type Parts, type Talk, type Turn, text } from './talk.js';
import { askSlot, begin, fillSlots, finish, keep, proceed, retrySlot } from './tasks.js';

/** Yields parts; tells at the end whether the turn was the answer to the question. */
type Answered = AsyncGenerator<ReplyPart, boolean, undefined>;
type Of<Kind extends Pending['kind']> = Extract<Pending, { kind: Kind }>;

/** From this score on a question is taken for one, although its words could also be the value that was asked for. */
const CLEARLY_ELSEWHERE = 0.6;
/** Kinds whose values look like nothing else. */
const UNMISTAKABLE = new Set<Slot['kind']>(['digits', 'email', 'yes-no']);
const MAX_UNCLEAR = 2;
/** The caller does not have what was asked for. */
const LACKS_VALUE =
  /^(?:(?:um|uh|sorry|well|no|oh|but)\b[\s,]*)*(?:i )?(?:(?:don't|do not|dont) (?:know|have|remember)(?: (?:it|that|one|my|the|a)\b.*)?|(?:have )?(?:lost|forgot|forgotten) .*|(?:have )?no idea|can't find (?:it|my|the)\b.*)[.!]?$/i;

/** Takes a turn as the answer to what was asked. False when it is none: then it is a turn of its own. */
export async function* answerPending(talk: Talk, turn: Turn, pending: Pending): Answered {
  switch (pending.kind) {
    case 'slot':
      return yield* answerSlot(talk, turn, pending);
    case 'read-back':
      return yield* answerReadBack(talk, turn, pending);
    case 'agree':
      return yield* answerAgree(talk, turn, pending);
    case 'offer':
      return yield* answerOffer(talk, turn, pending);
    case 'more':
      return yield* answerMore(talk, turn);
  }
}

/** The question without what was said in front of it. */
function bareQuestion(question: string): string {
  return /[^.?!]+\?$/.exec(question)?.[0].trim() ?? question;
}

/** Asks the same thing again. */
export function* askAgain(
  talk: Talk,
  turn: Turn,
  pending: Pending,
  before = '',
): Generator<ReplyPart, void, undefined> {
  const begun = pending.kind === 'slot' && pending.partial !== '';
  const question = begun ? talk.word(talk.agent.phrases.goOn) : pending.question;
  yield* talk.ask(turn, before === '' ? question : `${before} ${question}`, pending);
  if (talk.state.pending) talk.state.pending.question = question;
}

async function* answerSlot(talk: Talk, turn: Turn, pending: Of<'slot'>): Answered {
  const slot = talk.slot(pending.slot);
  if (!slot) return false;
  const elsewhere = elsewhereIn(talk, turn);
  const clearly = elsewhere.some(({ score }) => score >= CLEARLY_ELSEWHERE);
  if (clearly && !UNMISTAKABLE.has(slot.kind)) return yield* turnAside(talk, turn, pending, elsewhere);
  const read = readSlot(slot, turn.text, pending.partial, talk.equipment.now());
  switch (read.kind) {
    case 'value':
      yield* keep(talk, slot, read.value);
      yield* fillSlots(talk, othersThan(talk, slot), turn.text);
      yield* tellAlso(talk, turn, elsewhere);
      yield* proceed(talk, turn);
      return true;
    case 'part':
      yield* talk.ask(turn, talk.word(talk.agent.phrases.goOn), { kind: 'slot', slot: slot.name, partial: read.value });
      return true;
    case 'wrong': {
      const more = { length: slot.length, value: speakSlot(slot, read.value) };
      yield* retrySlot(talk, turn, slot, talk.word(talk.agent.phrases.wrongLength, more));
      return true;
    }
    case 'none':
      return yield* noValue(talk, turn, pending, slot, elsewhere);
  }
}

async function* noValue(talk: Talk, turn: Turn, pending: Of<'slot'>, slot: Slot, elsewhere: Recognised[]): Answered {
  if (pending.told) {
    yield* proceed(talk, turn);
    return true;
  }
  if (elsewhere.length > 0) return yield* turnAside(talk, turn, pending, elsewhere);
  if (corrects(talk, turn.text)) {
    yield* fillSlots(talk, othersThan(talk, slot), turn.text);
    yield* proceed(talk, turn);
    return true;
  }
  const { hits, event } = look(talk, turn, turn.text);
  const answer = isQuestion(turn.text) ? answerOf(hits, turn.text) : undefined;
  if (LACKS_VALUE.test(turn.text)) {
    talk.state.task = undefined;
    yield* offerPerson(talk, turn, talk.agent.phrases.withoutIt);
  } else if (answer !== undefined) {
    yield event;
    yield text(answer);
    yield* askAgain(talk, turn, pending, talk.word(talk.agent.phrases.resume));
  } else if (!pending.heard) {
    // The caller can't answer what was cut off: asking again is no failure of theirs.
    yield* askAgain(talk, turn, pending);
  } else {
    yield* retrySlot(talk, turn, slot, talk.word(slot.invalid ?? talk.agent.phrases.notCaught));
  }
  return true;
}

async function* answerReadBack(talk: Talk, turn: Turn, pending: Of<'read-back'>): Answered {
  const slot = talk.slot(pending.slot);
  if (!slot) return false;
  const answer = yesNo(turn.text);
  const said = answer ? answer.rest : turn.text;
  const read = said === '' ? undefined : readSlot(slot, said, '', talk.equipment.now());
  const value =
    read?.kind === 'value' && (answer?.answer !== 'yes' || UNMISTAKABLE.has(slot.kind)) ? read.value : undefined;
  const yes = answer?.answer === 'yes' || value === pending.value;
  if (yes && (value === undefined || value === pending.value)) {
    if (!pending.heard) {
      yield* askAgain(talk, turn, pending);
      return true;
    }
    talk.state.confirmed.push(slot.name);
    yield { type: 'event', event: { type: 'entity.confirmed', name: slot.name, value: pending.value } };
    yield* tellAlso(talk, turn, elsewhereIn(talk, turn));
    yield* proceed(talk, turn);
    return true;
  }
  const elsewhere = answer ? [] : elsewhereIn(talk, turn);
  const clearly = elsewhere.some(({ score }) => score >= CLEARLY_ELSEWHERE);
  if (elsewhere.length > 0 && (value === undefined || clearly)) return yield* turnAside(talk, turn, pending, elsewhere);
  if (!answer && value === undefined) {
    yield* retrySlot(talk, turn, slot, talk.word(talk.agent.phrases.yesOrNo));
    return true;
  }
  yield { type: 'event', event: { type: 'entity.rejected', name: slot.name, value: pending.value } };
  talk.forget(slot.name);
  if (value !== undefined) {
    yield* keep(talk, slot, value);
    yield* askSlot(talk, turn, slot);
  } else if (read?.kind === 'part') {
    yield* talk.ask(turn, talk.word(talk.agent.phrases.goOn), { kind: 'slot', slot: slot.name, partial: read.value });
  } else {
    yield* retrySlot(talk, turn, slot, talk.word(talk.agent.phrases.sayAgain));
  }
  return true;
}

async function* answerAgree(talk: Talk, turn: Turn, pending: Of<'agree'>): Answered {
  const { state } = talk;
  const topic = talk.topic(state.task?.topic ?? '');
  if (!topic || !state.task) return false;
  const answer = yesNo(turn.text);
  if (answer?.answer === 'yes' && !corrects(talk, answer.rest)) {
    if (!pending.heard) yield* askAgain(talk, turn, pending);
    else {
      state.task.agreed = true;
      yield* tellAlso(talk, turn, elsewhereIn(talk, turn));
      yield* proceed(talk, turn);
    }
    return true;
  }
  const said = answer ? answer.rest : turn.text;
  if (corrects(talk, said)) {
    yield* fillSlots(talk, topic.slots, said);
    yield* proceed(talk, turn);
    return true;
  }
  if (!answer) return yield* unclear(talk, turn, pending);
  const { found } = recognise(talk, said);
  const other = found.filter(({ topic: asked }) => asked !== topic);
  if (other.length === 0) {
    yield text(talk.word(topic.declined ?? talk.agent.phrases.declined));
    yield* finish(talk, turn, topic);
    return true;
  }
  state.task = undefined;
  yield* answerAll(talk, turn, other);
  return true;
}

async function* answerOffer(talk: Talk, turn: Turn, pending: Of<'offer'>): Answered {
  const { state } = talk;
  if (/\b(?:try|do|check|look) (?:it |that |this )?(?:again|once more)\b/i.test(turn.text) && state.task) {
    yield* proceed(talk, turn);
    return true;
  }
  const answer = yesNo(turn.text);
  if (answer?.answer === 'yes' && !pending.heard) {
    yield* askAgain(talk, turn, pending);
    return true;
  }
  if (answer?.answer === 'yes') {
    const topic = pending.topic === undefined ? undefined : talk.topic(pending.topic);
    if (topic) yield* begin(talk, { ...turn, text: answer.rest }, topic);
    else yield* escalate(talk, 'accepted offer');
    return true;
  }
  const { found } = recognise(talk, answer ? answer.rest : turn.text);
  if (found.length === 0 && !answer && pending.refused < 1) {
    const { hits } = look(talk, turn, turn.text);
    if (answerOf(hits, turn.text) !== undefined) return false;
    const again = { ...pending, refused: pending.refused + 1 };
    const short = { ...again, question: bareQuestion(pending.question) };
    yield* askAgain(talk, turn, short, talk.word(talk.agent.phrases.yesOrNo));
    return true;
  }
  // What could not be done below the offer is given up.
  state.task = undefined;
  state.pending = undefined;
  if (found.length > 0 && answer) {
    yield* answerAll(talk, turn, found);
    return true;
  }
  if (!answer) return false;
  state.misunderstood = 0;
  if (state.waiting.length > 0) yield* goOn(talk, turn);
  else yield* talk.ask(turn, talk.word(talk.agent.phrases.declined), { kind: 'more' });
  return true;
}

async function* answerMore(talk: Talk, turn: Turn): Answered {
  const answer = yesNo(turn.text);
  if (answer?.rest !== '') return false;
  if (answer.answer === 'yes') {
    talk.state.pending = undefined;
    yield text(talk.word(talk.agent.phrases.goAhead));
  } else {
    yield* sayGoodbye(talk, 'caller is done');
  }
  return true;
}

/** Neither yes nor no: another question, or asked again, and in the end a person. */
async function* unclear(talk: Talk, turn: Turn, pending: Pending): Answered {
  const elsewhere = elsewhereIn(talk, turn);
  if (elsewhere.length > 0) return yield* turnAside(talk, turn, pending, elsewhere);
  const { task } = talk.state;
  if (!task) return false;
  const failures = (task.failures[pending.kind] ?? 0) + 1;
  task.failures[pending.kind] = failures;
  if (failures > MAX_UNCLEAR) {
    talk.state.task = undefined;
    yield* offerPerson(talk, turn, talk.agent.fallbacks.slotFailed);
    return true;
  }
  const again = { ...pending, question: bareQuestion(pending.question) };
  yield* askAgain(talk, turn, again, talk.word(talk.agent.phrases.yesOrNo));
  return true;
}

/** Another question in the middle of a topic: it is answered, then the topic goes on; or the topic waits for it. */
async function* turnAside(talk: Talk, turn: Turn, pending: Pending, found: readonly Recognised[]): Answered {
  for (const { topic, score } of found) yield topicEvent(turn, topic.name, score, 0);
  const asides = found.filter(({ topic }) => isInformation(topic));
  yield* inform(talk, turn, asides, false);
  const task = found.find(({ topic }) => !isInformation(topic));
  if (task) yield* begin(talk, turn, task.topic);
  else yield* askAgain(talk, turn, pending, talk.word(talk.agent.phrases.resume));
  return true;
}

/** Questions of information that came along with an answer are answered on the way. */
async function* tellAlso(talk: Talk, turn: Turn, found: readonly Recognised[]): Parts {
  const asides = found.filter(({ topic, words }) => isInformation(topic) && words !== turn.text);
  for (const { topic, score } of asides) yield topicEvent(turn, topic.name, score, 0);
  yield* inform(talk, turn, asides, false);
}

/** Topics other than the one in work. */
function elsewhereIn(talk: Talk, turn: Turn): Recognised[] {
  const current = talk.state.task?.topic;
  return recognise(talk, turn.text).found.filter(({ topic }) => topic.name !== current);
}

function othersThan(talk: Talk, slot: Slot): Slot[] {
  const topic = talk.topic(talk.state.task?.topic ?? '');
  return (topic?.slots ?? []).filter((other) => other.name !== slot.name);
}

/** Whether the words give one of the topic's slots another value. */
function corrects(talk: Talk, said: string): boolean {
  const topic = talk.topic(talk.state.task?.topic ?? '');
  return (topic?.slots ?? []).some((slot) => {
    const value = said === '' ? undefined : findSlot(slot, said, talk.equipment.now());
    return value !== undefined && value !== talk.state.variables[slot.name];
  });
}
