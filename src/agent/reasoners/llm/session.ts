import { type ChatEndpoint, type ChatMessage, streamChat, type ToolCall } from '../../../inference/chat/chat.js';
import { monotonicMs } from '../../../telemetry/clock.js';
import { yesNo } from '../../../text/yes-no.js';
import type { ActionOutcome } from '../../actions/actions.js';
import { render } from '../../file/template.js';
import type { Topic } from '../../file/topics.js';
import { topicFromIvr, welcome } from '../../from-ivr.js';
import { undoIfGivenUp } from '../../given-up.js';
import type { CallerTurn, ConversationContext, ReasonerSession, ReplyPart } from '../../reasoner.js';
import type { LlmEquipment } from './equipment.js';
import { type Exchange, History } from './history.js';
import { END_CALL, TRANSFER } from './tools.js';

/** Rounds of calls in one reply; a model that wants more goes in circles. */
const MAX_ROUNDS = 5;
/** What the model sees in the place of what it must not. */
const STARS = '***';
/** Shorter values are in too many texts by chance. */
const LEAST_VALUE = 3;
/** A result that the model is shown, characters. */
const MAX_RESULT = 8000;

const SPOKEN = `You are speaking on the phone. Answer in one to three short spoken sentences, without lists, markup, emoji or URLs.
What the caller says comes from speech recognition and may hold mistakes. Never make up facts, numbers or results.`;

type Parts = AsyncGenerator<ReplyPart, void, undefined>;

/** One reply being made. */
interface Work {
  exchange: Exchange;
  signal: AbortSignal;
  certain: Promise<void>;
  /** The articles that fit what was said. */
  articles: string;
}

/** The language model's side of one conversation. */
export class LlmSession implements ReasonerSession {
  private readonly history = new History();
  private readonly variables: Record<string, unknown>;
  /** Names of variables that the model is not shown. */
  private readonly sensitive: Set<string>;
  /** What an IVR says that the caller wants. */
  private readonly wanted: Topic | undefined;
  /** Calls that change something and were put to the caller: the turn, and what exactly. */
  private readonly proposed = new Map<string, number>();
  private readonly done = new Map<string, Promise<ActionOutcome>>();

  private readonly endpoint: ChatEndpoint;

  constructor(
    private readonly equipment: LlmEquipment,
    context: ConversationContext,
  ) {
    const { endpoint } = equipment;
    const { traceparent } = context;
    this.endpoint = traceparent ? { ...endpoint, headers: { ...endpoint.headers, traceparent } } : endpoint;
    const defaults = Object.entries(equipment.agent.variables).map(([name, variable]) => [name, variable.default]);
    this.variables = { ...Object.fromEntries(defaults), ...context.variables };
    this.sensitive = new Set(context.sensitive);
    this.wanted = topicFromIvr(equipment.agent, context.wants ?? []);
  }

  get topic(): string | undefined {
    return this.wanted?.name;
  }

  greeting(): string {
    const { agent } = this.equipment;
    const words = welcome(agent, this.wanted, this.variables) ?? render(agent.greeting, this.variables);
    this.history.greet(words);
    return words;
  }

  async *respond({ turn, text }: CallerTurn, signal: AbortSignal, certain?: Promise<void>): Parts {
    const exchange = this.history.begin(turn, text);
    undoIfGivenUp(signal, certain, () => {
      this.history.forget(exchange);
      for (const [key, proposed] of this.proposed) if (proposed === turn) this.proposed.delete(key);
    });
    const { articles, event } = this.look(turn, text);
    if (event) yield event;
    yield* this.converse({ exchange, signal, certain: certain ?? Promise.resolve(), articles });
  }

  heard(turn: number, text: string, interrupted: boolean): void {
    this.history.heard(turn, text, interrupted);
  }

  async *transferFailed(_reason: string, _signal: AbortSignal): Parts {
    const words = render(this.equipment.agent.escalation.failedMessage[0] ?? '', this.variables);
    yield { type: 'text', text: words };
  }

  guide(text: string): boolean {
    this.history.note(`Your supervisor tells you, unheard by the caller: ${text}`);
    return true;
  }

  overheard(text: string, by?: string): void {
    const said = by ?? 'While your supervisor spoke with them the caller';
    this.history.note(`${said} said: ${text}`);
  }

  inform(variables: Record<string, unknown>, sensitive: readonly string[] = []): void {
    Object.assign(this.variables, variables);
    for (const name of sensitive) this.sensitive.add(name);
  }

  close(): void {
    this.done.clear();
  }

