import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Phone } from './kit/phone.js';
import { scratchFolder } from './kit/scratch.js';
import { Server } from './kit/server.js';
import { until } from './kit/until.js';

/** What an agent of this version says. */
const agentOf = (version: string) => ({
  name: 'desk',
  greeting: `This is version ${version}.`,
  topics: [
    {
      name: 'hours',
      examples: ['what are your opening hours', 'when are you open', 'when do you close', 'are you open today'],
      say: `We are open, says version ${version}.`,
    },
  ],
});

/** How the files say that calls are to be taken, and what becomes of that while the server runs. */
describe('configuration', () => {
  let server: Server;
  let folder: ReturnType<typeof scratchFolder>;
  const write = (name: string, content: unknown) =>
    writeFileSync(join(folder.path, name), typeof content === 'string' ? content : JSON.stringify(content));

  beforeAll(async () => {
    folder = scratchFolder('dialplan');
    for (const made of ['agents', 'dialplans']) mkdirSync(join(folder.path, made));
    write('agents/desk.yaml', agentOf('one'));
    write('dialplans/main.yaml', [{ name: 'desk', match: { to: '1' }, answer: { agent: 'desk' } }]);
    write('parley.yaml', {});
    server = await Server.start({ cwd: folder.path });
  });

  afterEach(async () => {
    await server.waitForIdle();
    expect(server.noise).toEqual([]);
  });

  afterAll(async () => {
    await server?.stop();
    folder?.remove();
  });

  const state = async () => JSON.parse(await server.get('/v1/reload'));
  const said = (phone: Phone) =>
    server.journal(phone.callId).flatMap((event) => (event.type === 'agent.turn' ? [event.planned] : []));

  it('a changed file holds for new calls, a bad one for none, and a call keeps what it began with', async () => {
    const before = await state();
    const old = await Phone.dial(server, '1');
    await old.greeted();
    write('agents/desk.yaml', agentOf('two'));
    write('dialplans/more.yaml', [{ name: 'new', match: { to: '2' }, answer: { agent: 'desk' } }]);
    const after = await until('the new files', async () => {
      const now = await state();
      return now.agents[0].version !== before.agents[0].version && now.dialplans.length === 2 && now;
    });
    const fresh = await Phone.dial(server, '2');
    await fresh.greeted();
    expect(await server.event('call.received', { sipCallId: fresh.callId })).toMatchObject({
      versions: { agent: after.agents[0].version, dialplan: after.dialplan },
    });

    write('agents/desk.yaml', 'name: desk\ngreting: Hello.\n');
    await until('complaint', () => server.log.find(({ code }) => code === 'PARLEY_ERR_RELOAD'));
    process.kill(server.pid, 'SIGHUP');
    const answer = await fetch(`${server.http}/v1/reload`, { method: 'POST' });
    expect(answer.status).toBe(422);
    const { code, problems } = (await answer.json()) as { code: string; problems: { message: string; mend: string }[] };
    expect(code).toBe('PARLEY_ERR_RELOAD');
    expect(problems.map(({ message, mend }) => `${message} ${mend}`).join()).toMatch(
      /desk\.yaml:2: greting: .*Did you mean "greeting"/,
    );
    expect(await server.get('/metrics')).toContain('parley_reload_refused 1');
    expect((await state()).agents).toEqual(after.agents);
    expect(server.log.filter((line) => line.code === 'PARLEY_ERR_RELOAD')).toHaveLength(problems.length);

    for (const phone of [old, fresh]) await phone.ask('What are your opening hours?');
    await Promise.all([old.hangUp(), fresh.hangUp()]);
    await server.waitForIdle();
    expect(said(old)).toEqual(['This is version one.', 'We are open, says version one.']);
    expect(said(fresh)).toEqual(['This is version two.', 'We are open, says version two.']);
    await Promise.all([old.close(), fresh.close()]);

    write('agents/desk.yaml', agentOf('one'));
    rmSync(join(folder.path, 'dialplans/more.yaml'));
    process.kill(server.pid, 'SIGHUP');
    await until('all as before', async () => (await state()).dialplan === before.dialplan);
    expect(await server.get('/metrics')).toContain('parley_reload_refused 0');
    write('parley.yaml', { limits: { calls: 7 } });
    await until('warning', () => server.log.find(({ msg }) => msg?.includes('restart to use it')));
    expect((await state()).restartNeeded).toBe(true);
  });
});
