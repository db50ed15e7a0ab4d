import type { ChatTool } from '../../../inference/chat/chat.js';
import type { AgentDefinition } from '../../agents.js';
import type { ActionDefinition } from '../../file/actions.js';

/** Tools that every agent has. */
export const TRANSFER = 'transfer_to_person';
export const END_CALL = 'end_call';

/** What the model may call: the agent's actions, a person where there is one, and the end of the call. */
export function toolsOf({ actions, escalation }: AgentDefinition): ChatTool[] {
  const person: ChatTool[] =
    escalation.target === undefined
      ? []
      : [tool(TRANSFER, 'Hands the caller to a person, when they ask for one or you cannot help.', { reason: REASON })];
  const end = tool(END_CALL, 'Ends the call after what you have said, when the caller has said goodbye.', {
    reason: REASON,
  });
  return [...actions.map(actionTool), ...person, end];
}

const REASON = { type: 'string', description: 'A few words.' };

/** Parameters that are filled from a variable are none of the model's business. */
function actionTool({ name, description, parameters, sideEffects }: ActionDefinition): ChatTool {
  const asked = Object.entries(parameters).filter(([, { from }]) => from === undefined);
  const properties = Object.fromEntries(
    asked.map(([key, { type, description: what }]) => [key, { type, description: what }]),
  );
  const required = asked.filter(([, parameter]) => parameter.required).map(([key]) => key);
  const careful = sideEffects ? ' Say what will be done and get a yes from the caller before you call it.' : '';
  return tool(name, description + careful, properties, required);
}

function tool(
  name: string,
  description: string,
  properties: Record<string, unknown>,
  required: readonly string[] = [],
): ChatTool {
  return { name, description, parameters: { type: 'object', properties, required } };
}
