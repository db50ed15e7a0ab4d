import type { z } from 'zod';
import { nearest } from '../../config/nearest.js';
import type { ActionDefinition } from './actions.js';
import type { EscalationTrigger } from './escalation.js';
import { rootOf } from './paths.js';
import { compileTemplate } from './template.js';
import type { Offer, Response, Topic } from './topics.js';

/** What the checks need to see of an agent file. */
interface Content {
  topics: Topic[];
  actions: ActionDefinition[];
  variables: Record<string, unknown>;
  escalation: { triggers: EscalationTrigger[] };
  fromIvr: { topics: Record<string, string> };
}

type Path = (string | number)[];
type Report = (path: Path, message: string, hint: string) => void;

/** Variables that every call has. */
const GIVEN = ['caller', 'called', 'value', 'length', 'ivr'];

/** Checks what one part of an agent file says of another: names that must exist, values that must come from somewhere. */
export function checkReferences(agent: Content, context: z.core.$RefinementCtx): void {
  const report: Report = (path, message, hint) =>
    context.addIssue({ code: 'custom', path, message, params: { hint }, input: agent });
  checkUnique(agent.topics, 'topics', report);
  checkUnique(agent.actions, 'actions', report);
  checkExamples(agent.topics, report);
  for (const [index, action] of agent.actions.entries()) {
    if (!action.readOnly || !action.sideEffects) continue;
    report(['actions', index, 'readOnly'], `"${action.name}" can't both change something and only read`, 'Drop one.');
  }
  for (const [index, topic] of agent.topics.entries()) checkTopic(agent, topic, ['topics', index], report);
  checkTriggers(agent, report);
  for (const [said, topic] of Object.entries(agent.fromIvr.topics)) {
    if (agent.topics.some(({ name }) => name === topic)) continue;
    const meant = nearest(
      topic,
      agent.topics.map(({ name }) => name),
    );
    const hint = meant ? `Did you mean "${meant}"?` : 'Name one of the topics of this file.';
    report(['fromIvr', 'topics', said], `there is no topic "${topic}"`, hint);
  }
  checkVariables(agent, report);
}

function checkTriggers({ escalation, topics, actions }: Content, report: Report): void {
  const known = { topic: topics.map(({ name }) => name), action: actions.map(({ name }) => name) };
  const check = (kind: keyof typeof known, names: readonly string[], path: Path): void => {
    for (const name of names) {
      if (known[kind].includes(name)) continue;
      report(path, `there is no ${kind} "${name}"`, meant(name, known[kind]));
    }
  };
  escalation.triggers.forEach(({ topic, actionFailed }, index) => {
    const path = ['escalation', 'triggers', index];
    check('topic', topic ?? [], [...path, 'topic']);
    check('action', Array.isArray(actionFailed) ? actionFailed : [], [...path, 'actionFailed']);
  });
}

function checkUnique(list: readonly { name: string }[], key: string, report: Report): void {
  const seen = new Set<string>();
  list.forEach(({ name }, index) => {
    if (seen.has(name)) report([key, index, 'name'], `"${name}" is already used above`, 'Give each its own name.');
    seen.add(name);
  });
}

function checkExamples(topics: readonly Topic[], report: Report): void {
  const owner = new Map<string, string>();
  topics.forEach((topic, index) => {
    topic.examples.forEach((example, at) => {
      const key = example.toLowerCase().trim();
      const other = owner.get(key);
      if (other !== undefined && other !== topic.name) {
        const hint = 'Keep it in the topic that should answer it.';
        report(['topics', index, 'examples', at], `"${example}" is also an example of ${other}`, hint);
      }
      owner.set(key, topic.name);
    });
  });
}

