import { type ActionRunner, Actions } from '../actions/actions.js';
import type { AgentDefinition } from '../agents.js';
import { BuiltinSession } from '../dialogue/session.js';
import { KnowledgeIndex } from '../knowledge/search.js';
import type { Reasoner } from '../reasoner.js';
import type { Classifier } from '../topics/classifier.js';
import { trainLinear } from '../topics/linear.js';

/** What a builtin reasoner may be given instead of its own. */
export interface BuiltinOptions {
  /** Says which topic a text is about; trained on the agent's examples by default. */
  classifier?: Classifier;
  /** Runs its actions; for a replay, which must not do again what was done. */
  actions?: ActionRunner;
  /** The wall clock, for dates. */
  now?: () => Date;
}

/** Topics, retrieval and actions of the agent file, without an LLM. Trained and indexed here, once for all calls. */
export function createBuiltin(agent: AgentDefinition, options: BuiltinOptions): Reasoner {
  const now = options.now ?? (() => new Date());
  const equipment = {
    agent,
    now,
    classifier: options.classifier ?? trainLinear(agent.topics.filter(({ examples }) => examples.length > 0)),
    knowledge: new KnowledgeIndex(agent.chunks),
    actions: options.actions ?? new Actions(agent.actions, agent.directory, now, agent.functions),
  };
  // The first caller finds the code compiled.
  for (const topic of agent.topics) {
    equipment.classifier.classify(topic.examples[0] ?? topic.name);
    equipment.knowledge.search(topic.examples[0] ?? topic.name);
  }
  return { open: (context) => new BuiltinSession(equipment, context) };
}
