import type { JournalEvent } from '../journal/events.js';
import type { ExpectedAnswer } from '../text/expected.js';

/** What a reasoner is told when a conversation begins. */
export interface ConversationContext {
  /** Parley's call id. */
  call: string;
  channel: 'voice' | 'text';
  /** Context variables: those of the agent file, then the call's (`caller`, `called`), then what an IVR handed over. */
  variables: Record<string, unknown>;
  /** Names of those that only actions and conditions may have: no model is shown them. */
  sensitive?: readonly string[] | undefined;
  /** What an IVR says that the caller wants, the likeliest first: topics, or names that the agent's file maps to them. */
  wants?: readonly string[] | undefined;
  /** W3C Trace Context of the call, for requests that are made on its behalf. */
  traceparent?: string | undefined;
}

/** One turn of the caller. */
export interface CallerTurn {
  turn: number;
  /** Recognised words, keys pressed, or typed text. */
  text: string;
  from: 'speech' | 'dtmf' | 'text';
}

/** A piece of a reply, in the order it is made. */
export type ReplyPart =
  /** Text to speak, in any portions: the conversation cuts it into sentences. `firm`: they are said to their end, whoever speaks. */
  | { type: 'text'; text: string; firm?: boolean | undefined }
  /** What kind of answer the text asks for; `open` when never given. */
  | { type: 'expect'; expected: ExpectedAnswer }
  /** For the journal: topics, knowledge, actions, variables, entities, escalation. */
  | { type: 'event'; event: JournalEvent }
  /** After what was said has been heard: hand the caller to a person. `target` is a name or SIP URI from configuration only. */
  | { type: 'transfer'; target: string; reason: string; priority?: number | undefined }
  /** After what was said has been heard: end the call. */
  | { type: 'hangup'; reason: string };

/** What answers the caller. One instance serves all calls of its agent. */
export interface Reasoner {
  open(context: ConversationContext): ReasonerSession;
}

/** The reasoner's side of one conversation. */
export interface ReasonerSession {
  /** The topic that the conversation begins with, of what an IVR handed over. */
  readonly topic?: string | undefined;
  /** What is said first. */
  greeting(): string;
  /**
   * Answers one caller turn, streaming parts as they are made. Aborting ends it at once; what was already yielded may
   * or may not have been heard (see {@link heard}). A new turn may begin while an earlier one is still in work.
   *
   * @param certain given when the caller may still add words: resolves when the turn is over. Until then nothing is
   *   done that others notice, and aborting leaves the conversation as if the turn had never been asked about.
   * @throws ParleyError PARLEY_ERR_REASONER_FAILED
   */
  respond(turn: CallerTurn, signal: AbortSignal, certain?: Promise<void>): AsyncIterable<ReplyPart>;
  /** What the caller really heard of the reply to that turn: context must hold this, not what was planned. */
  heard(turn: number, text: string, interrupted: boolean): void;
  /**
   * A transfer that was asked for did not come about, or the person has left; the conversation goes on. Yields what to say.
   *
   * @param reason a disposition (busy, no-answer, declined, closed, unavailable, voicemail, failed), `no-target` or `person-left`
   */
  transferFailed(reason: string, signal: AbortSignal): AsyncIterable<ReplyPart>;
  /** More context variables, in the middle of the conversation. */
  inform?(variables: Record<string, unknown>, sensitive?: readonly string[]): void;
  /**
   * A supervisor tells the agent something that the caller does not hear.
   *
   * @returns whether the reasoner can make use of it
   */
  guide?(text: string): boolean;
  /**
   * Said by the caller while a supervisor had the agent wait, or, where `by` names who, on the line but not to the agent: it is on
   * record, and needs no answer.
   */
  overheard?(text: string, by?: string): void;
  close(): void;
}
