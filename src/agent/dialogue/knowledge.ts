import { monotonicMs } from '../../telemetry/clock.js';
import type { Topic } from '../file/topics.js';
import type { Hit } from '../knowledge/search.js';
import { answerFrom } from '../knowledge/spoken-answer.js';
import type { ReplyPart } from '../reasoner.js';
import { type Parts, type Talk, type Turn, text } from './talk.js';

/** Share of a question's content that a chunk must hold to answer it when no topic was recognised. */
const ANSWERS = 0.5;

/** Searches the articles, and what the journal is told of it. */
export function look(
  talk: Talk,
  turn: Turn,
  question: string,
  articles?: readonly string[],
): { hits: Hit[]; event: ReplyPart } {
  const began = monotonicMs();
  const hits = talk.equipment.knowledge.search(question, articles);
  const chunks = hits.map(({ chunk, score }) => ({
    article: [chunk.article, ...chunk.headings.slice(1)].join(' / '),
    score: Number(score.toFixed(3)),
  }));
  const ms = Number((monotonicMs() - began).toFixed(3));
  return { hits, event: { type: 'event', event: { type: 'knowledge', turn: turn.number, chunks, ms } } };
}

/** Answers a topic's question from its articles: the best chunk, or the first when the question names nothing more. */
export async function* answerTopic(talk: Talk, turn: Turn, topic: Topic, question: string): Parts {
  const articles = Array.isArray(topic.knowledge) ? topic.knowledge : undefined;
  const { hits, event } = look(talk, turn, question, articles);
  yield event;
  const chunk = articles ? talk.equipment.knowledge.best(question, articles) : hits[0]?.chunk;
  yield text(chunk ? answerFrom(chunk, question) : talk.word(talk.agent.fallbacks.unknown));
}

/** The answer to a question that is no topic, if an article clearly has it. */
export function answerOf(hits: readonly Hit[], question: string): string | undefined {
  const best = hits[0];
  return best && best.coverage >= ANSWERS ? answerFrom(best.chunk, question) : undefined;
}
