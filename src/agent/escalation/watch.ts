import type { JournalEvent } from '../../journal/events.js';
import { controlOf } from '../dialogue/control.js';
import type { EscalationTrigger } from '../file/escalation.js';

/** Names and numbers a call has shown so far, as far as triggers look at them. */
interface Seen {
  turn: number;
  text: string;
  topics: Set<string>;
  failed: Set<string>;
  notUnderstood: number;
  unverified: boolean;
  /** Sentiment of each turn so far, by turn. */
  moods: Map<number, number>;
}

/**
 * Watches one call's journal for what sends it to a person by itself. Knows nothing of how that is done, and each
 * trigger acts once: a call that came back because nobody answered is not sent off again by the same cause.
 */
export class EscalationWatch {
  /** Those that have not acted, highest priority first. */
  private waiting: readonly EscalationTrigger[];
  /** Those that had not when the present turn began. */
  private before: readonly EscalationTrigger[];
  private variables: Record<string, unknown>;
  private seen: Seen = {
    turn: 0,
    text: '',
    topics: new Set(),
    failed: new Set(),
    notUnderstood: 0,
    unverified: false,
    moods: new Map(),
  };

  /**
   * @param variables context variables at the call's beginning
   * @param results the variable that an action's result is kept under, by action
   */
  constructor(
    triggers: readonly EscalationTrigger[],
    variables: Readonly<Record<string, unknown>>,
    private readonly results: ReadonlyMap<string, string>,
  ) {
    this.waiting = triggers.filter(({ noInput }) => noInput === undefined).sort((a, b) => b.priority - a.priority);
    this.before = this.waiting;
    this.variables = { ...variables };
  }

  /** @returns puts everything back to how it is now */
  save(): () => void {
    const { waiting, before } = this;
    const variables = { ...this.variables };
    const seen = structuredClone(this.seen);
    return () => Object.assign(this, { waiting, before, variables, seen });
  }

  /** A caller's turn begins to be answered; the same turn may come again with more words. */
  begin(turn: number, text: string): void {
    const { seen } = this;
    if (turn === seen.turn) this.waiting = this.before;
    else this.before = this.waiting;
    seen.turn = turn;
    seen.text = text.toLowerCase().replace(/[’`]/g, "'");
    seen.topics.clear();
    seen.failed.clear();
  }

  /** Something was put on record. */
  observe(event: JournalEvent): void {
    const { seen } = this;
    switch (event.type) {
      case 'topic':
        // Nothing fits, which an article or a question may still have an answer to.
        if (event.topic !== 'none') {
          seen.topics.add(event.topic);
          seen.notUnderstood = 0;
        }
        return;
      case 'no-match':
        seen.notUnderstood = event.count;
        return;
      case 'sentiment':
        seen.moods.set(event.turn, event.score);
        return;
      case 'variable':
        this.variables[event.name] = event.value;
        return;
      case 'action.returned':
        return this.returned(event.action, event.ok, event.result);
      case 'verification':
        seen.unverified ||= event.outcome === 'failed';
        return;
    }
  }

  private returned(action: string, ok: boolean, result: unknown): void {
    const variable = this.results.get(action);
    if (!ok) this.seen.failed.add(action);
    else if (variable !== undefined) this.variables[variable] = result;
  }

  /** The trigger of highest priority that holds now; it will not again. */
  take(): EscalationTrigger | undefined {
    const due = this.waiting.find((trigger) => this.holds(trigger));
    if (due) this.waiting = this.waiting.filter((trigger) => trigger !== due);
    return due;
  }

  private holds(trigger: EscalationTrigger): boolean {
    const { seen } = this;
    const { topic, when, keywords, person, sentiment, notUnderstood, actionFailed, verificationFailed } = trigger;
    if (topic && !topic.some((one) => seen.topics.has(one))) return false;
    if (when && !when.test(this.variables)) return false;
    if (keywords && !keywords.some((phrase) => says(seen.text, phrase))) return false;
    if (person && controlOf(seen.text) !== 'person') return false;
    if (sentiment && !this.unhappy(sentiment)) return false;
    if (notUnderstood !== undefined && seen.notUnderstood < notUnderstood) return false;
    if (actionFailed === true && seen.failed.size === 0) return false;
    if (Array.isArray(actionFailed) && !actionFailed.some((one) => seen.failed.has(one))) return false;
    return !verificationFailed || seen.unverified;
  }

  private unhappy({ below, turns }: { below: number; turns: number }): boolean {
    const latest = [...this.seen.moods].sort(([a], [b]) => a - b).slice(-turns);
    return latest.length === turns && latest.every(([, score]) => score <= below);
  }
}

/** Whether a text has these words one after another, any case. */
function says(text: string, phrase: string): boolean {
  const words = (from: string) => ` ${(from.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []).join(' ')} `;
  return words(text).includes(words(phrase));
}
