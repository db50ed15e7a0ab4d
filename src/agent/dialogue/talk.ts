import type { ExpectedAnswer } from '../../text/expected.js';
import type { ActionOutcome, ActionRunner } from '../actions/actions.js';
import type { AgentDefinition } from '../agents.js';
import { expectedOf } from '../entities/slots.js';
import { render } from '../file/template.js';
import type { Slot, Topic } from '../file/topics.js';
import type { KnowledgeIndex } from '../knowledge/search.js';
import type { ReplyPart } from '../reasoner.js';
import type { Classifier } from '../topics/classifier.js';
import type { DialogueState, Question } from './state.js';

/** Parts of a reply, made one after the other. */
export type Parts = AsyncGenerator<ReplyPart, void, undefined>;

/** What every conversation of an agent shares. */
export interface Equipment {
  agent: AgentDefinition;
  classifier: Classifier;
  knowledge: KnowledgeIndex;
  actions: ActionRunner;
  now: () => Date;
}

/** One caller turn being answered. */
export interface Turn {
  number: number;
  text: string;
  signal: AbortSignal;
  /** Resolves when the caller will add nothing to it. */
  certain: Promise<void>;
}

/** One conversation: the equipment, what is remembered, and how things are said. */
export class Talk {
  /** Actions with side effects by turn and parameters: a turn that is tried again does not do them again. */
  readonly done = new Map<string, Promise<ActionOutcome>>();

  constructor(
    readonly equipment: Equipment,
    public state: DialogueState,
  ) {}

  get agent(): AgentDefinition {
    return this.equipment.agent;
  }

  topic(name: string): Topic | undefined {
    return this.agent.topics.find((topic) => topic.name === name);
  }

  /** The slot of that name of the topic in work. */
  slot(name: string): Slot | undefined {
    return this.topic(this.state.task?.topic ?? '')?.slots.find((slot) => slot.name === name);
  }

  /** The next wording of a set, its placeholders filled. */
  word(wordings: readonly string[] | string, more: Record<string, unknown> = {}): string {
    const list = typeof wordings === 'string' ? [wordings] : wordings;
    const key = list[0] ?? '';
    const used = this.state.wordings[key] ?? 0;
    this.state.wordings[key] = used + 1;
    return render(list[used % list.length] ?? '', { ...this.state.variables, ...more });
  }

  /** Whether this turn is still the latest: an older one may speak, but no longer ask. */
  isCurrent(turn: Turn): boolean {
    return this.state.turn === turn.number;
  }

  /** Asks something: the question, and what kind of answer it wants. */
  *ask(turn: Turn, question: string, meaning: Question): Generator<ReplyPart, void, undefined> {
    this.state.pending = { ...meaning, question, turn: turn.number, heard: true };
    if (this.state.task && meaning.kind !== 'offer' && meaning.kind !== 'more') this.state.task.begun = true;
    yield { type: 'expect', expected: this.#expected(meaning) };
    yield text(question);
  }

  /** Sets a context variable. */
  *set(name: string, value: unknown): Generator<ReplyPart, void, undefined> {
    this.state.variables[name] = value;
    yield { type: 'event', event: { type: 'variable', name, value } };
  }

  forget(name: string): void {
    delete this.state.variables[name];
    this.state.confirmed = this.state.confirmed.filter((other) => other !== name);
  }

  #expected(meaning: Question): ExpectedAnswer {
    switch (meaning.kind) {
      case 'slot': {
        const slot = this.slot(meaning.slot);
        return slot ? expectedOf(slot, meaning.partial) : { kind: 'open' };
      }
      case 'more':
        return { kind: 'open' };
      default:
        return { kind: 'yes-no' };
    }
  }
}

/** Text to speak. Each piece ends in a blank, so that pieces can be joined. */
export function text(words: string, firm = false): ReplyPart {
  return { type: 'text', text: `${words} `, ...(firm ? { firm } : {}) };
}
