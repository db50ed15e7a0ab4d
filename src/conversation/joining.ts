import { addedWords } from '../text/added-words.js';
import type { Reply, TakenTurn } from './state.js';
import type { Step } from './step.js';

/*
 * A caller who was cut off goes on when the reply has only just begun, or not yet: what they said before and what they
 * say now is one turn. So the turn that a reply answers stays open until the reply has been heard for a moment.
 */

/** Whether the turn that this reply answers may still have more to come. Nothing has been done on it, then. */
export function isOpen(reply: Reply | undefined): reply is Reply & { taking: TakenTurn } {
  return reply?.taking?.from === 'speech' && !reply.acted;
}

/** Whether the caller has made a sound since the open turn was taken of which it is not decided what it is. */
export function isContested({ state: { caller } }: Step, { position = -1 }: TakenTurn): boolean {
  return caller.speaking || (caller.offsetPosition ?? -1) > position;
}

/** Whether the burst that is heard now began when the reply that is heard had only just. */
export function beganTogether({ at, state: { caller, current, settings } }: Step): boolean {
  const started = current?.marks.started ?? at;
  return Math.abs((caller.onsetAt ?? at) - started) <= settings.collisionMs;
}

/** Of words since the last turn on record, those that were said over the reply. */
export function saidOver({ state: { current } }: Step, text: string): string {
  return isOpen(current) ? addedWords(current.taking.text, text) : text;
}

/**
 * What was recognised, without the words of a turn that has gone on record meanwhile; those of one that was taken back
 * stand even when nothing more is understood.
 */
export function ownWords({ state }: Step, { text, from }: { text: string; from?: number | undefined }): string {
  const { joined, settled } = state;
  if (joined && text === '') return joined.text;
  return settled && !startsAfter(settled, from) ? addedWords(settled.text, text) : text;
}

function startsAfter({ position = Number.POSITIVE_INFINITY }: TakenTurn, from = Number.NEGATIVE_INFINITY): boolean {
  return from >= position;
}

/** The turn of a reply that has hardly begun is not over: it is taken back, and its reply is as good as never asked for. */
export function takeBack(step: Step, reply: Reply, taking: TakenTurn): void {
  const { state } = step;
  const { caller } = state;
  state.joined = taking;
  reply.taking = undefined;
  reply.dropped = true;
  reply.afterwards = undefined;
  state.turn -= 1;
  caller.turnSince = taking.startedAt ?? caller.turnSince;
  if (!caller.partial && !caller.text) caller.partial = taking.text;
  step.journal({ type: 'turn.decision', turn: reply.turn, decision: 'rejoined', waitMs: 0, text: taking.text });
}
