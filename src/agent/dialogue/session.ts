import { ParleyError, reasonOf } from '../../errors.js';
import { yesNo } from '../../text/yes-no.js';
import { readSlot } from '../entities/slots.js';
import { render } from '../file/template.js';
import { topicFromIvr, welcome } from '../from-ivr.js';
import { undoIfGivenUp } from '../given-up.js';
import type { CallerTurn, ConversationContext, ReasonerSession, ReplyPart } from '../reasoner.js';
import { controlOf } from './control.js';
import { escalate } from './endings.js';
import { notUnderstood, open } from './open.js';
import { answerPending } from './pending.js';
import { answerControl } from './small-talk.js';
import { type DialogueState, initialState, type Pending, type Reply } from './state.js';
import { type Equipment, type Parts, Talk, type Turn, text } from './talk.js';

/** Replies that are remembered, for "what did you say?". */
const REMEMBERED = 6;
/** Share of a question's words from which on it counts as heard. */
const HEARD_ENOUGH = 0.6;

/** The builtin reasoner's side of one conversation. */
export class BuiltinSession implements ReasonerSession {
  readonly topic: string | undefined;
  readonly #talk: Talk;
  /** The state before the latest turn: where that turn starts again if it comes with other words. */
  #before: DialogueState;

  constructor(equipment: Equipment, context: ConversationContext) {
    const defaults = Object.entries(equipment.agent.variables).map(([name, variable]) => [name, variable.default]);
    this.#talk = new Talk(equipment, initialState({ ...Object.fromEntries(defaults), ...context.variables }));
    this.topic = topicFromIvr(equipment.agent, context.wants ?? [])?.name;
    this.#before = structuredClone(this.#talk.state);
  }

  greeting(): string {
    const { agent, state } = this.#talk;
    const words = this.#welcome() ?? render(agent.greeting, state.variables);
    if (state.replies.length === 0) state.replies.push({ turn: 0, planned: words, heard: undefined });
    return words;
  }

