import { moodOf, sentimentOf } from '../../language/sentiment.js';
import type { AgentDefinition } from '../agents.js';
import type { EscalationTrigger } from '../file/escalation.js';
import { render } from '../file/template.js';
import { undoIfGivenUp } from '../given-up.js';
import type { CallerTurn, ConversationContext, Reasoner, ReasonerSession, ReplyPart } from '../reasoner.js';
import { EscalationWatch } from './watch.js';

/**
 * A reasoner whose conversations go to a person when the agent file's triggers say so, whatever answers in them. The
 * sentiment of each turn is put on record on the way.
 */
export function escalating(agent: AgentDefinition, inner: Reasoner): Reasoner {
  return { open: (context) => new EscalatingSession(agent, inner.open(context), context) };
}

class EscalatingSession implements ReasonerSession {
  private readonly watch: EscalationWatch;
  private variables: Record<string, unknown>;
  private used = 0;

  constructor(
    private readonly agent: AgentDefinition,
    private readonly inner: ReasonerSession,
    context: ConversationContext,
  ) {
    const defaults = Object.entries(agent.variables).map(([name, variable]) => [name, variable.default]);
    this.variables = { ...Object.fromEntries(defaults), ...context.variables };
    const results = agent.actions.map(({ name, result }) => [name, result ?? name] as const);
    this.watch = new EscalationWatch(agent.escalation.triggers, this.variables, new Map(results));
  }

  get topic(): string | undefined {
    return this.inner.topic;
  }

  inform(variables: Record<string, unknown>, sensitive: readonly string[] = []): void {
    for (const [name, value] of Object.entries(variables)) {
      this.variables[name] = value;
      this.watch.observe({ type: 'variable', name, value });
    }
    this.inner.inform?.(variables, sensitive);
  }

  greeting(): string {
    return this.inner.greeting();
  }

  async *respond(
    turn: CallerTurn,
    signal: AbortSignal,
    certain?: Promise<void>,
  ): AsyncGenerator<ReplyPart, void, undefined> {
    undoIfGivenUp(signal, certain, this.save());
    this.watch.begin(turn.turn, turn.text);
    if (turn.from !== 'dtmf' && turn.text.trim() !== '') yield this.seen(feeling(turn));
    const already = this.watch.take();
    if (already) return yield* this.handOver(already);
    let spoken = false;
    for await (const part of this.inner.respond(turn, signal, certain)) {
      yield part.type === 'event' ? this.seen(part) : part;
      if (part.type === 'text') spoken = true;
      // Somebody is on the way already.
      if (part.type === 'transfer' || part.type === 'hangup') return;
      // What changes something is seen through; what has begun to be said is said.
      if (part.type !== 'event' || spoken || part.event.type === 'action.called') continue;
      const trigger = this.watch.take();
      if (trigger) return yield* this.handOver(trigger);
    }
    const trigger = signal.aborted ? undefined : this.watch.take();
    if (trigger) yield* this.handOver(trigger);
  }

  heard(turn: number, text: string, interrupted: boolean): void {
    this.inner.heard(turn, text, interrupted);
  }

  transferFailed(reason: string, signal: AbortSignal): AsyncIterable<ReplyPart> {
    return this.inner.transferFailed(reason, signal);
  }

  guide(text: string): boolean {
    return this.inner.guide?.(text) ?? false;
  }

  overheard(text: string, by?: string): void {
    this.inner.overheard?.(text, by);
  }

  close(): void {
    this.inner.close();
  }

  /** What a turn may change, as it is now. @returns puts it back */
  private save(): () => void {
    const { used } = this;
    const variables = { ...this.variables };
    const restore = this.watch.save();
    return () => {
      this.used = used;
      this.variables = variables;
      restore();
    };
  }

  private seen(part: Extract<ReplyPart, { type: 'event' }>): ReplyPart {
    this.watch.observe(part.event);
    if (part.event.type === 'variable') this.variables[part.event.name] = part.event.value;
    return part;
  }

  private *handOver({ name, target, message, priority }: EscalationTrigger): Generator<ReplyPart, void, undefined> {
    const { escalation } = this.agent;
    const to = target ?? escalation.target ?? '';
    yield { type: 'event', event: { type: 'escalation', trigger: name, target: to, priority } };
    const wordings = message ?? escalation.message;
    yield { type: 'text', text: `${render(wordings[this.used++ % wordings.length] ?? '', this.variables)} ` };
    yield { type: 'transfer', target: to, reason: name, priority };
  }
}

function feeling({ turn, text }: CallerTurn): Extract<ReplyPart, { type: 'event' }> {
  const score = sentimentOf(text);
  return { type: 'event', event: { type: 'sentiment', turn, score, mood: moodOf(score) } };
}
