import type { ReasonerSession, ReplyPart } from '../agent/reasoner.js';
import { ParleyError, reasonOf } from '../errors.js';
import type { EndedBy, JournalEvent } from '../journal/events.js';
import { EventMask } from '../journal/masking.js';
import { SentenceSplitter, sentencesOf } from '../speech/synthesis/splitter.js';
import { monotonicMs } from '../telemetry/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { LlmJudge } from '../turns/llm-judge.js';
import { Answer } from './answer.js';
import { reduce } from './reducer.js';
import type { ConversationSettings } from './settings.js';
import {
  type Afterwards,
  initialState,
  type TimerName,
  type TurnEffect,
  type TurnEvent,
  type TurnState,
} from './state.js';
import type { Voice } from './voice.js';

/** What is told of a reply that is being made. */
type ReplyEvent = TurnEvent extends infer E
  ? E extends { type: `reply.${string}` }
    ? Omit<E, 'at' | 'reply'>
    : never
  : never;

/** What a conversation needs of the call it belongs to. */
export interface ConversationOptions {
  voice: Voice;
  session: ReasonerSession;
  settings: ConversationSettings;
  /** Values that must not be on record, besides those of sensitive slots. */
  hidden?: readonly unknown[] | undefined;
  /** Puts an event on record; `at` is monotonicMs(). */
  record: (event: JournalEvent, at: number) => void;
  /** Number of the caller's last turn, when another agent had the call before. */
  firstTurn?: number;
  /** monotonicMs() from which times inside events are counted. */
  origin: number;
  /** Everything was said that led to this: hand over or hang up. Called at most once per reply. */
  finish: (afterwards: Afterwards) => void;
  /** Asked about bursts that the local judge is not sure of. */
  judge?: Pick<LlmJudge, 'takesFloor'> | undefined;
  logger: Logger;
}

/** What is said first: the dialplan's notice, which keeps the floor, then the agent's greeting. */
export interface Opening {
  notice: readonly string[];
  greeting: readonly string[];
}

/** Cuts the opening into the sentences that will be said, so that the first can be synthesised before the answer. */
export function openingOf(session: ReasonerSession, notice: string | undefined): Opening {
  return { notice: sentencesOf(notice ?? ''), greeting: sentencesOf(session.greeting()) };
}

/**
 * One conversation over a voice: carries out the effects of the turn machine. Replies stream in from the reasoner and
 * carry the reply's id, so that a stale one changes nothing.
 */
export class Conversation {
  private state: TurnState;
  private readonly timers = new Map<TimerName, NodeJS.Timeout>();
  private readonly events: TurnEvent[] = [];
  private readonly answering = new Map<string, Answer>();
  private readonly mask: EventMask;

  constructor(private readonly options: ConversationOptions) {
    this.state = { ...initialState(options.settings), turn: options.firstTurn ?? 0 };
    this.mask = new EventMask(new Set(options.settings.secrets));
    this.hide(options.hidden ?? []);
    options.voice.listen((event) => this.dispatch(event));
  }

  /** Timers and replies under way, for leak tests. */
  get pending(): number {
    return this.timers.size + this.answering.size;
  }

  begin(opening: Opening): void {
    this.dispatch({ type: 'begin', at: monotonicMs(), ...opening });
  }

  /**
   * A transfer that `finish` asked for did not come about, or is over: the conversation goes on.
   *
   * @param reason a disposition, `no-target`, or `person-left`
   * @param turn the caller's last turn, where some were made meanwhile
   * @param say what is said about it, instead of what the reasoner says
   */
  transferFailed(reason: string, turn = 0, say?: string): void {
    this.dispatch({ type: 'transfer.failed', at: monotonicMs(), reason, turn, say });
  }

  /** The agent says this now, whatever it was saying. */
  say(text: string): void {
    this.dispatch({ type: 'supervisor.say', at: monotonicMs(), sentences: sentencesOf(text) });
  }

