import { buildVocabulary, type Vocabulary } from '../speech/recognition/vocabulary.js';
import type { AgentDefinition } from './agents.js';

/**
 * What callers of this agent can be expected to say: its own list first, then how its topics are asked for, the
 * choices it offers, and what its actions, topics and articles are called.
 */
export function agentVocabulary(agent: AgentDefinition): Vocabulary {
  const slots = agent.topics.flatMap((topic) => topic.slots);
  return buildVocabulary([
    ...agent.vocabulary,
    ...slots.flatMap(({ choices }) => Object.entries(choices ?? {}).flatMap(([value, said]) => [value, ...said])),
    ...agent.topics.flatMap((topic) => topic.examples),
    ...agent.interruption.stopWords,
    ...[...agent.topics, ...agent.actions].map(({ name }) => named(name)),
    ...agent.chunks.flatMap(({ article, headings }) => [named(article), ...headings]),
  ]);
}

/** `order-status` and `orderStatus` are said as two words. */
function named(name: string): string {
  return name.replace(/[-_]+/g, ' ').replace(/(?<=[a-z\d])(?=[A-Z])/g, ' ');
}
