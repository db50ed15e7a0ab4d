import { monotonicMs } from '../../telemetry/clock.js';
import { splitClauses } from '../../text/clauses.js';
import type { Topic } from '../file/topics.js';
import type { ReplyPart } from '../reasoner.js';
import type { TopicScore } from '../topics/classifier.js';
import { escalate, offerPerson } from './endings.js';
import { answerOf, answerTopic, look } from './knowledge.js';
import { newTask } from './state.js';
import { type Parts, type Talk, type Turn, text } from './talk.js';
import { begin, resume } from './tasks.js';

/** A topic that was recognised, and the words it was recognised in. */
export interface Recognised {
  topic: Topic;
  score: number;
  words: string;
}

/** What a turn asks for. */
interface Recognition {
  found: Recognised[];
  /** Clauses in which no topic was recognised. */
  others: string[];
  best: TopicScore | undefined;
}

/** The topics that a turn asks about, in its order: several when its clauses clearly ask for different ones. */
export function recognise(talk: Talk, said: string): Recognition {
  const whole = classify(talk, said);
  const found: Recognised[] = [];
  const others: string[] = [];
  const clauses = splitClauses(said);
  for (const clause of clauses.length > 1 ? clauses : []) {
    const { recognised } = classify(talk, clause);
    if (!recognised) others.push(clause);
    else if (!found.some(({ topic }) => topic === recognised.topic)) found.push(recognised);
  }
  const clearer = found[0] && found[0].score > (whole.recognised?.score ?? 0);
  if (found.length > 1 || clearer) return { found, others, best: whole.best };
  if (!whole.recognised) return { found: [], others, best: whole.best };
  const words = found[0]?.topic === whole.recognised.topic ? found[0].words : said;
  return { found: [{ ...whole.recognised, words }], others, best: whole.best };
}

function classify(talk: Talk, words: string): { recognised: Recognised | undefined; best: TopicScore | undefined } {
  const { classifier } = talk.equipment;
  const best = classifier.classify(words)[0];
  const topic = best && best.score >= classifier.threshold ? talk.topic(best.topic) : undefined;
  return { recognised: topic && best ? { topic, score: best.score, words } : undefined, best };
}

/** Answers a turn that is not the answer to a question. Classification and retrieval do not wait for each other. */
export async function* open(talk: Talk, turn: Turn): Parts {
  const began = monotonicMs();
  const { found, others, best } = recognise(talk, turn.text);
  const ms = Number((monotonicMs() - began).toFixed(3));
  const { hits, event } = look(talk, turn, turn.text);
  if (found.length > 0) {
    for (const recognised of found) yield topicEvent(turn, recognised.topic.name, recognised.score, ms);
    talk.state.misunderstood = 0;
    for (const clause of others) yield* tellKnown(talk, turn, clause);
    return yield* answerAll(talk, turn, found);
  }
  yield topicEvent(turn, 'none', best?.score ?? 0, ms);
  yield event;
  const answer = answerOf(hits, turn.text);
  if (answer === undefined) return yield* notUnderstood(talk, turn);
  talk.state.misunderstood = 0;
  yield text(answer);
  yield* goOn(talk, turn);
}

/** A question beside others that is no topic, but that an article answers. */
function* tellKnown(talk: Talk, turn: Turn, clause: string): Generator<ReplyPart, void, undefined> {
  if (!isQuestion(clause)) return;
  const { hits, event } = look(talk, turn, clause);
  const answer = answerOf(hits, clause);
  if (answer === undefined) return;
  yield event;
  yield text(answer);
}

/** Several questions are answered together: what can be told at once comes first, then what needs a conversation. */
export async function* answerAll(talk: Talk, turn: Turn, found: readonly Recognised[]): Parts {
  const tasks = found.filter(({ topic }) => !isInformation(topic));
  yield* inform(
    talk,
    turn,
    found.filter(({ topic }) => isInformation(topic)),
    tasks.length === 0,
  );
  const [first, ...others] = tasks;
  if (!first) {
    // An offer that was just made is the question now.
    if (talk.state.pending?.turn !== turn.number) yield* goOn(talk, turn);
    return;
  }
  talk.state.waiting.unshift(...others.map(({ topic }) => newTask(topic.name)));
  yield* begin(talk, turn, first.topic);
}

/** Topics that are told without asking anything. */
export function isInformation(topic: Topic): boolean {
  const asks = topic.slots.length > 0 || topic.check || topic.action || topic.confirm;
  return !asks && !topic.escalate && !topic.end && topic.responses.length === 0;
}

/** Tells what topics of information say; the last may offer something. */
export async function* inform(talk: Talk, turn: Turn, found: readonly Recognised[], mayOffer: boolean): Parts {
  for (const [at, { topic, words }] of found.entries()) {
    if (topic.knowledge) yield* answerTopic(talk, turn, topic, found.length > 1 ? words : turn.text);
    if (topic.say) yield text(talk.word(topic.say), topic.uninterruptible);
    const quiet = talk.state.task === undefined && talk.state.waiting.length === 0;
    if (topic.offer && mayOffer && quiet && at === found.length - 1) {
      const { ask, topic: next } = topic.offer;
      yield* talk.ask(turn, talk.word(ask), { kind: 'offer', topic: next, refused: 0 });
    }
  }
}

/** After an aside: back to what is in work, or asks what else there is. */
export async function* goOn(talk: Talk, turn: Turn): Parts {
  const { state } = talk;
  if (state.task?.running) return;
  if (state.task) {
    state.waiting.unshift(state.task);
    state.task = undefined;
  }
  if (state.waiting.length > 0) return yield* resume(talk, turn);
  const { anythingElse } = talk.agent.phrases;
  if (anythingElse) yield* talk.ask(turn, talk.word(anythingElse), { kind: 'more' });
}

/** Says so when nothing was understood; after several times in a row, a person takes over. */
export async function* notUnderstood(talk: Talk, turn: Turn): Parts {
  const { state } = talk;
  // A look-up that an interruption cut off is taken up again.
  if (state.task && !state.task.running) return yield* goOn(talk, turn);
  const { notUnderstood: wordings, unknown } = talk.agent.fallbacks;
  const wording = wordings[state.misunderstood];
  state.misunderstood++;
  yield { type: 'event', event: { type: 'no-match', turn: turn.number, count: state.misunderstood } };
  if (wording === undefined) {
    return yield* escalate(talk, 'not understood', talk.word(talk.agent.escalation.afterFailures));
  }
  if (isQuestion(turn.text) && talk.agent.knowledge.length > 0) {
    return yield* offerPerson(talk, turn, unknown);
  }
  state.pending = undefined;
  yield { type: 'expect', expected: { kind: 'open' } };
  yield text(talk.word(wording));
}

/** A whole question that was heard well, as far as one can tell: then not knowing is the honest answer. */
export function isQuestion(said: string): boolean {
  const question =
    /^(?:(?:um|uh|so|and|well|okay|hi|hello)\b[\s,]*)*(?:what|when|where|who|how|why|which|do you|does|can i|can you|could you|is there|are there|is it|are you)\b/i;
  return question.test(said) && said.split(/\s+/).length >= 4;
}

export function topicEvent(turn: Turn, topic: string, score: number, ms: number): ReplyPart {
  return { type: 'event', event: { type: 'topic', turn: turn.number, topic, score: Number(score.toFixed(3)), ms } };
}
