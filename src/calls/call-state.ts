import type { Afterwards } from '../conversation/state.js';
import { type DialplanAction, type Redirection, redirectionText } from '../dialplan/dialplan.js';
import type { EndedBy } from '../journal/events.js';
import type { TransferOutcome } from './transfer/transfer-state.js';

/*
 * The legs of a call, from INVITE to BYE, as a pure reducer: what happened, and what to do about it. The talk itself is
 * the conversation's; this only knows that it runs.
 */

/** Where a call stands. */
export interface CallState {
  phase: 'received' | 'preparing' | 'early' | 'answering' | 'talking' | 'transferring' | 'bridged' | 'ended';
  /** 200 was sent and the dialog stands. */
  dialog: boolean;
}

/** What can happen to a call. */
export type CallEvent =
  | { type: 'routed'; action: DialplanAction | undefined }
  /** Port bound, SDP made, first clip at hand. `early`: the notice is to be heard before the answer. */
  | { type: 'prepared'; early: boolean }
  /** The notice was heard, or could not be played before the answer. */
  | { type: 'noticed' }
  /** `redirect`: who takes it instead. */
  | { type: 'unprepared'; status: number; reason: string; redirect?: Redirection | undefined }
  /** 200 is on its way. */
  | { type: 'answered' }
  | { type: 'answer.failed'; reason: string }
  /** ACK, or RTP from the caller, whichever comes first. */
  | { type: 'confirmed' }
  | { type: 'cancelled' }
  /** `transferred`: the caller's side has gone to whom it was sent. */
  | { type: 'peer.ended'; reason: string; transferred?: boolean }
  /** The conversation has said its last word. */
  | { type: 'finished'; afterwards: Afterwards; target: string | undefined }
  /** Caller and person hear each other. */
  | { type: 'bridged' }
  | { type: 'transfer.over'; outcome: TransferOutcome }
  /** Whoever watches over the call ends it. */
  | { type: 'hang-up'; reason: string }
  /** No RTP comes any more. `action`: what the configuration has for it; `target`: who takes over. */
  | { type: 'silent'; action: 'hangup' | 'fallback'; target: string | undefined; reason: string }
  | { type: 'lost'; reason: string }
  | { type: 'shutdown' };

/** What is to be done about it. */
export type CallEffect =
  | { type: 'prepare'; action: Extract<DialplanAction, { type: 'answer' }> }
  /** Sends 183 and plays the notice. */
  | { type: 'progress' }
  | { type: 'answer' }
  /** `phrase`: in the place of the usual reason phrase. */
  | { type: 'reject'; status: number; phrase?: string | undefined }
  | { type: 'redirect'; to: Redirection }
  | { type: 'begin' }
  | { type: 'transfer'; target: string; reason: string }
  /** The agent goes on: nobody took the call, or who did has left. `say`: instead of what it says about that. */
  | { type: 'go-on'; reason: string; say?: string }
  /** Another agent goes on with the call. */
  | { type: 'switch'; agent: string }
  | { type: 'bye'; reason: string }
  /** Ends the conversation, gives back port, streams and timers, and closes the journal. */
  | { type: 'release'; by: EndedBy; reason: string };

export const initialCall: CallState = { phase: 'received', dialog: false };

/** One step of a call. */
export function reduceCall(state: CallState, event: CallEvent): { state: CallState; effects: CallEffect[] } {
  if (state.phase === 'ended') return late(state, event);
  switch (event.type) {
    case 'routed':
      return routed(state, event.action);
    case 'prepared':
      if (state.phase !== 'preparing') return { state, effects: [] };
      if (event.early) return { state: { ...state, phase: 'early' }, effects: [{ type: 'progress' }] };
      return { state: { ...state, phase: 'answering' }, effects: [{ type: 'answer' }] };
    case 'noticed':
      if (state.phase !== 'early') return { state, effects: [] };
      return { state: { ...state, phase: 'answering' }, effects: [{ type: 'answer' }] };
    case 'unprepared':
      return event.redirect ? redirected(state, event.redirect, 'error') : refuse(event.status, event.reason, 'error');
    case 'answered':
      return { state: { ...state, dialog: true }, effects: [] };
    case 'answer.failed':
      return end(state, 'error', event.reason);
    case 'confirmed':
      if (state.phase !== 'answering') return { state, effects: [] };
      return { state: { ...state, phase: 'talking' }, effects: [{ type: 'begin' }] };
    case 'cancelled':
      return end(state, 'cancelled', 'CANCEL');
    case 'peer.ended':
      return peerEnded(state, event.reason, event.transferred ?? false);
    case 'finished':
      return finished(state, event.afterwards, event.target);
    case 'bridged':
      return { state: { ...state, phase: 'bridged' }, effects: [] };
    case 'transfer.over':
      return transferred(state, event.outcome);
    case 'hang-up':
      return state.dialog ? end(state, 'agent', event.reason) : { state, effects: [] };
    case 'silent':
      return silent(state, event);
    case 'lost':
      return end(state, 'error', event.reason);
    case 'shutdown':
      return end(state, 'shutdown', 'shutdown');
  }
}

