import { yesNo } from '../../text/yes-no.js';
import type { ReplyPart } from '../reasoner.js';
import type { Control } from './control.js';
import { escalate, sayGoodbye } from './endings.js';
import { goOn } from './open.js';
import { askAgain } from './pending.js';
import { type Parts, type Talk, type Turn, text } from './talk.js';

/**
 * Answers what the caller says about the conversation itself.
 *
 * @returns at the end, whether it was answered; false when it is rather the answer to what was asked
 */
export async function* answerControl(
  talk: Talk,
  turn: Turn,
  control: Control,
): AsyncGenerator<ReplyPart, boolean, undefined> {
  const { pending } = talk.state;
  const asksYesNo = pending !== undefined && pending.kind !== 'slot' && pending.kind !== 'more';
  // "Great", "that's it", "no, nothing" answer a yes-no question.
  if (asksYesNo && (control === 'thanks' || control === 'done') && yesNo(turn.text)) return false;
  switch (control) {
    case 'person':
      yield* escalate(talk, 'request');
      return true;
    case 'repeat':
      yield* repeat(talk, turn);
      return true;
    case 'cancel':
      yield* cancel(talk, turn);
      return true;
    case 'goodbye':
      yield* sayGoodbye(talk, 'caller said goodbye');
      return true;
    case 'done':
      if (pending && pending.kind !== 'more' && pending.kind !== 'offer') return false;
      yield* sayGoodbye(talk, 'caller is done');
      return true;
    case 'wait':
      yield* wait(talk, turn);
      return true;
    default:
      yield* chat(talk, turn, control);
      return true;
  }
}

/** Says the last reply again of which the caller heard anything. */
async function* repeat(talk: Talk, turn: Turn): Parts {
  const { replies, pending } = talk.state;
  const reply = replies.findLast(({ planned, heard }) => planned !== '' && heard !== '');
  if (!reply) {
    yield text(talk.word(talk.agent.phrases.nothingToRepeat));
    return;
  }
  if (pending && reply.planned.endsWith(pending.question)) {
    const before = reply.planned.slice(0, -pending.question.length).trim();
    if (before !== '') yield text(before);
    yield* talk.ask(turn, pending.question, pending);
  } else if (pending) {
    yield* askAgain(talk, turn, pending);
  } else {
    yield text(reply.planned);
  }
}

async function* cancel(talk: Talk, turn: Turn): Parts {
  const { state } = talk;
  state.task = undefined;
  state.pending = undefined;
  state.misunderstood = 0;
  yield* talk.ask(turn, talk.word(talk.agent.phrases.cancelled), { kind: 'more' });
  if (state.waiting.length > 0) {
    state.pending = undefined;
    yield* goOn(talk, turn);
  }
}

async function* wait(talk: Talk, turn: Turn): Parts {
  const { pending } = talk.state;
  const words = talk.word(talk.agent.phrases.oneMoment);
  if (!pending) {
    yield text(words);
    return;
  }
  // The question stands, but is not asked again: the caller is looking for the answer.
  yield* talk.ask(turn, words, pending);
  talk.state.pending = { ...pending, turn: turn.number };
}

type Chat = Exclude<Control, 'person' | 'repeat' | 'cancel' | 'goodbye' | 'done' | 'wait'>;

async function* chat(talk: Talk, turn: Turn, control: Chat): Parts {
  const { smallTalk, phrases } = talk.agent;
  const wordings = {
    thanks: smallTalk.thanks,
    hello: smallTalk.hello,
    'how-are-you': smallTalk.howAreYou,
    'can-you-hear': smallTalk.canYouHear,
    'are-you-human': smallTalk.areYouHuman,
    help: smallTalk.help,
    upset: smallTalk.sorry,
  }[control];
  const { pending, task } = talk.state;
  const words = talk.word(wordings);
  if (pending && pending.kind !== 'more') {
    yield* askAgain(talk, turn, pending, control === 'thanks' ? '' : words);
  } else if (task && !task.running) {
    yield text(words);
    yield* goOn(talk, turn);
  } else if (control === 'thanks') {
    yield* talk.ask(turn, `${words} ${talk.word(phrases.more)}`, { kind: 'more' });
  } else {
    yield { type: 'expect', expected: { kind: 'open' } };
    yield text(`${words} ${talk.word(phrases.howCanIHelp)}`);
  }
}
