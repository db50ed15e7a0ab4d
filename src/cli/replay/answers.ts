import type { ActionOutcome, ActionRunner } from '../../agent/actions/actions.js';
import type { AgentDefinition } from '../../agent/agents.js';
import { createReasoner } from '../../agent/create.js';
import type { ActionDefinition } from '../../agent/file/actions.js';
import { ParleyError } from '../../errors.js';
import type { StoredEvent } from '../../journal/events.js';

/** One answer as it was, and as the agent file has it now. */
export interface Answered {
  turn: number;
  text: string;
  was: { topic: string; said: string };
  now: { topic: string; said: string };
  differs: boolean;
}

/**
 * Gives the caller's turns to the agent once more. Actions are not run again: each gives what it gave in the call, in
 * order, or fails where the call did not come to it.
 *
 * @param now the wall clock of the call, for dates
 */
export async function answerAgain(
  events: readonly StoredEvent[],
  agent: AgentDefinition,
  now: Date,
): Promise<Answered[]> {
  const variables = Object.fromEntries(
    events.flatMap((event) =>
      event.type === 'call.received'
        ? [
            ['caller', event.from],
            ['called', event.to],
          ]
        : [],
    ),
  );
  const actions = new RecordedActions(agent.actions, events);
  const session = createReasoner(agent, { actions, now: () => now }).open({
    call: 'replay',
    channel: 'voice',
    variables,
  });
  session.heard(0, session.greeting(), false);
  const answers: Answered[] = [];
  for (const event of events) {
    if (event.type !== 'caller.turn') continue;
    const { turn, text, from } = event;
    const reply = events.findLast(
      (other) => other.type === 'agent.turn' && other.turn === turn && other.kind === 'reply',
    );
    if (reply?.type !== 'agent.turn') continue;
    let said = '';
    let topic = '';
    for await (const part of session.respond({ turn, text, from }, new AbortController().signal)) {
      if (part.type === 'text') said += part.text;
      if (part.type === 'event' && part.event.type === 'topic') topic ||= part.event.topic;
    }
    const was = { topic: topicOf(events, turn), said: reply.planned };
    const again = { topic, said: said.trim() };
    answers.push({ turn, text, was, now: again, differs: squeezed(was.said) !== squeezed(again.said) });
    session.heard(turn, reply.heard, reply.interrupted);
  }
  session.close();
  return answers;
}

class RecordedActions implements ActionRunner {
  private readonly results: (StoredEvent & { type: 'action.returned' })[];

  constructor(
    private readonly definitions: readonly ActionDefinition[],
    events: readonly StoredEvent[],
  ) {
    this.results = events.filter((event) => event.type === 'action.returned');
  }

  get(name: string): ActionDefinition | undefined {
    return this.definitions.find((definition) => definition.name === name);
  }

  run(name: string): Promise<ActionOutcome> {
    const at = this.results.findIndex(({ action }) => action === name);
    const [found] = at < 0 ? [] : this.results.splice(at, 1);
    if (found?.ok) return Promise.resolve({ ok: true, result: found.result, ms: found.ms });
    const reason = found?.error ?? 'the recorded call did not run it';
    const error = new ParleyError('PARLEY_ERR_ACTION_FAILED', { action: name, reason });
    return Promise.resolve({ ok: false, error, ms: found?.ms ?? 0 });
  }
}

function topicOf(events: readonly StoredEvent[], turn: number): string {
  const event = events.find((other) => other.type === 'topic' && other.turn === turn);
  return event?.type === 'topic' ? event.topic : '';
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