  private async *converse(work: Work): Parts {
    const { endpoint } = this;
    const { tools, model } = this.equipment;
    const { temperature, maxTokens } = model;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      let said = '';
      let calls: ToolCall[] = [];
      const messages = this.history.messages(this.system(work.articles));
      for await (const part of streamChat(endpoint, { messages, tools, temperature, maxTokens }, work.signal)) {
        if (part.type === 'calls') calls = part.calls;
        else {
          said += part.text;
          work.exchange.planned += part.text;
          yield part;
        }
      }
      if (calls.length === 0) return;
      // What was said before a call stands before it in the history, not at the end.
      work.exchange.steps.push({ role: 'assistant', content: said, calls });
      work.exchange.planned = work.exchange.planned.slice(0, work.exchange.planned.length - said.length);
      if (said !== '') yield { type: 'text', text: ' ' };
      if (yield* this.call(work, calls)) return;
    }
  }

  /** @returns whether the reply is over */
  private async *call(work: Work, calls: readonly ToolCall[]): AsyncGenerator<ReplyPart, boolean, undefined> {
    let over = false;
    for (const call of calls) {
      const given = argumentsOf(call);
      let result: unknown;
      if (call.name === TRANSFER || call.name === END_CALL) {
        over = true;
        yield* this.leave(work, call.name, String(given?.reason ?? 'request'));
        result = 'done';
      } else if (given === undefined) result = { error: 'the arguments are no JSON object' };
      else result = yield* this.act(work, call.name, given);
      const content = this.withheld(JSON.stringify(result ?? null)).slice(0, MAX_RESULT);
      work.exchange.steps.push({ role: 'tool', call: call.id, content } satisfies ChatMessage);
    }
    return over;
  }

  private *leave({ exchange }: Work, name: string, reason: string): Generator<ReplyPart, void, undefined> {
    const { escalation } = this.equipment.agent;
    if (name === END_CALL || escalation.target === undefined) return yield { type: 'hangup', reason };
    yield { type: 'event', event: { type: 'escalation', trigger: reason, target: escalation.target } };
    const spoken = exchange.steps.some((step) => step.role === 'assistant' && step.content !== '');
    if (!spoken) {
      const text = render(escalation.message[0] ?? '', this.variables);
      exchange.planned += text;
      yield { type: 'text', text };
    }
    yield { type: 'transfer', target: escalation.target, reason };
  }

  /** Runs an action. One that changes something runs only after it was put to the caller and they said yes, and never twice. */
  private async *act(
    { exchange, signal, certain }: Work,
    name: string,
    given: Record<string, unknown>,
  ): AsyncGenerator<ReplyPart, unknown, undefined> {
    const { actions } = this.equipment;
    const definition = actions.get(name);
    if (!definition) return { error: `there is no function ${name}` };
    const { sideEffects, readOnly, result } = definition;
    const key = `${name} ${JSON.stringify(given)}`;
    if (sideEffects && !this.agreed(key, exchange)) {
      return { error: 'not done yet: say what will be done, ask the caller for a yes, then call this again' };
    }
    const { turn } = exchange;
    yield { type: 'event', event: { type: 'action.called', turn, action: name, parameters: given, sideEffects } };
    if (!readOnly) await certain;
    signal.throwIfAborted();
    const variables = { ...this.variables, ...given };
    const outcome = await (sideEffects ? this.once(key, name, variables) : actions.run(name, variables, signal));
    const base = { type: 'action.returned', turn, action: name, ms: Math.round(outcome.ms) } as const;
    if (!outcome.ok) {
      const { code, message } = outcome.error;
      yield { type: 'event', event: { ...base, ok: false, error: message } };
      yield { type: 'event', event: { type: 'error', code, message } };
      return { error: message };
    }
    yield { type: 'event', event: { ...base, ok: true, result: outcome.result } };
    if (result !== undefined) {
      this.variables[result] = outcome.result;
      yield { type: 'event', event: { type: 'variable', name: result, value: outcome.result } };
    }
    return outcome.result;
  }

  /** Whether this very call was proposed in an earlier turn and this turn says yes to it. */
  private agreed(key: string, { turn, user }: Exchange): boolean {
    const proposed = this.proposed.get(key);
    if (proposed !== undefined && proposed < turn && yesNo(user)?.answer === 'yes') return true;
    this.proposed.set(key, turn);
    return false;
  }

  /** Seen through even if the caller interrupts: half a refund is worse than a late answer. */
  private once(key: string, name: string, variables: Record<string, unknown>): Promise<ActionOutcome> {
    const running = this.done.get(key) ?? this.equipment.actions.run(name, variables, new AbortController().signal);
    this.done.set(key, running);
    return running;
  }

  private look(turn: number, text: string): { articles: string; event: ReplyPart | undefined } {
    const { knowledge, agent } = this.equipment;
    if (agent.chunks.length === 0) return { articles: '', event: undefined };
    const began = monotonicMs();
    const hits = knowledge.search(text);
    const chunks = hits.map(({ chunk, score }) => ({
      article: [chunk.article, ...chunk.headings.slice(1)].join(' / '),
      score: Number(score.toFixed(3)),
    }));
    const ms = Number((monotonicMs() - began).toFixed(3));
    const articles = hits.map(({ chunk }) => `${chunk.headings.join(' / ')}: ${chunk.sentences.join(' ')}`).join('\n');
    return { articles, event: { type: 'event', event: { type: 'knowledge', turn, chunks, ms } } };
  }

  private system(articles: string): string {
    const { model } = this.equipment;
    const shown = this.shown(this.variables);
    const known = Object.entries(shown).filter(([, value]) => value !== undefined && value !== null);
    const text = [
      render(model.prompt, shown),
      SPOKEN,
      known.length > 0 && `Known of this call: ${JSON.stringify(Object.fromEntries(known)).slice(0, MAX_RESULT)}`,
      articles && `What may help with the caller's last words:\n${articles}`,
    ]
      .filter(Boolean)
      .join('\n\n');
    return this.withheld(text);
  }

  /** Variables as the model may see them. */
  private shown(variables: Record<string, unknown>): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, this.sensitive.has(name) ? STARS : value]),
    );
  }

  /** A text without sensitive values, wherever they stand in it. */
  private withheld(text: string): string {
    let rest = text;
    for (const name of this.sensitive) {
      const value = this.variables[name];
      const written = typeof value === 'string' ? value : JSON.stringify(value ?? '');
      if (written.length >= LEAST_VALUE) rest = rest.replaceAll(written, STARS);
    }
    return rest;
  }
}

/** The arguments of a call; undefined when they are no JSON object. */
function argumentsOf(call: ToolCall): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(call.arguments || '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
