import type { ErrorCode } from '../errors.js';
import type { ExpectedAnswer } from '../text/expected.js';

/*
 * The event types of a call's journal. Everything that happens on a call is one of these, in one append-only stream;
 * transcript, console, metrics and tests are projections of it. Writers are strict; readers ignore types they don't
 * know, so that nodes of different versions can share a store.
 */

/** Latency of one reply, ms. Parts that did not occur are absent. */
export interface ReplyLatency {
  /** Caller's last voiced sample to the decision that the turn is over. */
  endpoint?: number | undefined;
  /** Decision to the final words. 0 when they were ready before it. */
  recognition?: number | undefined;
  /** Final words to the reasoner's first sentence. */
  reasoning?: number | undefined;
  /** First sentence to its clip in the playout queue. */
  synthesis?: number | undefined;
  /** Clip in the queue to its first sample on the wire. */
  playout?: number | undefined;
  /** Caller's last voiced sample to the first agent sample on the wire, a filler included. */
  firstAudio?: number | undefined;
  /** Caller's last voiced sample to the first sample of the answer itself. */
  reply?: number | undefined;
}

/** Who or what ended a call. */
export type EndedBy =
  | 'caller'
  | 'agent'
  | 'person'
  | 'limit'
  | 'transfer'
  | 'error'
  | 'rejected'
  | 'cancelled'
  | 'shutdown'
  | 'node-lost';

/**
 * How an attempt to reach a person ended. `declined`: by the phone, by key, by word, or by hanging up during the briefing;
 * `unavailable`: nobody is registered there; `closed`: outside its hours; `voicemail`: a machine answered; `deflected`: the phone sends the call elsewhere;
 * `answered-elsewhere`: another phone that rang at the same time was quicker; `agent`, `call-back`: not a person, but another
 * agent took the call, or the caller is to be called back.
 */
export type Disposition =
  | 'answered'
  | 'busy'
  | 'no-answer'
  | 'declined'
  | 'failed'
  | 'unavailable'
  | 'closed'
  | 'voicemail'
  | 'deflected'
  | 'answered-elsewhere'
  | 'agent'
  | 'call-back'
  | 'cancelled-by-caller';

/** How a call came out, in one word. */
export type CallDisposition =
  | 'handled'
  | 'transferred'
  | 'abandoned'
  | 'refused'
  | 'cancelled'
  | 'failed'
  | 'interrupted';

/** Percentiles of a latency over a call's replies, ms. */
export interface LatencyFigures {
  count: number;
  p50: number;
  p95: number;
  max: number;
}

/** How keys are sent: as RTP events, by SIP INFO, or as tones in the audio. */
export type DtmfMethod = 'rfc4733' | 'info' | 'inband';

/** A direction of RTP as Parley sees it. */
export type MediaFlow = 'received' | 'sent';

