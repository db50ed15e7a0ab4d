/*
 * What a conversation is about, as plain data: it is copied before every turn, so that a turn that is tried again
 * with more words starts where the first try did.
 */

/** A topic in work. */
export interface Task {
  topic: string;
  /** Unusable answers by slot. */
  failures: Record<string, number>;
  /** The topic's `check` has let it pass. */
  checked: boolean;
  /** The caller has said yes to the topic's `confirm`. */
  agreed: boolean;
  /** The topic's action has been done. */
  acted: boolean;
  /** A look-up is on its way: nobody else takes the task up meanwhile. */
  running: boolean;
  /** It has asked something before, so coming back to it needs a word. */
  begun: boolean;
}

interface Asked {
  /** The question as it was planned. */
  question: string;
  turn: number;
  /** False once it is known that the caller interrupted before the question was out. */
  heard: boolean;
}

/** What the agent has asked, and what the answer means. */
export type Pending = Asked &
  /** `told`: its value came by another way meanwhile. */
  (
    | { kind: 'slot'; slot: string; partial: string; told?: boolean }
    | { kind: 'read-back'; slot: string; value: string }
    | { kind: 'agree' }
    | { kind: 'offer'; topic: string | undefined; refused: number }
    | { kind: 'more' }
  );

/** A question before it is asked. */
export type Question =
  | { kind: 'slot'; slot: string; partial: string }
  | { kind: 'read-back'; slot: string; value: string }
  | { kind: 'agree' }
  | { kind: 'offer'; topic: string | undefined; refused: number }
  | { kind: 'more' };

/** One reply, as planned, and as heard once that is known. */
export interface Reply {
  turn: number;
  planned: string;
  heard: string | undefined;
}

/** Everything a conversation remembers. */
export interface DialogueState {
  turn: number;
  variables: Record<string, unknown>;
  /** Slots whose values need no read-back: confirmed by the caller, or handed over. */
  confirmed: string[];
  task: Task | undefined;
  /** Topics put off by another one, latest first. */
  waiting: Task[];
  pending: Pending | undefined;
  /** Turns in a row that were not understood. */
  misunderstood: number;
  /** How often each set of wordings was used. */
  wordings: Record<string, number>;
  replies: Reply[];
}

/** The state at the start of a call. */
export function initialState(variables: Record<string, unknown>): DialogueState {
  return {
    turn: 0,
    variables: { ...variables },
    confirmed: Object.keys(variables).filter((name) => variables[name] !== undefined),
    task: undefined,
    waiting: [],
    pending: undefined,
    misunderstood: 0,
    wordings: {},
    replies: [],
  };
}

/** A task that has not begun. */
export function newTask(topic: string): Task {
  return { topic, failures: {}, checked: false, agreed: false, acted: false, running: false, begun: false };
}