  /** The greeting for a caller whose wish is known: it asks whether to go on with that. */
  #welcome(): string | undefined {
    const { agent, state } = this.#talk;
    const topic = this.topic === undefined ? undefined : this.#talk.topic(this.topic);
    const words = welcome(agent, topic, state.variables);
    if (words === undefined || !topic) return undefined;
    if (state.replies.length === 0) {
      state.pending = { kind: 'offer', topic: topic.name, refused: 0, question: words, turn: 0, heard: true };
    }
    return words;
  }

  inform(variables: Record<string, unknown>): void {
    for (const state of [this.#talk.state, this.#before]) {
      Object.assign(state.variables, variables);
      state.confirmed = [...new Set([...state.confirmed, ...Object.keys(variables)])];
      const { pending } = state;
      if (pending?.kind === 'slot' && Object.hasOwn(variables, pending.slot)) pending.told = true;
    }
  }

  /** Facts for its variables and slots, `orderNumber: 482715; tier: gold`: it understands no other words than a caller's. */
  guide(words: string): boolean {
    const { agent, equipment } = this.#talk;
    const slots = new Map(agent.topics.flatMap((topic) => topic.slots.map((slot) => [slot.name, slot] as const)));
    const facts = pairsIn(words).flatMap(([name, value]): [string, string][] => {
      const slot = slots.get(name);
      if (!slot) return Object.hasOwn(agent.variables, name) ? [[name, value]] : [];
      const read = readSlot(slot, value, '', equipment.now());
      return [[name, read.kind === 'value' ? read.value : value]];
    });
    if (facts.length > 0) this.inform(Object.fromEntries(facts));
    return facts.length > 0;
  }

  async *respond(
    caller: CallerTurn,
    signal: AbortSignal,
    certain?: Promise<void>,
  ): AsyncGenerator<ReplyPart, void, undefined> {
    const reply = this.#begin(caller.turn);
    const before = this.#before;
    undoIfGivenUp(signal, certain, () => {
      this.#talk.state = structuredClone(before);
    });
    const turn: Turn = { number: caller.turn, text: caller.text.trim(), signal, certain: certain ?? Promise.resolve() };
    try {
      for await (const part of answer(this.#talk, turn, caller.from)) {
        if (signal.aborted) return;
        if (part.type === 'text') reply.planned = `${reply.planned} ${part.text}`.trim();
        yield part;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ParleyError) throw error;
      const details = { agent: this.#talk.agent.name, reason: reasonOf(error) };
      throw new ParleyError('PARLEY_ERR_REASONER_FAILED', details, { cause: error });
    }
  }

  heard(turn: number, words: string, interrupted: boolean): void {
    for (const state of [this.#before, this.#talk.state]) hear(state, turn, words, interrupted);
  }

  async *transferFailed(reason: string, _signal: AbortSignal): AsyncGenerator<ReplyPart, void, undefined> {
    const { agent, state } = this.#talk;
    const { afterPerson, failedMessages, failedMessage, noTargetMessage } = agent.escalation;
    const byReason: Record<string, readonly string[] | undefined> = {
      ...failedMessages,
      'person-left': afterPerson,
      'no-target': noTargetMessage,
    };
    const words = this.#talk.word(byReason[reason] ?? failedMessage);
    state.pending = { kind: 'more', question: words, turn: state.turn, heard: true };
    yield { type: 'expect', expected: { kind: 'open' } };
    yield text(words);
  }

  close(): void {
    this.#talk.done.clear();
  }

  /** A turn that comes again with other words replaces its first try. */
  #begin(turn: number): Reply {
    const talk = this.#talk;
    if (turn === talk.state.turn) talk.state = structuredClone(this.#before);
    else this.#before = structuredClone(talk.state);
    const { state } = talk;
    state.turn = turn;
    const reply: Reply = { turn, planned: '', heard: undefined };
    state.replies = [...state.replies.filter((other) => other.turn !== turn), reply].slice(-REMEMBERED);
    return reply;
  }
}

/** `name: value` and `name = value`, one behind another. */
function pairsIn(words: string): [string, string][] {
  return words.split(/[;,\n]/).flatMap((part): [string, string][] => {
    const [, name = '', value = ''] = /^\s*([A-Za-z][\w-]*)\s*[:=]\s*(\S.*?)\s*$/.exec(part) ?? [];
    return name === '' ? [] : [[name, value]];
  });
}

async function* answer(talk: Talk, turn: Turn, from: CallerTurn['from']): Parts {
  if (turn.text === '') return yield* notUnderstood(talk, turn);
  const { pending } = talk.state;
  if (from === 'dtmf') return yield* answerKeys(talk, turn, pending);
  const control = controlOf(turn.text);
  if (control !== undefined && (yield* answerControl(talk, turn, control))) return;
  if (pending && (yield* answerPending(talk, turn, pending))) {
    // Whatever is asked now has been asked in this turn.
    if (talk.state.pending === pending) talk.state.pending = undefined;
    return;
  }
  if (talk.state.pending === pending) talk.state.pending = undefined;
  const bare = yesNo(turn.text);
  if (bare?.rest === '' && !talk.state.task) return yield* answerNothingAsked(talk, turn, bare.answer);
  yield* open(talk, turn);
}

/** A "yes" or "no" to no question at all. */
async function* answerNothingAsked(talk: Talk, turn: Turn, answer: 'yes' | 'no'): Parts {
  const { goAhead, declined } = talk.agent.phrases;
  if (answer === 'no') return yield* talk.ask(turn, talk.word(declined), { kind: 'more' });
  yield { type: 'expect', expected: { kind: 'open' } };
  yield text(talk.word(goAhead));
}

/** Keys answer what was asked; "*" begins a number again, and "0" alone asks for a person. */
async function* answerKeys(talk: Talk, turn: Turn, pending: Pending | undefined): Parts {
  const asksDigits = pending?.kind === 'slot' && talk.slot(pending.slot)?.kind === 'digits';
  if (turn.text === '0' && !asksDigits) return yield* escalate(talk, 'request');
  const keys = (turn.text.split('*').at(-1) ?? '').replace(/\D/g, '');
  if (pending?.kind === 'slot' && turn.text.includes('*')) pending.partial = '';
  if (pending && keys !== '' && (yield* answerPending(talk, { ...turn, text: keys }, pending))) {
    if (talk.state.pending === pending) talk.state.pending = undefined;
    return;
  }
  yield* notUnderstood(talk, turn);
}

function hear(state: DialogueState, turn: number, words: string, interrupted: boolean): void {
  const reply = state.replies.find((candidate) => candidate.turn === turn);
  if (!reply) return;
  reply.heard = words.trim();
  const { pending } = state;
  if (pending?.turn === turn) pending.heard = !interrupted || wasAsked(pending, reply);
}

/** Whether an interrupted reply got far enough into its question, which stands at its end. */
function wasAsked(pending: Pending, reply: Reply): boolean {
  const question = countWords(pending.question);
  const before = countWords(reply.planned) - question;
  return countWords(reply.heard ?? '') - before >= question * HEARD_ENOUGH;
}

function countWords(words: string): number {
  return words.split(/\s+/).filter(Boolean).length;
}
