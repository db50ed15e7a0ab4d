import type { AgentDefinition } from './agents.js';
import { escalating } from './escalation/session.js';
import type { Reasoner } from './reasoner.js';
import { type BuiltinOptions, createBuiltin } from './reasoners/builtin.js';
import { createLlm } from './reasoners/llm/llm.js';

/** What reasoners may be given by whoever creates them. */
export type ReasonerOptions = BuiltinOptions;

/** The reasoner that an agent file names, warm: everything that can be prepared has been when this returns. */
export function createReasoner(agent: AgentDefinition, options: ReasonerOptions = {}): Reasoner {
  return escalating(agent, engineOf(agent, options));
}

function engineOf(agent: AgentDefinition, options: ReasonerOptions): Reasoner {
  switch (agent.reasoner.type) {
    case 'builtin':
      return createBuiltin(agent, options);
    case 'llm':
      return createLlm(agent, agent.reasoner, options.now ?? (() => new Date()));
  }
}
