import { describe, expect, it } from 'vitest';
import { Actions } from './agent/actions/actions.js';
import { loadAgents } from './agent/agents.js';
import { ConfigProblems } from './config/problems.js';
import { createParley, type ParleyOptions } from './create-parley.js';
import { Dialplan } from './dialplan/dialplan.js';

const hello = { name: 'hello', greeting: 'Hello.' };

async function problemsOf(options: ParleyOptions): Promise<string> {
  return createParley({ settings: { log: { level: 'silent' } }, ...options }).then(
    () => '',
    (error: unknown) => (error instanceof ConfigProblems ? error.message : Promise.reject(error)),
  );
}

describe('what a program gives in place of files', () => {
  it('is checked as they are, and faults are named by their option', async () => {
    const settings = { sip: { prot: 1 } } as ParleyOptions['settings'];
    expect(await problemsOf({ settings })).toMatch(/settings: sip\.prot: is not a known key\n +Did you mean "port"/);
    expect(await problemsOf({ agents: [hello, { ...hello, name: 'Bad name' }] })).toMatch(/agents\[1\]: name: /);
    expect(await problemsOf({ agents: [hello, hello] })).toMatch(/"hello" is already the agent of agents\[0\]/);
    const dialplan = [{ name: 'x', default: true, answer: { agent: 'hullo' } }];
    expect(await problemsOf({ agents: [hello], dialplan })).toMatch(/dialplan: \[0\]\.answer\.agent: .*"hullo"/);
  });

  it('has a function for each action that asks for one', async () => {
    const agents = [{ ...hello, actions: [{ name: 'findOrder', type: 'function' as const }] }];
    expect(await problemsOf({ agents, actions: {} })).toMatch(/actions\[0\]: there is no function "findOrder"/);
    const found = loadAgents(agents, { findOrder: (given) => ({ ...given, found: true, when: new Date(0) }) });
    const agent = found.get('hello');
    const actions = new Actions(agent?.actions ?? [], '.', () => new Date(), agent?.functions);
    const outcome = await actions.run('findOrder', {}, new AbortController().signal);
    expect(outcome).toMatchObject({ ok: true, result: { found: true, when: '1970-01-01T00:00:00.000Z' } });
  });

  it('may be dialplan entries, which decide as a file does', () => {
    const plan = Dialplan.load([{ name: 'desk', match: { to: '80XX' }, answer: { agent: 'hello' } }]);
    const facts = { from: '1', source: '127.0.0.1', headers: () => undefined };
    expect(plan.match({ ...facts, to: '8042' })).toMatchObject({ entry: 'program#desk', action: { agent: 'hello' } });
    expect(plan.match({ ...facts, to: '9000' })).toBeUndefined();
  });
});
