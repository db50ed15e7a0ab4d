import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Desk } from './kit/desk.js';
import { DnsServer } from './kit/dns-server.js';
import { fixture } from './kit/fixture.js';
import { Phone } from './kit/phone.js';
import { scratchFolder } from './kit/scratch.js';
import { assertComplete, Server } from './kit/server.js';
import { speak } from './kit/speech.js';
import { until } from './kit/until.js';

const PASSWORD = 'correct-horse';
/** A language model that nobody serves. */
const NOBODY = 'http://127.0.0.1:9/v1';

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
describe.concurrent('configuration', () => {
  let server: Server;
  let folder: ReturnType<typeof scratchFolder>;
  let desk: Desk;
  const write = (name: string, content: unknown) =>
    writeFileSync(join(folder.path, name), typeof content === 'string' ? content : JSON.stringify(content));

  fixture(async (keep) => {
    folder = keep(scratchFolder('dialplan'));
    for (const made of ['agents', 'dialplans']) mkdirSync(join(folder.path, made));
    desk = keep(await Desk.open());
    write('agents/desk.yaml', agentOf('one'));
    write('agents/llm.yaml', {
      name: 'llm',
      greeting: 'Hello.',
      reasoner: { type: 'llm', url: NOBODY, model: 'none', prompt: 'Help.' },
    });
    write('agents/mute.yaml', { name: 'mute', greeting: 'Hello.', voice: { engine: 'none' } });
    const answer = { agent: 'desk', record: true };
    const ask = 'May we record this call?';
    write('dialplans/main.yaml', [
      { name: 'desk', match: { to: '1' }, answer: { agent: 'desk' } },
      { name: 'consent', match: { to: '3' }, answer: { ...answer, consent: { ask } } },
      {
        name: 'or-else',
        match: { to: '4' },
        answer: {
          ...answer,
          notice: 'Hello there.',
          consent: { ask, refused: { transfer: 'anna', otherwise: 'Sorry.' } },
        },
      },
      { name: 'llm', match: { to: '5' }, answer: { agent: 'llm' }, fallback: { say: 'One moment.', target: 'anna' } },
      { name: 'mute', match: { to: '6' }, answer: { agent: 'mute' }, fallback: { redirect: desk.uri('gate') } },
      { name: 'mute-too', match: { to: '7' }, answer: { agent: 'mute' }, fallback: { target: 'anna' } },
      { name: 'tenant', priority: 1, match: { trunk: 'carrier' }, answer: { agent: 'tenant' } },
      { name: 'busy', match: { to: '8' }, reject: { status: 486, reason: 'All lines are busy' } },
    ]);
    write('agents/tenant.yaml', {
      name: 'tenant',
      greeting: 'Account {{account}}.',
      variables: { account: { default: 'nobody' } },
      escalation: { target: 'outside', message: 'One moment.', failedMessage: 'Sorry.' },
    });
    const dns = keep(await DnsServer.start());
    dns.records.push({ name: 'carrier.test', type: 'A', address: '127.0.0.2' });
    const trunk = {
      name: 'carrier',
      hosts: ['carrier.test'],
      transport: 'udp',
      inbound: { username: 'carrier', password: PASSWORD },
      calls: 2,
      overflow: { uri: desk.uri('overflow') },
      headers: {
        in: { 'X-Account': 'account' },
        out: { 'X-Tenant': 'of {{account}}, {{caller}}', 'X-None': '{{none}}' },
      },
      outbound: { host: `127.0.0.1:${desk.port}`, username: 'parley', password: 'secret' },
    };
    const outside = { number: '030123', trunk: 'carrier', accept: 'answer', briefing: false };
    const anna = { uri: desk.uri('anna'), accept: 'answer', briefing: false };
    write('parley.yaml', {
      sip: { dnsServers: [dns.address] },
      trunks: [trunk],
      targets: { anna, outside },
      conversation: { failures: 1 },
    });
    server = await Server.start({ cwd: folder.path });
    return server;
  });

  const versionOf = ({ agents }: { agents: { name: string; version: string }[] }) =>
    agents.find(({ name }) => name === 'desk')?.version;
  const state = async () => JSON.parse(await server.get('/v1/reload'));
  const said = (phone: Phone) =>
    server.journal(phone.callId).flatMap((event) => (event.type === 'agent.turn' ? [event.planned] : []));

  const types = (phone: Phone) => server.journal(phone.callId).map(({ type }) => type);

  /** The journal of a call that is over. */
  async function closed(phone: Phone) {
    await phone.close();
    await server.event('call.ended', { sipCallId: phone.callId });
    const events = server.journal(phone.callId);
    assertComplete(events);
    return events;
  }

  it('records who said yes, and nobody else', async () => {
    await using yes = await Phone.dial(server, '3');
    await yes.greeted();
    await yes.rtp.play(await speak('Yes, please.'));
    expect(await server.event('consent', { sipCallId: yes.callId })).toMatchObject({ outcome: 'given', by: 'voice' });
    await server.event('recording.started', { sipCallId: yes.callId });
    await yes.rtp.spoken(performance.now());
    const events = await closed(yes);
    expect(types(yes).indexOf('consent')).toBeLessThan(types(yes).indexOf('recording.started'));
    expect(events).toContainEqual(expect.objectContaining({ type: 'agent.turn', kind: 'greeting' }));

    await using no = await Phone.dial(server, '3');
    await no.rtp.spoken(0, 300);
    no.rtp.press('2');
    await server.event('agent.started', { sipCallId: no.callId, where: ({ utterance }) => utterance.startsWith('r') });
    const { call } = await server.event('call.received', { sipCallId: no.callId });
    const resume = { method: 'POST', body: JSON.stringify({ action: 'resume' }) };
    expect((await fetch(`${server.http}/v1/calls/${call}/recording`, resume)).status).toBe(409);
    await closed(no);
    expect(types(no)).toContain('consent');
    expect(types(no)).not.toContain('recording.started');
  });

  it('sends who says no to a person, and says so when nobody is there', async () => {
    await using phone = await Phone.dial(server, '4', { name: 'four' });
    await phone.rtp.spoken(0);
    phone.rtp.press('2');
    (await desk.called('anna', 'four')).refuse(486, 'Busy Here');
    await until('BYE', () => phone.call.ended);
    const events = await closed(phone);
    expect(said(phone)).toEqual(['Hello there.', 'May we record this call?', 'Sorry.']);
    expect(events.at(-1)).toMatchObject({ by: 'agent', reason: 'nobody took the call' });
  });

  it('has the fallback take the call when the reasoner, or the voice, can not be had', async () => {
    await using phone = await Phone.dial(server, '5', { name: 'five' });
    await phone.greeted();
    await phone.rtp.play(await speak('What are your opening hours?'));
    const call = await desk.called('anna', 'five');
    await call.answer();
    await server.event('transfer.bridged', { sipCallId: phone.callId });
    await phone.hangUp();
    expect(await closed(phone)).toContainEqual(expect.objectContaining({ type: 'fallback', to: 'anna' }));
    expect(said(phone)).toContain('One moment.');

    await using redirected = await Phone.invite(server, '6');
    const answer = await redirected.call.final();
    expect([answer.status, answer.header('contact')]).toEqual([302, `<${desk.uri('gate')}>`]);
    expect(await closed(redirected)).toContainEqual(
      expect.objectContaining({ type: 'fallback', to: desk.uri('gate') }),
    );

    await using mute = await Phone.dial(server, '7', { name: 'seven' });
    await (await desk.called('anna', 'seven')).answer();
    await server.event('transfer.bridged', { sipCallId: mute.callId });
    await mute.hangUp();
    expect(await closed(mute)).toContainEqual(expect.objectContaining({ type: 'fallback', to: 'anna' }));

    await using busy = await Phone.invite(server, '8');
    expect((await busy.call.final()).start).toBe('SIP/2.0 486 All lines are busy');
    await closed(busy);
  });

  it('a trunk shows its password, has so many calls, and headers go both ways', async () => {
    const by = (...headers: string[]) => Phone.invite(server, '1', { headers, host: '127.0.0.2' });
    await using stranger = await by();
    const challenge = await stranger.call.final();
    expect(challenge.status).toBe(401);
    const nonce = /nonce="([^"]+)"/.exec(challenge.header('www-authenticate'))?.[1] ?? '';
    const uri = `sip:1@${server.sip.host}:${server.sip.port}`;
    const shown = (count: number, password = PASSWORD) => {
      const nc = String(count).padStart(8, '0');
      const hash = (text: string) => createHash('sha256').update(text).digest('hex');
      const secret = hash(`carrier:parley:${password}`);
      const response = hash(`${secret}:${nonce}:${nc}:c:auth:${hash(`INVITE:${uri}`)}`);
      return `Authorization: Digest username="carrier", realm="parley", nonce="${nonce}", uri="${uri}", algorithm=SHA-256, qop=auth, nc=${nc}, cnonce="c", response="${response}"`;
    };
    await using wrong = await by(shown(1, 'another-password'));
    expect((await wrong.call.final()).status).toBe(401);

    await using phone = await by(shown(2), 'X-Account: 77');
    phone.rtp.start((await phone.call.answered()).body);
    expect(await server.event('call.received', { sipCallId: phone.callId })).toMatchObject({ trunk: 'carrier' });
    await phone.rtp.spoken(0, 300);
    phone.rtp.press('0');
    const call = await desk.called('030123');
    expect(call.invite.get('x-tenant')).toBe('of 77, kit');
    expect(call.invite.get('x-none')).toBe('');
    await call.challenge('parley', 'secret');
    expect(call.invite.get('x-tenant')).toBe('of 77, kit');
    await call.answer();
    await server.event('transfer.bridged', { sipCallId: phone.callId });

    await using more = await by(shown(3));
    const full = await more.call.final();
    expect([full.status, full.header('contact')]).toEqual([302, `<${desk.uri('overflow')}>`]);
    await phone.hangUp();
    await closed(phone);
    expect(said(phone)[0]).toBe('Account 77.');
    await using next = await by(shown(4));
    next.rtp.start((await next.call.answered()).body);
    await next.hangUp();
    await closed(next);
  });

  it('a changed file holds for new calls, a bad one for none, and a call keeps what it began with', async () => {
    const before = await state();
    await using old = await Phone.dial(server, '1');
    await old.greeted();
    write('agents/desk.yaml', agentOf('two'));
    write('dialplans/more.yaml', [{ name: 'new', match: { to: '2' }, answer: { agent: 'desk' } }]);
    const after = await until('the new files', async () => {
      const now = await state();
      return versionOf(now) !== versionOf(before) && now.dialplans.length === 2 && now;
    });
    await using fresh = await Phone.dial(server, '2');
    await fresh.greeted();
    expect(await server.event('call.received', { sipCallId: fresh.callId })).toMatchObject({
      versions: { agent: versionOf(after), dialplan: after.dialplan },
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

    await Promise.all([old, fresh].map((phone) => phone.ask('What are your opening hours?')));
    await Promise.all([old.hangUp(), fresh.hangUp()]);
    for (const phone of [old, fresh]) await closed(phone);
    expect(said(old)).toEqual(['This is version one.', 'We are open, says version one.']);
    expect(said(fresh)).toEqual(['This is version two.', 'We are open, says version two.']);

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
