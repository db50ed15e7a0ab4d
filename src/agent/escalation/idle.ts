import type { AgentDefinition } from '../agents.js';
import { render } from '../file/template.js';

/** When silence sends a caller to a person, by the agent file's triggers; the first of them counts. */
export function idleHandOver({ escalation }: AgentDefinition) {
  const silent = escalation.triggers.flatMap(({ noInput, ...trigger }) =>
    noInput === undefined ? [] : [{ ...trigger, after: noInput }],
  );
  const [first] = silent.sort((a, b) => a.after - b.after);
  if (!first) return undefined;
  const { name: trigger, after, priority, target = escalation.target ?? '', message } = first;
  return { after, say: render((message ?? escalation.message)[0] ?? '', {}), target, trigger, priority };
}
