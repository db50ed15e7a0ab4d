import type { AgentDefinition } from './agents.js';
import { escalating } from './escalation/session.js';
import type { Reasoner } from './reasoner.js';
import { type BuiltinOptions, createBuiltin } from './reasoners/builtin.js';

/** What reasoners may be given by whoever creates them. */
export type ReasonerOptions = BuiltinOptions;

/** The reasoner that an agent file names, warm: everything that can be prepared has been when this returns. */
export function createReasoner(agent: AgentDefinition, options: ReasonerOptions = {}): Reasoner {
  return escalating(agent, engineOf(agent, options));
}

function engineOf(agent: AgentDefinition, options: ReasonerOptions): Reasoner {
  switch (agent.reasoner) {
    case 'builtin':
      return createBuiltin(agent, options);
  }
}