  /** The agent falls silent and waits, or goes on. */
  pause(on: boolean): void {
    this.dispatch({ type: 'supervisor.pause', at: monotonicMs(), on });
  }

  /** The call goes to a target now. */
  sendOn(target: string, reason: string): void {
    this.dispatch({ type: 'supervisor.send-on', at: monotonicMs(), target, reason });
  }

  /** The agent says farewell now, whatever it was saying, and the call ends. */
  farewell(reason: string, by: EndedBy): void {
    this.dispatch({ type: 'leave', at: monotonicMs(), reason, by });
  }

  /** Tells the agent something that the caller does not hear. @returns whether its reasoner can make use of it */
  guide(text: string): boolean {
    return this.options.session.guide?.(text) ?? false;
  }

  /** Said on the call, but not to the agent. @param by who said it */
  overhear(text: string, by: string): void {
    this.options.session.overheard?.(text, by);
  }

  /** An event from outside without what must not be on record. */
  masked(event: JournalEvent): JournalEvent {
    return this.mask.mask(event);
  }

  /** Hides these values from now on, wherever they come up. */
  hide(values: readonly unknown[]): void {
    for (const value of values) this.mask.hide(value);
  }

  /** Whether a supervisor has the agent wait. */
  get paused(): boolean {
    return this.state.paused;
  }

  /** The call is gone. What was said and heard is on record when this returns. */
  end(): void {
    this.dispatch({ type: 'closed', at: monotonicMs() });
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    for (const answer of this.answering.values()) answer.abort.abort();
    this.answering.clear();
    this.options.session.close();
    this.options.voice.close();
  }

  /** One event at a time: what an effect reports back at once waits until the others are carried out. */
  private dispatch(event: TurnEvent): void {
    this.events.push(event);
    if (this.events.length > 1) return;
    for (let next = this.events[0]; next; next = this.events[0]) {
      const { state, effects } = reduce(this.state, next);
      this.state = state;
      for (const effect of effects) this.attempt(effect);
      this.events.shift();
    }
  }

  /** What goes wrong here ends this call and no other. */
  private attempt(effect: TurnEffect): void {
    try {
      this.carryOut(effect);
    } catch (error) {
      this.options.logger.error({ ...this.logged(error), effect: effect.type }, 'the conversation failed');
      this.options.finish({ type: 'hangup', reason: reasonOf(error), by: 'error' });
    }
  }

  /** An error may quote what the caller said, an answer of the agent's systems for instance. */
  private logged(error: unknown): { reason: string; code?: string; stack?: string | undefined } {
    const code = error instanceof ParleyError ? { code: error.code } : {};
    const at = error instanceof Error ? error.stack?.match(/^ +at .*$/gm)?.join('\n') : undefined;
    return { reason: this.mask.masked(reasonOf(error)), ...code, stack: at };
  }

  private carryOut(effect: TurnEffect): void {
    const { voice, session } = this.options;
    switch (effect.type) {
      case 'say':
        return voice.say(effect);
      case 'stop':
        return voice.stop();
      case 'yield':
        return voice.yield(effect.how, effect.level);
      case 'go-on':
        return voice.goOn();
      case 'commit':
        return voice.commit(effect.position);
      case 'finalise':
        return voice.finalise();
      case 'expect':
        return voice.expect(effect.expected);
      case 'sensitive':
        this.mask.sensitive(effect.on, effect.digits);
        return voice.sensitive(effect.on);
      case 'ask':
        return void this.answer(effect.reply, new Answer(), ({ signal }) => session.respond(effect.turn, signal));
      case 'speculate':
        return void this.answer(effect.reply, new Answer((text, signal) => voice.prepare(text, signal)), (answer) =>
          session.respond(effect.turn, answer.signal, answer.certain),
        );
      case 'confirm':
        return this.answering.get(effect.reply)?.confirm();
      case 'ask-after-failed-transfer':
        return void this.answer(effect.reply, new Answer(), ({ signal }) =>
          session.transferFailed(effect.reason, signal),
        );
      case 'cancel':
        return this.answering.get(effect.reply)?.abort.abort();
      case 'judge':
        return void this.judge(effect);
      case 'overheard':
        return session.overheard?.(effect.text);
      case 'heard':
        return session.heard(effect.turn, effect.text, effect.interrupted);
      case 'timer':
        return this.setTimer(effect.name, effect.ms);
      case 'clear':
        return this.clearTimer(effect.name);
      case 'journal':
        return this.record(this.timed(effect.event), effect.at);
      case 'finish':
        return this.options.finish(effect.afterwards);
    }
  }

