import type { ExpectedAnswer } from '../text/expected.js';
import { type Completeness, completeness } from './completeness.js';
import type { WaitTimes } from './config.js';

/** What the wait is decided on. */
export interface TurnSoFar {
  /** The caller's words of this turn; empty when none are known yet. */
  text: string;
  /** P(these words are a finished turn), 0 to 1; undefined when no model has judged them. */
  finished: number | undefined;
  /** What the agent asked for. */
  expected: ExpectedAnswer;
}

/** How long to wait, and what follows. */
export interface EndpointDecision {
  /** Silence since the last voiced sample after which the turn ends, ms. */
  waitMs: number;
  /** The caller asked for time: no answer is due. */
  handBack: boolean;
  completeness: Completeness;
}

/**
 * The wait for a turn's end, from how likely the words are a whole turn and from what was asked for. What can be seen
 * (five of six digits) outweighs the model, which only knows how people talk.
 */
export function endpointWait({ text, finished, expected }: TurnSoFar, times: WaitTimes): EndpointDecision {
  const seen = completeness(text, expected);
  return { waitMs: waitFor(seen, text, finished, times), handBack: seen === 'hand-back', completeness: seen };
}

/** Most that words are a whole turn which are nearly as likely to have ended in "the" or "your". */
const UNFINISHED = 0.2;

/**
 * P(the words are a finished turn) by the words and by how they were heard.
 *
 * @param p by the words
 * @param unfinished the recogniser finds an ending that more must follow nearly as likely
 */
export function likelyWhole(p: number, unfinished = false): number {
  return unfinished ? Math.min(p, UNFINISHED) : p;
}

function waitFor(seen: Completeness, text: string, finished: number | undefined, times: WaitTimes): number {
  switch (seen) {
    case 'complete':
      return finished === undefined ? times.certainMs : Math.min(byProbability(finished, times), soon(times));
    case 'incomplete':
      return times.incompleteMs;
    case 'parts':
      return times.partsMs;
    case 'hand-back':
      return times.unsureMs;
    case 'open':
      if (text === '') return times.unknownMs;
      return finished === undefined ? times.unsureMs : byProbability(finished, times);
  }
}

/** A bare "no" answers all that was asked, but "thank you" often follows it, after a breath. */
function soon({ certainMs, unsureMs }: WaitTimes): number {
  return certainMs + Math.max(0, unsureMs - certainMs) * AFTER_A_BREATH;
}

const AFTER_A_BREATH = 0.5;

/**
 * Straight lines between the three waits over the log odds: pauses inside turns thin out exponentially, so each further
 * 100 ms of silence adds as much evidence as the one before.
 */
function byProbability(p: number, { certainMs, unsureMs, unlikelyMs }: WaitTimes): number {
  const logit = Math.log(Math.max(1e-6, p) / Math.max(1e-6, 1 - p));
  const share = Math.min(1, logit > 0 ? logit / CERTAIN_LOGIT : logit / UNLIKELY_LOGIT);
  return Math.round(unsureMs + share * ((logit > 0 ? certainMs : unlikelyMs) - unsureMs));
}

/** From a probability of 0.76 on the turn is taken to be whole, from 0.1 down to be unfinished. */
const CERTAIN_LOGIT = Math.log(0.76 / 0.24);
const UNLIKELY_LOGIT = Math.log(0.1 / 0.9);
