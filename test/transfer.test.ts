import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { transcript } from '../src/journal/transcript.js';
import { summaryOf } from '../src/sip/trace/ladder.js';
import type { TracedMessage } from '../src/sip/trace/traces.js';
import { Baresip } from './kit/baresip.js';
import { Desk, type DeskCall } from './kit/desk.js';
import { fixture } from './kit/fixture.js';
import { Phone } from './kit/phone.js';
import { toSound } from './kit/rtp-peer.js';
import { freePort, scratchFolder } from './kit/scratch.js';
import { assertComplete, Server } from './kit/server.js';
import { runSipp, sippPeople } from './kit/sipp.js';
import { speak, transcribe } from './kit/speech.js';
import { until } from './kit/until.js';
import { type Sound, silence } from './kit/wav.js';

/** The number that is dialled names the target: each has an agent of its own, who hands over at key 0. */
const NUMBERS: Record<string, string> = {
  '1': 'anna',
  '2': 'hunt',
  '3': 'voice',
  '4': 'refer',
  '5': 'attended',
  '6': 'all',
  '7': 'nobody',
  '8': 'back',
  '10': 'others',
  '11': 'softphone',
  '12': 'colleague',
  '13': 'carrier',
};
const PASSWORD = 'correct-horse';

/** A caller of the kit, telephones of people on the other side, and Parley between them. */
describe.concurrent('handing a call to a person', () => {
  let server: Server;
  let desk: Desk;
  let sippPort: number;
  let callers = 0;

  fixture(async (keep) => {
    const folder = keep(scratchFolder('transfer'));
    desk = keep(await Desk.open());
    sippPort = await freePort();
    const sipp = (user: string, more: object = {}) => ({ uri: `sip:${user}@127.0.0.1:${sippPort}`, ...more });
    const at = (user: string, more: object = {}) => ({ uri: desk.uri(user), ringMs: 20_000, ...more });
    const targets = {
      anna: at('anna', { name: 'Anna', context: { json: true } }),
      bert: at('bert', { accept: 'answer', briefing: false, introduction: 'Here is {{name}}.', name: 'Bert' }),
      hunt: { hunt: ['anna', 'bert'], fallback: ['later'] },
      all: { hunt: ['anna', 'bert'], order: 'simultaneous' },
      voice: at('carla', { accept: 'voice', extension: 'w12', voicemailMs: 3000 }),
      refer: at('dora', { method: 'refer' }),
      attended: at('emil', { method: 'attended', accept: 'answer', briefing: false }),
      back: at('fred', { accept: 'answer', briefing: false, afterwards: 'agent' }),
      busy: sipp('busy'),
      declines: sipp('declines'),
      silent: sipp('silent', { ringMs: 1000 }),
      quits: sipp('quits'),
      answers: sipp('answers', { name: 'Sipp' }),
      others: { hunt: ['busy', 'declines', 'silent', 'quits', 'answers'] },
      colleague: { agent: 'carrier' },
      carrier: { number: '+4930456', trunk: 'carrier', accept: 'answer', briefing: false },
      softphone: { user: '202', name: 'Barbara' },
      later: { callback: { message: 'We will call you back.' } },
      nobody: at('gustav', { hours: { open: [{ days: 'mon-sun', from: '00:00', to: '24:00' }], holidays: YEAR } }),
    };
    const agents = join(folder.path, 'agents');
    const dialplans = join(folder.path, 'dialplans');
    for (const made of [agents, dialplans]) mkdirSync(made);
    for (const target of Object.values(NUMBERS)) {
      writeFileSync(
        join(agents, `${target}.yaml`),
        JSON.stringify({ ...AGENT, name: target, escalation: { ...AGENT.escalation, target } }),
      );
    }
    const entries = [
      ...Object.entries(NUMBERS).map(([to, agent]) => ({
        name: agent,
        match: { to },
        answer: { agent, context: { trust: agent === 'refer' } },
      })),
      { name: 'moved', match: { to: '9' }, redirect: { target: 'all' } },
    ];
    writeFileSync(join(dialplans, 'all.yaml'), JSON.stringify(entries));
    const config = join(folder.path, 'parley.yaml');
    const outbound = { host: `127.0.0.1:${desk.port}`, username: 'parley', password: PASSWORD };
    const trunks = [{ name: 'carrier', networks: ['192.0.2.0/24'], outbound }];
    const users = [{ name: '202', password: PASSWORD, algorithms: ['MD5'] }];
    writeFileSync(config, JSON.stringify({ agents, dialplans, targets, trunks, sip: { users } }));
    server = await Server.start({ args: ['-c', config] });
    return server;
  });

  /** The trace has the SIP of both legs, and no credentials. */
  async function expectLadder(call: string): Promise<void> {
    const { messages } = JSON.parse(await server.get(`/v1/calls/${call}/sip`)) as { messages: TracedMessage[] };
    const legs = [...new Set(messages.map(({ leg }) => leg))];
    expect(legs).toHaveLength(2);
    expect(legs[0]).toBe('caller');
    const said = (leg: string | undefined) =>
      messages.filter((message) => message.leg === leg).map(({ out, text }) => `${out ? '>' : '<'} ${summaryOf(text)}`);
    const sequence = (...expected: RegExp[]) => new RegExp(expected.map(({ source }) => source).join('[^]*'));
    expect(said('caller').join('\n')).toMatch(sequence(/< INVITE \[/, /> 100/, /> 200 OK \[/, /< ACK/, /BYE/));
    const challenged = sequence(
      /> INVITE \[/,
      /< 407/,
      /> ACK/,
      /> INVITE \[/,
      /< 200 OK \[/,
      /> ACK/,
      /> BYE/,
      /< 200/,
    );
    expect(said(legs[1]).join('\n')).toMatch(challenged);
    expect(messages.some(({ text }) => text.includes('Proxy-Authorization: ***'))).toBe(true);
    expect(JSON.stringify(messages)).not.toContain('response=');
  }

  /** Calls, by a name of its own, and hears the greeting. */
  async function greeted(number: string, headers: readonly string[] = []): Promise<Phone> {
    const phone = await Phone.dial(server, number, { name: `kit${++callers}`, headers });
    await phone.rtp.spoken(0, 300);
    return phone;
  }

  /** Calls, and asks for a person. */
  async function handedOver(number: string): Promise<Phone> {
    const phone = await greeted(number);
    phone.rtp.press('0');
    return phone;
  }

  /** The next call to somebody for this caller. */
  const called = (user: string, phone: Phone): Promise<DeskCall> => desk.called(user, phone.peer.name);

  /** Waits until the call is over, and has its whole journal. */
  async function ended(phone: Phone) {
    await phone.close();
    await server.event('call.ended', { sipCallId: phone.callId });
    return journal(phone);
  }

  function journal(phone: Phone) {
    const events = server.journal(phone.callId);
    assertComplete(events);
    return events;
  }

  const dispositions = (phone: Phone) =>
    journal(phone).flatMap((event) =>
      event.type === 'transfer.attempt' ? [`${event.target} ${event.disposition}`] : [],
    );
  const bridged = (phone: Phone) => server.event('transfer.bridged', { sipCallId: phone.callId });

  it('carries what the caller told to the phone and into the briefing, and the transcript goes on', async () => {
    await using phone = await greeted('1');
    await phone.ask('I would like to report a broken lamp.');
    for (const digits of ['482715', '2468', '77']) {
      const since = performance.now();
      for (const digit of digits) {
        phone.rtp.press(digit);
        await phone.rtp.play({ pcm: new Int16Array(1600), sampleRate: 8000 });
      }
      // After the last, there is music.
      if (digits !== '77') await phone.rtp.spoken(since, 500);
    }
    const call = await called('anna', phone);
    call.ring();
    const { invite } = call;
    expect(invite.get('from')).toMatch(new RegExp(`^"Kit" <sip:${phone.peer.name}@`));
    expect(invite.get('p-asserted-identity')).toMatch(new RegExp(`^<sip:${phone.peer.name}@`));
    expect(invite.get('subject')).toMatch(/482715.*2468.*77/);
    expect(invite.get('diversion')).toMatch(/<sip:1@127\.0\.0\.1/);
    expect(invite.get('history-info')).toContain('index=1.1');
    const [, hex = ''] = /^([0-9a-f]+);encoding=hex$/.exec(invite.get('user-to-user')) ?? [];
    const facts = { orderNumber: '482715', lampNumber: '2468', house: '77' };
    expect(JSON.parse(Buffer.from(hex, 'hex').toString())).toMatchObject({ topic: 'broken', facts });
    expect(invite.get('content-type')).toMatch(/^multipart\/mixed/);
    expect(invite.text.length).toBeLessThan(8000);
    await call.answer();
    await call.rtp?.spoken(0, 1500);
    call.rtp?.press('1');
    await bridged(phone);
    const caller = performance.now();
    await phone.rtp.play(await speak('Can you hear me now?'));
    await call.rtp?.play(await speak('Yes, this is the repair department.'));
    await server.event('person.turn', { sipCallId: phone.callId });
    expect(await transcribe(toSound(call.rtp!.heard.filter(({ at }) => at > caller)))).toMatch(/hear me/i);
    expect(await transcribe(toSound(phone.rtp.heard.filter(({ at }) => at > caller)))).toMatch(/department/i);
    await phone.hangUp();
    await until('BYE at the desk', () => call.ended === 'bye');
    await ended(phone);
    const events = journal(phone);
    const briefed = events.find((event) => event.type === 'transfer.briefing');
    for (const fact of Object.values(facts))
      expect(briefed?.type === 'transfer.briefing' && briefed.text).toContain(fact);
    const lines = transcript(events).map(({ who, name, text }) => `${name ?? who}: ${text}`);
    expect(lines.join('\n')).toMatch(/caller: .*hear me[\s\S]*Anna: .*repair department/i);
    expect(events.at(-1)).toMatchObject({ type: 'call.ended', by: 'caller' });
  });

  it('goes on to the next when one is busy, introduces them, and the person hangs up', async () => {
    await using phone = await handedOver('2');
    (await called('anna', phone)).refuse(486, 'Busy Here');
    const call = await called('bert', phone);
    const since = performance.now();
    await call.answer();
    await call.rtp?.spoken(since, 500);
    expect(await transcribe(toSound(call.rtp!.heard.filter(({ at }) => at > since)))).toMatch(/here is/i);
    await call.hangUp();
    await until('BYE at the caller', () => phone.call.ended);
    await ended(phone);
    expect(dispositions(phone)).toEqual(['anna busy']);
    expect(journal(phone).at(-1)).toMatchObject({ type: 'call.ended', by: 'person' });
  });

  it('dials an extension, is taken by voice, and held and taken back by the person', async () => {
    await using phone = await handedOver('3');
    const call = await called('carla', phone);
    await call.answer();
    await call.rtp?.spoken(0, 400);
    const keys = call.rtp!.heard.filter(({ payloadType }) => payloadType === 101).map(({ payload }) => payload[0]);
    expect([...new Set(keys)]).toEqual([1, 2]);
    await call.rtp?.play(await speak('Yes please.'));
    await bridged(phone);
    const offer = (direction: string) => call.rtp?.sdp(direction) ?? '';
    expect((await call.ask('INVITE', [], offer('sendonly'))).body).toMatch(/^a=recvonly/m);
    const held = performance.now();
    await phone.rtp.spoken(held, 20);
    expect((await call.ask('INVITE', [], offer('sendrecv'))).body).toMatch(/^a=sendrecv/m);
    // Both at once.
    await Promise.all([phone.call.bye(), call.ask('BYE')]);
    await ended(phone);
    expect(journal(phone)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'transfer.accepted', by: 'voice' }),
        expect.objectContaining({ type: 'hold', on: true, by: 'person' }),
        expect.objectContaining({ type: 'hold', on: false, by: 'person' }),
        expect.objectContaining({ type: 'transfer.finished', disposition: 'answered' }),
      ]),
    );
  });

  it('finds a machine, and the agent goes on; the caller hangs up while it rings, and during the briefing', async () => {
    await using phone = await handedOver('3');
    const machine = await called('carla', phone);
    await machine.answer();
    await machine.rtp?.play(await speak('You have reached the repair department. Please leave a message.'));
    await machine.rtp?.play(beep());
    await until('BYE', () => machine.ended === 'bye');
    const since = performance.now();
    await phone.rtp.spoken(since, 500);
    phone.rtp.press('0');
    const ringing = await called('carla', phone);
    ringing.ring();
    await phone.call.bye();
    await until('CANCEL', () => ringing.ended === 'cancelled');
    await ended(phone);
    expect(dispositions(phone)).toEqual(['voice voicemail']);
    expect(journal(phone).findLast(({ type }) => type === 'transfer.finished')).toMatchObject({
      disposition: 'cancelled-by-caller',
    });

    await using other = await handedOver('1');
    const call = await called('anna', other);
    await call.answer();
    await until('the briefing', () => (call.rtp?.heard.length ?? 0) > 20);
    await other.call.bye();
    await until('BYE', () => call.ended === 'bye');
  });

  it('hands over by REFER, whose target fails after 202, then does not', async () => {
    await using phone = await handedOver('4');
    const referred = (n: number) =>
      until('REFER', () => phone.peer.received.filter(({ method }) => method === 'REFER')[n], { ms: 15_000 });
    expect((await referred(0)).header('refer-to')).toBe(`<${desk.uri('dora')}>`);
    const notify = (status: string, state: string) =>
      phone.call.again('NOTIFY', `SIP/2.0 ${status}`, [
        'Event: refer',
        `Subscription-State: ${state}`,
        'Content-Type: message/sipfrag;version=2.0',
      ]);
    await notify('100 Trying', 'active;expires=60');
    const since = performance.now();
    await notify('486 Busy Here', 'terminated;reason=noresource');
    await phone.rtp.spoken(since, 500);
    expect(await transcribe(toSound(phone.rtp.heard.filter(({ at }) => at > since)))).toMatch(/sorry/i);
    phone.rtp.press('0');
    await referred(1);
    await notify('200 OK', 'terminated;reason=noresource');
    await until('BYE', () => phone.call.ended);
    await ended(phone);
    const ends = journal(phone).flatMap((event) => (event.type === 'transfer.finished' ? [event.disposition] : []));
    expect(ends).toEqual(['busy', 'answered']);
    expect(journal(phone).at(-1)).toMatchObject({ by: 'transfer' });
  });

  it('connects the two without itself by REFER with Replaces', async () => {
    await using phone = await handedOver('5');
    const call = await called('emil', phone);
    await call.answer();
    const refer = await phone.peer.message('REFER', ({ method }) => method === 'REFER', 10_000);
    expect(decodeURIComponent(refer.header('refer-to'))).toContain(`Replaces=${call.callId};to-tag=`);
    await phone.call.again('NOTIFY', 'SIP/2.0 200 OK', [
      'Event: refer',
      'Subscription-State: terminated',
      'Content-Type: message/sipfrag',
    ]);
    await until('BYE to both', () => phone.call.ended && call.ended === 'bye');
  });

  it('rings several at once; who is not first is cancelled, and a second 200 is hung up', async () => {
    await using phone = await handedOver('6');
    const [anna, bert] = await Promise.all([called('anna', phone), called('bert', phone)]);
    anna.ring();
    await bert.answer();
    await until('CANCEL', () => anna.ended === 'cancelled');
    await bridged(phone);
    bert.answerTwice();
    await bert.got('BYE', (bye) => bye.get('to').includes('-fork'));
    expect(phone.call.ended).toBe(false);
    await phone.call.bye();
    await bert.got('BYE', (bye) => !bye.get('to').includes('-fork'));
    bert.close();
    await ended(phone);
    expect(dispositions(phone)).toEqual(['anna answered-elsewhere']);
  });

  it('is understood by other makes: an IVR whose REFER comes to nothing, people busy, declining, silent, quitting, there', async () => {
    const ivr = runSipp({ scenario: 'ivr', target: server.sip, number: '4', says: silence(0.1), stayMs: 1500 });
    const people = await sippPeople(sippPort, 5);
    await using phone = await handedOver('10');
    try {
      await bridged(phone);
    } catch (error) {
      people.stop();
      throw new Error(`sipp: ${JSON.stringify(await people.result)}`, { cause: error });
    } finally {
      await phone.close();
    }
    expect(await Promise.all([ivr, people.result])).toEqual([
      { code: 0, succeeded: 1, failed: 0, errors: '' },
      { code: 0, succeeded: 5, failed: 0, errors: '' },
    ]);
    await ended(phone);
    expect(dispositions(phone)).toEqual(['busy busy', 'declines declined', 'silent no-answer', 'quits declined']);
    expect(journal(phone)).toContainEqual(expect.objectContaining({ type: 'transfer.accepted', by: 'key' }));
    const forwarded = server.journal(await server.callOf('+4930123'));
    assertComplete(forwarded);
    expect(forwarded).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'ivr.segment', part: 'start', variables: { orderNumber: '482715' } }),
        expect.objectContaining({ type: 'ivr.segment', part: 'signalling', diversion: ['2000'] }),
        expect.objectContaining({ type: 'transfer.finished', disposition: 'busy', status: 486 }),
      ]),
    );
  });

  it('finds a registered softphone, which takes the call by key, is heard, holds, and hands on', async () => {
    const { host, port } = server.sip;
    const account = `<sip:202@${host}:${port}>;auth_user=202;auth_pass=${PASSWORD};regint=60`;
    await using barbara = await Baresip.start('PCMU', undefined, account);
    const registered = async () => JSON.parse(await server.get('/v1/registrations')).registrations.length > 0;
    await until('registration', registered);
    await using phone = await handedOver('11');
    await barbara.answer();
    const { callId: sipCallId } = phone;
    await server.event('transfer.briefing', { sipCallId });
    await barbara.press('1');
    const { call: id } = await bridged(phone);
    const from = performance.now();
    const briefed = barbara.sound().pcm.length;
    await phone.rtp.play(await speak('Can you hear me now?'));
    await barbara.say(await speak('Yes, this is the repair department.'));
    await server.event('person.turn', { sipCallId, where: ({ text }) => /department/i.test(text) });
    await server.event('caller.turn', { sipCallId, where: ({ text }) => /hear me/i.test(text) });
    expect(await transcribe(toSound(phone.rtp.heard.filter(({ at }) => at > from)))).toMatch(/department/i);
    const { pcm, sampleRate } = barbara.sound();
    expect(await transcribe({ pcm: pcm.slice(briefed), sampleRate })).toMatch(/hear me/i);
    for (const on of [true, false]) {
      await barbara.hold(on);
      await server.event('hold', { sipCallId, where: (event) => event.on === on && event.by === 'person' });
    }
    await barbara.transfer(desk.uri('bert'));
    const bert = await called('bert', phone);
    await bert.answer();
    await server.event('transfer.bridged', { sipCallId, where: ({ person }) => person === 'Bert' });
    await barbara.event('CALL_CLOSED');
    // The caller goes on by another phone, and so does the person.
    const { calls } = JSON.parse(await server.get('/v1/calls')) as { calls: { id: string }[] };
    expect(calls.find((call) => call.id === id)).toMatchObject({ person: 'Bert' });
    const take = (replaces: string) =>
      Phone.dial(server, '11', { headers: [`Replaces: ${replaces}`, 'Require: replaces'] });
    await using caller = await take(phone.call.replaces);
    await until('BYE at the caller', () => phone.call.ended);
    await using person = await take(bert.replaces);
    await until('BYE at the person', () => bert.ended === 'bye');
    const moved = performance.now();
    await caller.rtp.play(await speak('Can you hear me now?'));
    await person.rtp.play(await speak('Yes, this is the repair department.'));
    await server.event('person.turn', { sipCallId, where: (event) => event.person === 'Kit' });
    const heard = (one: Phone) => transcribe(toSound(one.rtp.heard.filter(({ at }) => at > moved)));
    expect(await heard(caller)).toMatch(/department/i);
    expect(await heard(person)).toMatch(/hear me/i);
    await caller.hangUp();
    await until('BYE', () => person.call.ended);
    expect(await ended(phone)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'transfer.referred', status: 202 }),
        expect.objectContaining({ type: 'caller.replaced' }),
        expect.objectContaining({ type: 'transfer.replaced', person: 'Kit' }),
      ]),
    );
  });

  it('says that nobody is there, and why; nothing that was said or sent is dialled', async () => {
    const evil = 'sip:evil@example.com';
    await using phone = await greeted('7', [`Refer-To: <${evil}>`, `X-Target: ${evil}`, `Route-To: ${evil}`]);
    const reply = await phone.ask('Please transfer me to a person at sip evil at example dot com.');
    expect((await phone.call.again('REFER', '', [`Refer-To: <${evil}>`])).status).toBe(603);
    await phone.call.bye();
    await ended(phone);
    expect(reply.pcm.length).toBeGreaterThan(0);
    expect(dispositions(phone)).toEqual(['nobody closed']);
    expect(journal(phone).filter(({ type }) => type === 'transfer.dialling')).toEqual([]);
  });

  it('gives the caller back to the agent when the person hangs up, and the target says so', async () => {
    await using phone = await handedOver('8');
    const first = await called('fred', phone);
    await first.answer();
    const { call: id } = await bridged(phone);
    // A supervisor sends the call on, from the one to the next.
    const body = JSON.stringify({ target: 'back' });
    expect((await fetch(`${server.http}/v1/calls/${id}/transfer`, { method: 'POST', body })).status).toBe(200);
    await until('BYE at the first', () => first.ended === 'bye');
    const fred = await called('fred', phone);
    await fred.answer();
    await server.event('transfer.bridged', { sipCallId: phone.callId, where: ({ leg }) => leg === 'p2-1' });
    const since = performance.now();
    await fred.hangUp();
    await phone.rtp.spoken(since, 500);
    expect(await transcribe(toSound(phone.rtp.heard.filter(({ at }) => at > since)))).toMatch(/\bwith me\b/i);
    await phone.call.bye();
    await ended(phone);
    expect(journal(phone).at(-1)).toMatchObject({ by: 'caller' });
  });

  it('goes on with another agent, which hands over by a trunk that asks for a password', async () => {
    await using phone = await handedOver('12');
    await server.event('agent.changed', { sipCallId: phone.callId });
    await phone.rtp.spoken(performance.now(), 300);
    phone.rtp.press('0');
    const call = await called('+4930456', phone);
    await call.challenge('parley', PASSWORD);
    await call.answer();
    await bridged(phone);
    await phone.hangUp();
    await until('BYE', () => call.ended === 'bye');
    await ended(phone);
    expect(journal(phone)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'transfer.finished', target: 'colleague', disposition: 'agent' }),
        expect.objectContaining({ type: 'agent.changed', agent: 'carrier' }),
        expect.objectContaining({ type: 'transfer.finished', target: 'carrier', disposition: 'answered' }),
      ]),
    );
    await expectLadder(journal(phone)[0]?.call ?? '');
  });

  it('notes the wish to be called back, and redirects calls before the answer', async () => {
    await using phone = await handedOver('2');
    (await called('anna', phone)).refuse(603, 'Decline');
    const since = performance.now();
    (await called('bert', phone)).refuse(480, 'Temporarily Unavailable');
    await phone.rtp.spoken(since, 500);
    expect(await transcribe(toSound(phone.rtp.heard.filter(({ at }) => at > since)))).toMatch(/you back/i);
    await phone.call.bye();
    await ended(phone);
    expect(dispositions(phone)).toEqual(['anna declined', 'bert no-answer']);
    expect(journal(phone).find(({ type }) => type === 'callback.requested')).toMatchObject({
      number: phone.peer.name,
      target: 'later',
    });

    const { callbacks } = JSON.parse(await server.get('/v1/callbacks'));
    expect(callbacks).toMatchObject([{ number: phone.peer.name, target: 'later' }]);
    await using moved = await Phone.invite(server, '9');
    const response = await moved.call.final();
    moved.call.acknowledge(response);
    expect([response.status, response.header('contact')]).toEqual([
      302,
      `<${desk.uri('anna')}>;q=1.00, <${desk.uri('bert')}>;q=0.50`,
    ]);
  });
});