function checkTopic(agent: Content, topic: Topic, path: Path, report: Report): void {
  const answers = topic.say ?? topic.action ?? topic.check;
  if (!answers && !topic.knowledge && !topic.escalate && !topic.end && topic.responses.length === 0) {
    const hint = 'Add one of say, knowledge, action, responses, escalate, end.';
    report([...path, 'name'], `topic "${topic.name}" does nothing`, hint);
  }
  const action = checkAction(agent, topic, topic.action, [...path, 'action'], report);
  checkAction(agent, topic, topic.check?.action, [...path, 'check', 'action'], report);
  if (action?.sideEffects && !topic.confirm) {
    const hint = 'Add "confirm:" with a question that says what will be done.';
    report([...path, 'action'], `${action.name} changes something, and nothing asks the caller first`, hint);
  }
  checkResponses(agent, topic, topic.responses, [...path, 'responses'], report);
  checkResponses(agent, topic, topic.check?.responses ?? [], [...path, 'check', 'responses'], report);
  checkOffer(agent, topic.offer, [...path, 'offer'], report);
  const last = topic.responses.at(-1);
  if (last?.when) {
    const hint = 'Add a last response without "when", for every other outcome.';
    report([...path, 'responses', topic.responses.length - 1, 'when'], 'no response is left when this is false', hint);
  }
}

function checkAction(
  agent: Content,
  topic: Topic,
  name: string | undefined,
  path: Path,
  report: Report,
): ActionDefinition | undefined {
  if (name === undefined) return undefined;
  const action = agent.actions.find((candidate) => candidate.name === name);
  if (!action) {
    report(
      path,
      `there is no action "${name}"`,
      meant(
        name,
        agent.actions.map((candidate) => candidate.name),
      ),
    );
    return undefined;
  }
  const sources = [...topic.slots.map((slot) => slot.name), ...knownVariables(agent)];
  for (const [parameter, { from, required }] of Object.entries(action.parameters)) {
    const root = rootOf(from ?? parameter);
    if (required && !sources.includes(root)) {
      const hint = `Add a slot or a variable "${root}", or write "from:" at the action's parameter.`;
      report(path, `its parameter "${parameter}" is filled by nothing`, hint);
    }
  }
  return action;
}

function checkResponses(agent: Content, topic: Topic, list: readonly Response[], path: Path, report: Report): void {
  const slots = topic.slots.map((slot) => slot.name);
  list.forEach((response, index) => {
    response.askAgain?.forEach((name, at) => {
      if (slots.includes(name)) return;
      report([...path, index, 'askAgain', at], `topic "${topic.name}" has no slot "${name}"`, meant(name, slots));
    });
    checkOffer(agent, response.offer, [...path, index, 'offer'], report);
  });
}

function checkOffer(agent: Content, offer: Offer | undefined, path: Path, report: Report): void {
  const names = agent.topics.map((topic) => topic.name);
  if (offer?.topic === undefined || names.includes(offer.topic)) return;
  report([...path, 'topic'], `there is no topic "${offer.topic}"`, meant(offer.topic, names));
}

function knownVariables(agent: Content): string[] {
  const results = agent.actions.flatMap((action) => (action.result === undefined ? [] : [action.result]));
  return [...Object.keys(agent.variables), ...results, ...GIVEN];
}

/** Every placeholder and condition looks at a variable that something sets. */
function checkVariables(agent: Content, report: Report): void {
  const slots = agent.topics.flatMap((topic) => topic.slots.map((slot) => slot.name));
  const known = new Set([...knownVariables(agent), ...slots]);
  const walk = (value: unknown, path: Path): void => {
    if (path.at(-1) === 'examples' || path[0] === 'actions' || path[0] === 'knowledge') return;
    // Of the environment, which is looked at when a request is made.
    if (path[0] === 'reasoner' && path[1] === 'headers') return;
    for (const root of rootsOf(value)) {
      if (known.has(root)) continue;
      report(
        path,
        `nothing sets "${root}"`,
        `${meant(root, [...known])} What an IVR hands over is declared in "variables".`,
      );
    }
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) walk(child, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  walk(agent, []);
}

function rootsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.includes('{{') ? templateRoots(value) : [];
  if (
    typeof value === 'object' &&
    value !== null &&
    'test' in value &&
    'roots' in value &&
    Array.isArray(value.roots)
  ) {
    return value.roots.map(String);
  }
  return [];
}

function templateRoots(text: string): readonly string[] {
  try {
    return compileTemplate(text).roots;
  } catch {
    return []; // Its own check has reported it.
  }
}

function meant(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  return near ? `Did you mean "${near}"?` : `Known: ${names.join(', ') || 'none'}.`;
}