function routed(state: CallState, action: DialplanAction | undefined): ReturnType<typeof reduceCall> {
  if (!action) return refuse(404, 'no dialplan entry', 'rejected');
  if (action.type === 'reject') {
    return refuse(action.status, action.reason || 'dialplan', 'rejected', action.reason || undefined);
  }
  if (action.type === 'answer')
    return { state: { ...state, phase: 'preparing' }, effects: [{ type: 'prepare', action }] };
  return redirected(state, action.to, 'transfer');
}

function redirected(state: CallState, to: Redirection, by: EndedBy): ReturnType<typeof reduceCall> {
  return {
    state: { ...state, phase: 'ended' },
    effects: [
      { type: 'redirect', to },
      { type: 'release', by, reason: `redirected to ${redirectionText(to)}` },
    ],
  };
}

function refuse(status: number, reason: string, by: EndedBy, phrase?: string): ReturnType<typeof reduceCall> {
  return {
    state: { phase: 'ended', dialog: false },
    effects: [
      { type: 'reject', status, phrase },
      { type: 'release', by, reason },
    ],
  };
}

function end(state: CallState, by: EndedBy, reason: string): ReturnType<typeof reduceCall> {
  const effects: CallEffect[] = [];
  if (state.dialog) effects.push({ type: 'bye', reason });
  // An INVITE without any answer would leave the caller waiting; after a 200 this says nothing any more.
  else if (by !== 'cancelled') effects.push({ type: 'reject', status: by === 'shutdown' ? 503 : 500 });
  effects.push({ type: 'release', by, reason });
  return { state: { ...state, phase: 'ended' }, effects };
}

function peerEnded(state: CallState, reason: string, transferred: boolean): ReturnType<typeof reduceCall> {
  const by = transferred ? 'transfer' : 'caller';
  return { state: { ...state, phase: 'ended', dialog: false }, effects: [{ type: 'release', by, reason }] };
}

function finished(state: CallState, afterwards: Afterwards, target: string | undefined): ReturnType<typeof reduceCall> {
  if (state.phase !== 'talking') return { state, effects: [] };
  if (afterwards.type === 'hangup') return end(state, afterwards.by, afterwards.reason);
  if (!target) return { state, effects: [{ type: 'go-on', reason: 'no-target' }] };
  return handOver(state, target, afterwards.reason);
}

function handOver(state: CallState, target: string, reason: string): ReturnType<typeof reduceCall> {
  return { state: { ...state, phase: 'transferring' }, effects: [{ type: 'transfer', target, reason }] };
}

function transferred(state: CallState, outcome: TransferOutcome): ReturnType<typeof reduceCall> {
  const talking: CallState = { ...state, phase: 'talking' };
  switch (outcome.type) {
    case 'gone':
      return end(state, 'transfer', 'handed over');
    case 'failed':
      return { state: talking, effects: [{ type: 'go-on', reason: outcome.disposition }] };
    case 'agent':
      return { state: talking, effects: [{ type: 'switch', agent: outcome.agent }] };
    case 'callback':
      return { state: talking, effects: [{ type: 'go-on', reason: 'called-back', say: outcome.message }] };
    case 'person.left':
      if (outcome.afterwards === 'hangup') return end(state, 'person', outcome.reason);
      return { state: talking, effects: [{ type: 'go-on', reason: 'person-left' }] };
    default:
      return { state, effects: [] };
  }
}

/** Nobody is heard: the people behind the agent may reach the caller where it does not. */
function silent(
  state: CallState,
  { action, target, reason }: Extract<CallEvent, { type: 'silent' }>,
): ReturnType<typeof reduceCall> {
  if (!state.dialog || state.phase === 'transferring') return { state, effects: [] };
  const reachable = action === 'fallback' && target !== undefined && state.phase === 'talking';
  if (!reachable) return end(state, 'error', reason);
  return handOver(state, target, reason);
}

/** A dialog that came to be although the call is over (200 crossing CANCEL or shutdown) is ended. */
function late(state: CallState, event: CallEvent): ReturnType<typeof reduceCall> {
  if (event.type !== 'answered') return { state, effects: [] };
  return { state: { ...state, dialog: true }, effects: [{ type: 'bye', reason: 'call is over' }] };
}
