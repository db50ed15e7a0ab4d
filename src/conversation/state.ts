import type { CallerTurn } from '../agent/reasoner.js';
import type { EndedBy, JournalEvent } from '../journal/events.js';
import type { ExpectedAnswer } from '../text/expected.js';
import type { ConversationSettings } from './settings.js';
import type { VoiceEvent } from './voice.js';

/** What a reply is, for the journal. Notices keep the floor: speech over them does not stop them. */
export type ReplyKind = 'greeting' | 'reply' | 'idle' | 'notice' | 'farewell' | 'supervisor' | 'go-ahead';

/** What happens once a reply has been heard. */
export type Afterwards =
  | { type: 'transfer'; target: string; reason: string; priority?: number | undefined }
  | { type: 'hangup'; reason: string; by: EndedBy };

/** One sentence of a reply on its way through synthesis and playout. */
export interface Utterance {
  id: string;
  text: string;
  /** It is said to its end, whoever speaks. */
  firm: boolean;
  status: 'queued' | 'started' | 'ended';
  heard: string;
  stopped: boolean;
}

/** A caller turn taken but not yet answered aloud for a moment: more words may still reopen it. */
export interface TakenTurn {
  text: string;
  from: CallerTurn['from'];
  startedAt?: number | undefined;
  endedAt?: number | undefined;
  /** Up to where the caller's stream belongs to it. */
  position?: number | undefined;
}

/** Something the agent says, from the decision to say it until its last utterance has ended. */
export interface Reply {
  id: string;
  kind: ReplyKind;
  /** Caller turn that it answers; 0 when it answers none. */
  turn: number;
  utterances: Utterance[];
  /** No more sentences will come. */
  complete: boolean;
  interrupted: boolean;
  /** An action was called while making it: it can't be taken back and made again. */
  acted: boolean;
  /** It is the apology for a reasoner that failed. */
  failed: boolean;
  /** The caller went on when it had hardly begun: their turn is not over, and is asked about again. */
  dropped?: boolean | undefined;
  afterwards?: Afterwards | undefined;
  expected: ExpectedAnswer;
  /** The caller turn that it answers, until that is beyond recall: then it is committed and recorded. */
  taking?: TakenTurn | undefined;
  /** Monotonic ms of each step; latency is told from these. */
  marks: { voiced?: number; decided?: number; final?: number; sentence?: number; ready?: number; started?: number };
}

/** An answer in the making to words that the caller may still add to. */
export interface Speculation {
  /** Id of the reply that it will be. */
  reply: string;
  text: string;
  since: number;
}

/** The caller's side: what has been heard since the last turn was taken. */
export interface CallerSide {
  speaking: boolean;
  /** When the running burst or utterance began. */
  onsetAt?: number | undefined;
  /** When a sound began that may be the voice. */
  stirredAt?: number | undefined;
  /** First onset of the turn in the making. */
  turnSince?: number | undefined;
  /** When the voice fell silent, until it is known to go on. */
  pausedAt?: number | undefined;
  /** Last voiced sample: when it arrived and where it is. */
  voicedAt?: number | undefined;
  offsetPosition?: number | undefined;
  /** Newest final, and the offset it answers. */
  text: string;
  textPosition?: number | undefined;
  /** Newest partial, used when no final comes. */
  partial: string;
  /** P(the newest words are a finished turn), when they were judged. */
  finished?: number | undefined;
  /** P(the newest words over the agent's take the floor), when they were judged. */
  real?: number | undefined;
  /** How much less likely the newest words are to be a listener's, nats. */
  listening?: number | undefined;
  /** The agent's voice has yielded to the burst. */
  yielded?: boolean | undefined;
  /** Whether the newest words go on from those before. */
  stable?: boolean | undefined;
  /** The words that a second judge was asked about, and what it said. */
  asked?: { text: string; floor?: boolean | undefined } | undefined;
  /** The turn is over, only its final words are missing. */
  awaiting?: 'ended' | 'maximum' | undefined;
  /** They come later than usual. */
  delayed?: boolean | undefined;
  keys: string;
}