/** What an event says, by type. */
export type JournalEvent =
  | {
      type: 'call.received';
      /** Wall clock of the INVITE, ISO 8601. */
      time: string;
      from: string;
      /** Display name, where it says more than the number. */
      name?: string | undefined;
      /** The caller does not want to be known to others: people who are called are not told (Privacy). */
      withheld?: boolean | undefined;
      to: string;
      source: string;
      sipCallId: string;
      /** The SIP user who has shown that it is them. */
      user?: string | undefined;
      /** Of parley.yaml, by the source. */
      trunk?: string | undefined;
      /** Dialplan entry that matched, `file#name`. */
      entry?: string | undefined;
      agent?: string | undefined;
      /** W3C Trace Context that came with the INVITE. */
      traceparent?: string | undefined;
      /** Of the entry, else of the agent: BCP 47. */
      language?: string | undefined;
      /** Which versions of the agent's files and of the dialplan the call has, as `GET /v1/reload` tells them. */
      versions?: { agent?: string | undefined; dialplan: string } | undefined;
    }
  /** What the IVR in front did, before the call came: `at` is negative. How it was found, and what it hands over. */
  | {
      type: 'ivr.segment';
      part: 'start';
      by: 'token' | 'number' | 'invite' | 'info';
      ivr?: string | undefined;
      language?: string | undefined;
      topic?: string | undefined;
      /** The choices, the first menu first. */
      menu: string[];
      /** As stars where the IVR says that they are sensitive. */
      variables: Record<string, unknown>;
    }
  | { type: 'ivr.segment'; part: 'line'; who: 'ivr' | 'caller'; text: string; from: 'speech' | 'dtmf' }
  | { type: 'ivr.segment'; part: 'digits'; name: string; digits: string; masked: boolean }
  /** Whom the call was for before (the first is the latest; of `history`, the earliest), and who is said to call. */
  | {
      type: 'ivr.segment';
      part: 'signalling';
      diversion?: string[] | undefined;
      history?: string[] | undefined;
      identity?: string[] | undefined;
      referredBy?: string[] | undefined;
    }
  | { type: 'call.answered'; codec: string; ms: number }
  | { type: 'call.ended'; by: EndedBy; reason: string; durationMs: number; media?: Record<string, number> | undefined }
  /** The node that had the call died, or is taken for dead: another one ends its journal. */
  | { type: 'node.lost'; node: string; seenAt?: string | undefined }
  | { type: 'caller.started' }
  /** `stable`: its beginning, as far as two results in a row agree on it: what comes after may well become other words. */
  | { type: 'caller.partial'; text: string; stable?: string | undefined }
  | {
      type: 'caller.turn';
      turn: number;
      text: string;
      from: 'speech' | 'dtmf' | 'text';
      startedAt?: number | undefined;
      endedAt?: number | undefined;
    }
  | { type: 'agent.started'; turn: number; utterance: string }
  /** One reply (turn 0 is the greeting): what was planned, and what was heard by samples played. */
  | {
      type: 'agent.turn';
      turn: number;
      planned: string;
      heard: string;
      interrupted: boolean;
      kind: 'greeting' | 'reply' | 'idle' | 'notice' | 'farewell' | 'go-ahead' | 'supervisor';
      latency?: ReplyLatency | undefined;
    }
  /**
   * `held`: more words came before the answer was heard; `rejoined`: they came when it had only just begun, and both
   * parts are one turn; `hand-back`: the caller asked for time. `finished`: P(the words
   * are a whole turn) by the model; `seen`: what their form says (complete, incomplete, parts, hand-back, open).
   */
  | {
      type: 'turn.decision';
      turn: number;
      decision: 'ended' | 'held' | 'rejoined' | 'maximum' | 'hand-back';
      waitMs: number;
      text: string;
      finished?: number | undefined;
      seen?: string | undefined;
      /** What the agent had asked for. */
      expected?: ExpectedAnswer | undefined;
    }
  /** An answer was prepared on words that might still have changed; `used`: they did not. `ms`: how long it was in work by then. */
  | { type: 'speculation'; turn: number; text: string; used: boolean; ms: number }
  | { type: 'backchannel'; text: string; durationMs: number; real?: number | undefined }
  /** `text`: the words so far that took the floor, `burstMs` after their onset; absent for a key. `real`: P that they do, by the model. */
  | {
      type: 'interruption';
      turn: number;
      intoReplyMs: number;
      text?: string | undefined;
      burstMs?: number | undefined;
      real?: number | undefined;
    }
  | { type: 'idle'; count: number }
  | { type: 'dtmf'; digit: string; durationMs: number }
  | { type: 'topic'; turn: number; topic: string; score: number; ms: number }
  | { type: 'knowledge'; turn: number; chunks: { article: string; score: number }[]; ms: number }
  | { type: 'action.called'; turn: number; action: string; parameters: Record<string, unknown>; sideEffects: boolean }
  | {
      type: 'action.returned';
      turn: number;
      action: string;
      ok: boolean;
      ms: number;
      result?: unknown;
      error?: string | undefined;
    }
  | { type: 'variable'; name: string; value: unknown }
  | { type: 'entity.heard'; name: string; value: string }
  | { type: 'entity.confirmed'; name: string; value: string }
  | { type: 'entity.rejected'; name: string; value: string }
  /** The turn was not understood: the `count`-th in a row. */
  | { type: 'no-match'; turn: number; count: number }
  /** How a caller's turn sounded, by its words: -1 (very unhappy) to 1. A turn that comes again with more words has it again. */
  | { type: 'sentiment'; turn: number; score: number; mood: 'negative' | 'neutral' | 'positive' }
  /** Whether the caller is who they say they are. */
  | { type: 'verification'; outcome: 'started' | 'passed' | 'failed'; method: string; attempt?: number | undefined }
  /** The call goes to a person. `trigger`: of the agent file, or what the reasoner gives as its reason; queues put a higher `priority` first. */
  | { type: 'escalation'; trigger: string; target: string | undefined; priority?: number | undefined }
  /** Another agent goes on with the call. */
  | { type: 'agent.changed'; agent: string }
  /** Words of a person that the call was handed to, while they are joined with the caller in Parley. */
  | {
      type: 'person.turn';
      /** Who that is: the name of the target. */
      person: string;
      text: string;
      startedAt?: number | undefined;
      endedAt?: number | undefined;
    }
  | { type: 'person.partial'; person: string; text: string }
  /** `target`: its name in parley.yaml, or the SIP URI of the agent file. `reason`: what led to it. */
  | {
      type: 'transfer.started';
      target: string;
      method: 'warm' | 'attended' | 'refer' | 'redirect' | 'none';
      reason?: string | undefined;
    }
  /** A phone is called. `leg` names it in later events. */
  /** `sentBy`: the leg whose phone sent the call there (302). */
  | { type: 'transfer.dialling'; target: string; leg: string; uri: string; sentBy?: string | undefined }
  | { type: 'transfer.ringing'; target: string; leg: string }
  | { type: 'transfer.answered'; target: string; leg: string }
  /** What the person was told before they took the call. */
  | { type: 'transfer.briefing'; target: string; leg: string; text: string }
  /** The person takes the call. */
  | { type: 'transfer.accepted'; target: string; leg: string; by: 'key' | 'voice' | 'answer' }
  /** One attempt came to nothing; the next is made, or the agent goes on. */
  | {
      type: 'transfer.attempt';
      target: string;
      leg?: string | undefined;
      disposition: Disposition;
      status?: number | undefined;
      reason?: string | undefined;
    }
  /** The caller waits in the queue of a target. `place`: 1 comes next. */
  | { type: 'transfer.queued'; target: string; place: number }
  /** Caller and person hear each other from now on. */
  | { type: 'transfer.bridged'; target: string; person: string; leg: string }
  /** The person's phone hands the caller on (REFER). `target`: who is meant, when that is somebody known. */
  | { type: 'transfer.referred'; leg: string; target?: string | undefined; status: number }
  /** Another phone has taken the leg's place, or picked it up (INVITE with Replaces): who is at it now. */
  | { type: 'transfer.replaced'; target: string; leg: string; person: string; sipCallId: string }
  /** The caller goes on by another phone (INVITE with Replaces). */
  | { type: 'caller.replaced'; from: string; sipCallId: string }
  /** Somebody is called to take part while the agent stays; `participant` names them in later events. */
  | { type: 'participant.added'; participant: string; target: string; by: string }
  | { type: 'participant.joined'; participant: string; target: string; person: string }
  | { type: 'participant.left'; participant: string; reason: string }
  /** Nobody came. */
  | {
      type: 'participant.failed';
      participant: string;
      target: string;
      disposition: Disposition;
      reason?: string | undefined;
    }
  /** They no longer hear each other. */
  | { type: 'transfer.unbridged'; target: string; leg: string; reason: string }
  /** The caller wants to be called back: somebody has to see to it. */
  | { type: 'callback.requested'; target: string; number: string; topic?: string | undefined; reason: string }
  | {
      type: 'transfer.finished';
      target: string;
      outcome: 'accepted' | 'failed';
      disposition: Disposition;
      status?: number | undefined;
      reason?: string | undefined;
    }
  /** `by`: the caller (or the person) put us on hold or took us back, or we them. */
  | { type: 'hold'; on: boolean; by: 'caller' | 'us' | 'person' }
  /**
   * Keys were sent to the caller's side, an extension behind an IVR for instance: `,` is a pause of 1 s, `w` of 500 ms.
   * `sent`: how many of them went out; fewer than were asked for when the peer refused one or the call ended.
   */
  | { type: 'dtmf.sent'; digits: string; sent: number; method: DtmfMethod }
  /** The caller was asked, `asked` times, whether they agree; only `given` lets a recording begin. `words`: what they said to it. */
  | {
      type: 'consent';
      outcome: 'given' | 'refused' | 'no-answer';
      by?: 'key' | 'voice' | undefined;
      words?: string | undefined;
      asked: number;
    }
  /** The call can't be answered as it should be, or no longer: the entry's fallback has it. `to`: a target, a URI, or nobody. */
  | { type: 'fallback'; reason: string; to?: string | undefined }
  /** A recording of the call. `reason`: who or what asked for it. `beep`: those on the line hear that it goes on. */
  | { type: 'recording.started'; reason: string; file?: string | undefined; beep?: boolean | undefined }
  /** There is silence in the recording until it is resumed. */
  | { type: 'recording.paused'; reason: string }
  | { type: 'recording.resumed'; reason: string }
  | {
      type: 'recording.finished';
      file?: string | undefined;
      durationMs?: number | undefined;
      /** False when sound is missing in it. */
      complete?: boolean | undefined;
    }
  /** How the sound of one direction has been since the call began, as RTP and RTCP tell it: now and then, and at the end. */
  | {
      type: 'media.quality';
      /** `received`: what the caller said, by our own count; `sent`: what they heard, by their reports. */
      direction: MediaFlow;
      /** Estimated mean opinion score by the E-model (ITU-T G.107), 1 to 4.5. */
      mos?: number | undefined;
      /** Transmission rating that it comes from, 0 to 100. */
      r?: number | undefined;
      lossPercent?: number | undefined;
      /** Interarrival jitter (RFC 3550 6.4.1), ms. */
      jitterMs?: number | undefined;
      /** ms, by RTCP; absent until both sides have reported. */
      roundTripMs?: number | undefined;
      packets?: number | undefined;
    }
  /** No RTP came (or went) in one direction for `seconds`; `on` false: it flows again. Not while the call is on hold. */
  | { type: 'media.silent'; direction: MediaFlow; seconds: number; on: boolean }
  /** A media worker was lost, and the call goes on over another: after `ms`, when the peer knew of it. */
  | { type: 'media.restored'; ms: number }
  /** What the call came to; right before `call.ended`. */
  | {
      type: 'call.summary';
      disposition: CallDisposition;
      /** What the IVR in front handed over; absent without one. */
      ivr?: { name?: string | undefined; topic?: string | undefined; menu: string[] } | undefined;
      /** Topics in the order in which they came up, with the caller's words. */
      asked: { topic: string; turn: number; words?: string | undefined }[];
      /** Actions that were carried out, or failed. */
      done: { action: string; ok: boolean }[];
      /** Confirmed values by name. */
      entities: Record<string, string>;
      /** -1 (very unhappy) to 1, turn by turn. */
      sentiment: { at: number; turn: number; score: number }[];
      /** Why it went to a person. */
      escalations: string[];
      turns: { caller: number; agent: number; interrupted: number };
      /** ms; absent without a reply. */
      latency: { reply?: LatencyFigures | undefined; firstAudio?: LatencyFigures | undefined };
      /** Codes of what went wrong. */
      errors: string[];
    }
  /** Somebody did something to the call by the API. `by`: the name of their token. */
  | { type: 'audit'; action: string; by: string; role: string }
  /** A supervisor had the agent say this; what was heard of it is an `agent.turn` of kind `supervisor`. */
  | { type: 'supervisor.said'; by: string; text: string }
  /** A supervisor told the agent something that the caller did not hear. */
  | { type: 'supervisor.whispered'; by: string; text: string }
  /** A supervisor has the agent wait, or lets it go on. */
  | { type: 'supervisor.paused'; by: string; on: boolean }
  /** A supervisor listens, or no longer. `talksTo`: who hears them: nobody, all, or the caller or person of that name. */
  | { type: 'supervisor.listening'; by: string; on: boolean; talksTo: string }
  /** A supervisor sent the call to a target, or took it back from a person. */
  | { type: 'supervisor.sent'; by: string; target: string }
  | { type: 'supervisor.took-back'; by: string }
  | { type: 'error'; code: ErrorCode; message: string };

/** An event's type name. */
export type JournalEventType = JournalEvent['type'];

/** Types that are shown live and never stored. */
export const LIVE_ONLY: ReadonlySet<JournalEventType> = new Set(['caller.partial', 'person.partial']);

/** Where and when an event happened. */
export interface Stamp {
  /** Parley's call id. */
  call: string;
  /** ms since the INVITE arrived; an IVR's earlier events are negative. */
  at: number;
}

/** A stored event: `seq` counts from 1 without gaps within the call. */
export type StoredEvent = Stamp & { seq: number } & JournalEvent;

/** A live-only event: `after` is the seq of the last stored event before it. */
export type LiveEvent = Stamp & { after: number } & JournalEvent;
