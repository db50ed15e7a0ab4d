import type { ChatEndpoint, ChatTool } from '../../../inference/chat/chat.js';
import type { Actions } from '../../actions/actions.js';
import type { AgentDefinition } from '../../agents.js';
import type { LlmReasonerDefinition } from '../../file/reasoner.js';
import type { KnowledgeIndex } from '../../knowledge/search.js';

/** What all conversations of an agent share. */
export interface LlmEquipment {
  agent: AgentDefinition;
  model: LlmReasonerDefinition;
  endpoint: ChatEndpoint;
  tools: readonly ChatTool[];
  actions: Actions;
  knowledge: KnowledgeIndex;
}
