import type { AgentDefinition } from './agents.js';
import { render } from './file/template.js';
import type { Topic } from './file/topics.js';

/** The first of what the caller may want that is a topic, or is mapped to one. */
export function topicFromIvr({ fromIvr, topics }: AgentDefinition, wants: readonly string[]): Topic | undefined {
  const known = new Map(topics.map((topic) => [topic.name.toLowerCase(), topic]));
  for (const [said, name] of Object.entries(fromIvr.topics)) {
    const topic = topics.find((one) => one.name === name);
    if (topic) known.set(said.toLowerCase(), topic);
  }
  return wants.map((want) => known.get(want.toLowerCase())).find((topic) => topic !== undefined);
}

/** The greeting for a caller whose wish is known; undefined where the agent has none. */
export function welcome(
  { fromIvr }: AgentDefinition,
  topic: Topic | undefined,
  variables: Record<string, unknown>,
): string | undefined {
  if (fromIvr.greeting === undefined || !topic) return undefined;
  const ivr = { about: topic.about ?? topic.name, ...Object(variables.ivr) };
  return render(fromIvr.greeting, { ...variables, ivr });
}