  /** Streams one reply into the turn machine, sentence by sentence, as soon as it is certain that it is wanted. */
  private async answer(
    reply: string,
    answer: Answer,
    parts: (answer: Answer) => AsyncIterable<ReplyPart>,
  ): Promise<void> {
    const { signal } = answer;
    this.answering.set(reply, answer);
    const splitter = new SentenceSplitter();
    let afterwards: Afterwards | undefined;
    const tell = (event: ReplyEvent) => answer.tell(() => this.dispatch({ ...event, at: monotonicMs(), reply }));
    let firm = false;
    const say = (texts: readonly string[]) => {
      for (const text of texts) {
        answer.ready(text);
        tell({ type: 'reply.sentence', text, firm });
      }
    };
    try {
      for await (const part of parts(answer)) {
        if (part.type === 'event') answer.tell(() => this.recordEvent(reply, part.event));
        if (signal.aborted) return;
        if (part.type === 'text') {
          // A sentence is firm as a whole or not at all.
          if (firm !== (part.firm ?? false)) say(splitter.flush());
          firm = part.firm ?? false;
          say(splitter.push(part.text));
        }
        if (part.type === 'expect') tell({ type: 'reply.expect', expected: part.expected });
        else if (part.type === 'transfer') afterwards = part;
        else if (part.type === 'hangup') afterwards = { ...part, by: 'agent' };
      }
      say(splitter.flush());
      tell({ type: 'reply.done', afterwards });
    } catch (error) {
      if (signal.aborted) return;
      this.options.logger.error({ ...this.logged(error), reply }, 'reasoner failed');
      tell({ type: 'reply.failed', reason: reasonOf(error) });
    } finally {
      await answer.settled;
      this.answering.delete(reply);
    }
  }

  /** Asks the second judge; whatever goes wrong there is no verdict. */
  private async judge({ burst, text, agent }: Extract<TurnEffect, { type: 'judge' }>): Promise<void> {
    const floor = await this.options.judge?.takesFloor(text, agent, monotonicMs());
    this.dispatch({ type: 'judged', at: monotonicMs(), burst, text, floor });
  }

  private recordEvent(reply: string, event: JournalEvent): void {
    const at = monotonicMs();
    this.record(event, at);
    if (event.type === 'action.called' && event.sideEffects) this.dispatch({ type: 'reply.acted', at, reply });
  }

  private record(event: JournalEvent, at: number): void {
    this.options.record(this.mask.mask(event), at);
  }

  private setTimer(name: TimerName, ms: number): void {
    this.clearTimer(name);
    const timer = setTimeout(() => {
      this.timers.delete(name);
      this.dispatch({ type: 'timer', at: monotonicMs(), name });
    }, ms);
    this.timers.set(name, timer);
  }

  private clearTimer(name: TimerName): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }

  /** Times inside an event count from the call's beginning, as its own does. */
  private timed(event: JournalEvent): JournalEvent {
    if (event.type !== 'caller.turn') return event;
    const since = (at: number | undefined) => (at === undefined ? undefined : Math.round(at - this.options.origin));
    return { ...event, startedAt: since(event.startedAt), endedAt: since(event.endedAt) };
  }
}
