import type { Offer } from '../file/topics.js';
import type { ReplyPart } from '../reasoner.js';
import { type Parts, type Talk, type Turn, text } from './talk.js';

/** Hands the caller to a person, or says that there is none. What was in work is over. */
export async function* escalate(talk: Talk, trigger: string, before = ''): Parts {
  const { escalation } = talk.agent;
  const { state } = talk;
  state.task = undefined;
  state.waiting = [];
  state.pending = undefined;
  state.misunderstood = 0;
  yield { type: 'event', event: { type: 'escalation', trigger, target: escalation.target } };
  if (before !== '') yield text(before);
  if (escalation.target === undefined) {
    yield text(talk.word(escalation.noTargetMessage));
    return;
  }
  yield text(talk.word(escalation.message));
  yield { type: 'transfer', target: escalation.target, reason: trigger };
}

/** Offers a person. The wording is a yes-no question. */
export function* offerPerson(
  talk: Talk,
  turn: Turn,
  wordings: readonly string[],
): Generator<ReplyPart, void, undefined> {
  yield* talk.ask(turn, talk.word(wordings), { kind: 'offer', topic: undefined, refused: 0 });
}

/** Asks an offer's question. */
export function* makeOffer(talk: Talk, turn: Turn, offer: Offer): Generator<ReplyPart, void, undefined> {
  yield* talk.ask(turn, talk.word(offer.ask), { kind: 'offer', topic: offer.topic, refused: 0 });
}

/** Ends the call after what was said. */
export async function* hangUp(talk: Talk, reason: string): Parts {
  talk.state.task = undefined;
  talk.state.pending = undefined;
  yield { type: 'hangup', reason };
}

/** Says goodbye and ends the call. */
export async function* sayGoodbye(talk: Talk, reason: string): Parts {
  yield text(talk.word(talk.agent.smallTalk.goodbye));
  yield* hangUp(talk, reason);
}