/** Where the conversation stands. Who has the floor follows from `caller.speaking` and the current reply. */
export interface TurnState {
  settings: ConversationSettings;
  phase: 'new' | 'listening' | 'thinking' | 'speaking' | 'handing-over' | 'ended';
  turn: number;
  replies: number;
  caller: CallerSide;
  speculation?: Speculation | undefined;
  /** The reply being made or played; earlier, interrupted ones until their utterances are reported ended. */
  current?: Reply | undefined;
  fading: Reply[];
  expected: ExpectedAnswer;
  /** Either side has the other on hold. */
  held: boolean;
  /** A supervisor has the agent wait. */
  paused: boolean;
  /** What is said now is for nobody else. */
  sensitive: boolean;
  idle: number;
  failures: number;
  /** Caller and agent began to speak at once, and the agent gave way. */
  collided: boolean;
  /** The turn that was taken back for more words then, until it is taken again. */
  joined?: TakenTurn | undefined;
  /** The turn that went on record while what the caller says now was being said already. */
  settled?: TakenTurn | undefined;
  /** Said after the notice. */
  greeting: readonly string[];
  /** Up to where the caller's stream belongs to turns that were answered. */
  committed: number;
}

/** Timers by name: setting one again replaces it. */
export type TimerName =
  | 'endpoint'
  | 'recognition'
  | 'barge-in'
  | 'overlap'
  | 'join'
  | 'idle'
  | 'turn'
  | 'call'
  | 'reasoner'
  | 'keys'
  | 'farewell';

/** What can happen to a conversation. `at` is monotonicMs(). */
export type TurnEvent =
  | VoiceEvent
  /** Whoever runs the call ends it: farewell. */
  | { type: 'leave'; at: number; reason: string; by: EndedBy }
  | { type: 'begin'; at: number; greeting: readonly string[]; notice: readonly string[] }
  | { type: 'timer'; at: number; name: TimerName }
  | { type: 'reply.sentence'; at: number; reply: string; text: string; firm?: boolean | undefined }
  /** What a second judge says of a burst's words; undefined: nothing, or too late. */
  | { type: 'judged'; at: number; burst: number; text: string; floor: boolean | undefined }
  | { type: 'reply.expect'; at: number; reply: string; expected: ExpectedAnswer }
  | { type: 'reply.acted'; at: number; reply: string }
  | { type: 'reply.done'; at: number; reply: string; afterwards?: Afterwards | undefined }
  | { type: 'reply.failed'; at: number; reply: string; reason: string }
  /** `turn`: of the caller's, taken by others meanwhile; `say`: instead of asking the reasoner. */
  | { type: 'transfer.failed'; at: number; reason: string; turn?: number | undefined; say?: string | undefined }
  | { type: 'supervisor.say'; at: number; sentences: readonly string[] }
  | { type: 'supervisor.pause'; at: number; on: boolean }
  | { type: 'supervisor.send-on'; at: number; target: string; reason: string }
  | { type: 'closed'; at: number };

/** What is to be done about it. */
export type TurnEffect =
  | { type: 'say'; id: string; text: string; firm: boolean }
  | { type: 'stop' }
  | { type: 'yield'; how: 'duck' | 'pause'; level: number }
  | { type: 'go-on' }
  | { type: 'commit'; position: number }
  | { type: 'finalise' }
  | { type: 'expect'; expected: ExpectedAnswer }
  /** `digits`: it is a number that is asked for, so that other words need not be kept from anybody. */
  | { type: 'sensitive'; on: boolean; digits: boolean }
  | { type: 'ask'; reply: string; turn: CallerTurn }
  | { type: 'ask-after-failed-transfer'; reply: string; reason: string }
  /** Prepares the answer to what the turn may turn out to be; nothing of it is told before `confirm`. */
  | { type: 'speculate'; reply: string; turn: CallerTurn }
  | { type: 'confirm'; reply: string }
  | { type: 'cancel'; reply: string }
  /** Asks a second judge about the burst that began then. */
  | { type: 'judge'; burst: number; text: string; agent: string }
  /** What the caller said while the agent was paused. */
  | { type: 'overheard'; text: string }
  | { type: 'heard'; turn: number; text: string; interrupted: boolean }
  | { type: 'timer'; name: TimerName; ms: number }
  | { type: 'clear'; name: TimerName }
  | { type: 'journal'; event: JournalEvent; at: number }
  | { type: 'finish'; afterwards: Afterwards };

/** The state before anything happened. */
export function initialState(settings: ConversationSettings): TurnState {
  return {
    settings,
    phase: 'new',
    turn: 0,
    replies: 0,
    caller: { speaking: false, text: '', partial: '', keys: '' },
    fading: [],
    expected: { kind: 'open' },
    held: false,
    paused: false,
    sensitive: false,
    idle: 0,
    failures: 0,
    collided: false,
    greeting: [],
    committed: -1,
  };
}
