import type { Afterwards } from '../conversation/state.js';
import type { DialplanAction } from '../dialplan/dialplan.js';
import type { EndedBy } from '../journal/events.js';

/*
 * The legs of a call, from INVITE to BYE, as a pure reducer: what happened, and what to do about it. The talk itself is
 * the conversation's; this only knows that it runs.
 */

/** Where a call stands. */
export interface CallState {
  phase: 'received' | 'preparing' | 'early' | 'answering' | 'talking' | 'referring' | 'ended';
  /** 200 was sent and the dialog stands. */
  dialog: boolean;
  /** The conversation has begun. */
  begun: boolean;
}

/** What can happen to a call. */
export type CallEvent =
  | { type: 'routed'; action: DialplanAction | undefined }
  /** Port bound, SDP made, first clip at hand. `early`: the notice is to be heard before the answer. */
  | { type: 'prepared'; early: boolean }
  /** The notice was heard, or could not be played before the answer. */
  | { type: 'noticed' }
  | { type: 'unprepared'; status: number; reason: string }
  /** 200 is on its way. */
  | { type: 'answered' }
  | { type: 'answer.failed'; reason: string }
  /** ACK, or RTP from the caller, whichever comes first. */
  | { type: 'confirmed' }
  | { type: 'cancelled' }
  | { type: 'peer.ended'; reason: string }
  /** The conversation has said its last word. */
  | { type: 'finished'; afterwards: Afterwards; target: string | undefined }
  | { type: 'referred'; accepted: boolean; reason: string }
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
  | { type: 'reject'; status: number }
  | { type: 'redirect'; to: string }
  | { type: 'begin' }
  | { type: 'refer'; target: string; reason: string }
  | { type: 'transfer.failed'; reason: string }
  | { type: 'bye'; reason: string }
  /** Ends the conversation, gives back port, streams and timers, and closes the journal. */
  | { type: 'release'; by: EndedBy; reason: string };

export const initialCall: CallState = { phase: 'received', dialog: false, begun: false };

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
      return refuse(event.status, event.reason, 'error');
    case 'answered':
      return { state: { ...state, dialog: true }, effects: [] };
    case 'answer.failed':
      return end(state, 'error', event.reason);
    case 'confirmed':
      if (state.begun || state.phase !== 'answering') return { state, effects: [] };
      return { state: { ...state, phase: 'talking', begun: true }, effects: [{ type: 'begin' }] };
    case 'cancelled':
      return end(state, 'cancelled', 'CANCEL');
    case 'peer.ended':
      return peerEnded(state, event.reason);
    case 'finished':
      return finished(state, event.afterwards, event.target);
    case 'referred':
      return referred(state, event.accepted, event.reason);
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
  if (action.type === 'reject') return refuse(action.status, action.reason || 'dialplan', 'rejected');
  if (action.type === 'answer')
    return { state: { ...state, phase: 'preparing' }, effects: [{ type: 'prepare', action }] };
  return {
    state: { ...state, phase: 'ended' },
    effects: [
      { type: 'redirect', to: action.to },
      { type: 'release', by: 'transfer', reason: `redirected to ${action.to}` },
    ],
  };
}

function refuse(status: number, reason: string, by: EndedBy): ReturnType<typeof reduceCall> {
  return {
    state: { phase: 'ended', dialog: false, begun: false },
    effects: [
      { type: 'reject', status },
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

function peerEnded(state: CallState, reason: string): ReturnType<typeof reduceCall> {
  const by = state.phase === 'referring' ? 'transfer' : 'caller';
  return { state: { ...state, phase: 'ended', dialog: false }, effects: [{ type: 'release', by, reason }] };
}

function finished(state: CallState, afterwards: Afterwards, target: string | undefined): ReturnType<typeof reduceCall> {
  if (state.phase !== 'talking') return { state, effects: [] };
  if (afterwards.type === 'hangup') return end(state, afterwards.by, afterwards.reason);
  if (!target) return { state, effects: [{ type: 'transfer.failed', reason: 'no target is configured' }] };
  return { state: { ...state, phase: 'referring' }, effects: [{ type: 'refer', target, reason: afterwards.reason }] };
}

function referred(state: CallState, accepted: boolean, reason: string): ReturnType<typeof reduceCall> {
  if (state.phase !== 'referring') return { state, effects: [] };
  if (accepted) return end(state, 'transfer', reason);
  return { state: { ...state, phase: 'talking' }, effects: [{ type: 'transfer.failed', reason }] };
}

/** Nobody is heard: the people behind the agent may reach the caller where it does not. */
function silent(
  state: CallState,
  { action, target, reason }: Extract<CallEvent, { type: 'silent' }>,
): ReturnType<typeof reduceCall> {
  if (!state.dialog || state.phase === 'referring') return { state, effects: [] };
  const reachable = action === 'fallback' && target !== undefined && state.phase === 'talking';
  if (!reachable) return end(state, 'error', reason);
  return { state: { ...state, phase: 'referring' }, effects: [{ type: 'refer', target, reason }] };
}

/** A dialog that came to be although the call is over (200 crossing CANCEL or shutdown) is ended. */
function late(state: CallState, event: CallEvent): ReturnType<typeof reduceCall> {
  if (event.type !== 'answered') return { state, effects: [] };
  return { state: { ...state, dialog: true }, effects: [{ type: 'bye', reason: 'call is over' }] };
}