const YEAR = Array.from({ length: 12 }, (_, month) =>
  Array.from({ length: 31 }, (_, day) => `${String(month + 1).padStart(2, '0')}-${String(day + 1).padStart(2, '0')}`),
).flat();

/** Half a second of 1000 Hz, as a mailbox has it before it records. */
function beep(): Sound {
  const pcm = Int16Array.from({ length: 4400 }, (_, n) => (n < 4000 ? 8000 * Math.sin((2 * Math.PI * n) / 8) : 0));
  return { pcm, sampleRate: 8000 };
}

const digits = (name: string, length: number, ask: string) => ({ name, kind: 'digits', length, ask });

/** Short of words, since each takes its time. */
const AGENT = {
  name: 'x',
  greeting: 'Hello.',
  topics: [
    {
      name: 'broken',
      description: 'A lamp is broken',
      examples: [
        'I would like to report a broken lamp',
        'my lamp is broken',
        'the lamp does not work',
        'my light broke',
      ],
      slots: [
        digits('orderNumber', 6, 'Your order number?'),
        digits('lampNumber', 4, 'And the number of the lamp?'),
        digits('house', 2, 'Your house number?'),
      ],
      say: 'All right.',
      escalate: true,
    },
    {
      name: 'bye',
      description: 'Nothing more',
      examples: ['that was it', 'no more questions', 'we are finished here'],
      say: 'Good.',
    },
  ],
  escalation: {
    message: 'One moment.',
    failedMessage: 'Sorry, it failed.',
    failedMessages: { closed: 'Sorry, we are closed.' },
  },
};
