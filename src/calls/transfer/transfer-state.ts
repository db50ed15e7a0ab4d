import type { Disposition, JournalEvent } from '../../journal/events.js';
import type { Destination, Plan, PlanStep } from '../targets/targets.js';

/*
 * Handing a call to a person, as data: where it stands, what can happen, what is to be done about it. The reducer is
 * transfer-reducer.ts.
 */

/** A person's leg. */
export interface PersonState {
  destination: Destination;
  /** `dialling` until the answer, `keying` while an extension is dialled, `briefing` until the person takes the call. */
  phase: 'dialling' | 'keying' | 'briefing' | 'joined' | 'gone';
  /** The leg whose phone sent the call here (302). */
  sentBy?: string | undefined;
  /** The briefing was heard to its end, the question asked. */
  asked: boolean;
  /** Has spoken since the answer, and speaks now, short pauses included. */
  spoke: boolean;
  speaking: boolean;
  /** Has spoken for so long, or beeped, that it may be a machine. */
  machine: boolean;
}

/** Where a transfer stands. */
export interface TransferState {
  /** `queued`: others come first, or everybody was busy; `leaving`: the caller's side has been sent a REFER. */
  phase: 'new' | 'queued' | 'trying' | 'leaving' | 'bridged' | 'over';
  plan: Plan;
  /** Why the caller is handed over. */
  reason: string;
  /** Step of the plan that is tried. */
  at: number;
  legs: Readonly<Record<string, PersonState>>;
  /** Of the names of its legs: no other transfer of the call has it. */
  prefix: string;
  /** URIs that phones have sent the call to, in this round through the plan: they are not called once more. */
  followed: readonly string[];
  /** Legs made so far. */
  made: number;
  beganAt: number;
  /** Place in the queue, 0 outside it. */
  place: number;
  /** How the last attempt ended: what the agent is told. */
  last: { disposition: Disposition; status: number | undefined; reason: string };
  /** Leg of the person who is joined with the caller. */
  joined: string | undefined;
  /** Leg of the person whose phone has sent a REFER, while whom that means is called. */
  handedOnBy: string | undefined;
  /** The result is on record. */
  settled: boolean;
}

/** A leg's clock: `kind:leg`; `retry` and `announce` are the queue's. */
export type TransferTimer =
  | `${'ring' | 'accept' | 'ask' | 'voice' | 'pause'}:${string}`
  | 'retry'
  | 'announce'
  | 'queue';

/** What can happen. `at` is monotonicMs(). */
export type TransferEvent = { at: number } & (
  | { type: 'begin' }
  /** Place in the queue: 1 may be put through. */
  | { type: 'place'; place: number }
  | { type: 'ringing'; leg: string }
  | { type: 'answered'; leg: string }
  /** `elsewhere`: the target that the phone sends the call to. */
  | { type: 'refused'; leg: string; status: number; reason: string; elsewhere?: Plan | undefined }
  /** The person hung up, or their leg was lost. */
  | { type: 'left'; leg: string; reason: string }
  | { type: 'keyed'; leg: string }
  /** The briefing and its question were heard. */
  | { type: 'briefed'; leg: string }
  | { type: 'key'; leg: string; digit: string }
  | { type: 'words'; leg: string; answer: 'yes' | 'no' | undefined }
  | { type: 'voice'; leg: string; on: boolean }
  /** A mailbox has beeped. */
  | { type: 'beep'; leg: string }
  /** How a REFER to the caller's side ended. */
  | { type: 'reported'; accepted: boolean; status: number | undefined; reason: string }
  /** The joined person's phone sent a REFER; `plan` is undefined when nobody known is meant. */
  | { type: 'handed-on'; leg: string; plan: Plan | undefined }
  /** Another phone, of that person, has taken the place of the leg's, or picked it up (INVITE with Replaces). */
  | { type: 'replaced'; leg: string; person: string; sipCallId: string }
  | { type: 'timer'; name: TransferTimer }
  /** `taken`: the caller's side has gone to whom it was sent. */
  | { type: 'caller.left'; taken: boolean }
  /** Ended from outside: the caller is with the agent again, or the whole call is `ending`. */
  | { type: 'stop'; reason: string; ending: boolean }
);

/** How a transfer ended. */
export type TransferOutcome =
  /** Nobody took the call: the agent goes on, and says why. */
  | { type: 'failed'; disposition: Disposition; reason: string }
  /** The caller's side is with the person, without us. */
  | { type: 'gone' }
  | { type: 'agent'; agent: string; target: string }
  | { type: 'callback'; message: string }
  /** The person has hung up on the caller. */
  | { type: 'person.left'; afterwards: 'hangup' | 'agent'; reason: string }
  | { type: 'caller.left' }
  | { type: 'stopped' };

/** What is to be done. */
export type TransferEffect =
  | { type: 'dial'; leg: string; destination: Destination }
  | { type: 'keys'; leg: string; digits: string }
  | { type: 'brief'; leg: string; question: 'key' | 'voice' | undefined }
  | { type: 'ask'; leg: string; question: 'key' | 'voice' }
  /** CANCEL or BYE, and the port is given back. */
  | { type: 'drop'; leg: string; reason: string }
  | { type: 'join'; leg: string }
  | { type: 'unjoin'; leg: string }
  /** Somebody else is at this leg now. */
  | { type: 'rename'; leg: string; person: string }
  /** Said to both, who are joined. */
  | { type: 'introduce'; leg: string }
  | { type: 'refer'; destination: Destination }
  /** REFER to the caller's side, with Replaces of this leg. */
  | { type: 'attend'; leg: string }
  | { type: 'queue'; on: boolean }
  /** The caller is told their place. */
  | { type: 'announce'; place: number }
  /** The caller hears music, or nothing of the kind. */
  | { type: 'wait'; on: boolean }
  | { type: 'call-back'; step: Extract<PlanStep, { type: 'callback' }> }
  /** To the phone that handed on: 202 and reports. Below 200 it goes on. */
  | { type: 'report'; leg: string; status: number; reason: string }
  | { type: 'timer'; name: TransferTimer; ms: number }
  | { type: 'clear'; name: TransferTimer }
  | { type: 'journal'; event: JournalEvent }
  /** Caller and person are joined: the call goes on so. */
  | { type: 'bridged' }
  | { type: 'over'; outcome: TransferOutcome };

/** A transfer that has not begun. */
export function newTransfer(plan: Plan, reason: string, prefix = 'p'): TransferState {
  return {
    phase: 'new',
    plan,
    reason,
    at: -1,
    legs: {},
    prefix,
    followed: [],
    made: 0,
    beganAt: 0,
    place: 0,
    last: { disposition: 'failed', status: undefined, reason: 'nobody to call' },
    joined: undefined,
    handedOnBy: undefined,
    settled: false,
  };
}
