import { warmChat } from '../../../inference/chat/chat.js';
import { Actions } from '../../actions/actions.js';
import type { AgentDefinition } from '../../agents.js';
import type { LlmReasonerDefinition } from '../../file/reasoner.js';
import { renderRaw } from '../../file/template.js';
import { KnowledgeIndex } from '../../knowledge/search.js';
import type { Reasoner } from '../../reasoner.js';
import type { LlmEquipment } from './equipment.js';
import { LlmSession } from './session.js';
import { toolsOf } from './tools.js';

/** A language model behind an OpenAI-compatible API answers, with the agent's actions as its tools and its articles at hand. */
export function createLlm(agent: AgentDefinition, model: LlmReasonerDefinition, now: () => Date): Reasoner {
  const headers = Object.fromEntries(
    Object.entries(model.headers).map(([name, value]) => [
      name,
      renderRaw(value, { env: process.env }, (text) => text.replace(/[\r\n]/g, ' ')),
    ]),
  );
  const equipment: LlmEquipment = {
    agent,
    model,
    endpoint: { url: model.url, model: model.model, headers, timeoutMs: model.timeoutMs },
    tools: toolsOf(agent),
    actions: new Actions(agent.actions, agent.directory, now, agent.functions),
    knowledge: new KnowledgeIndex(agent.chunks),
  };
  void warmChat(equipment.endpoint);
  return { open: (context) => new LlmSession(equipment, context) };
}
