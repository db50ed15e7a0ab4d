import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { WebSocket } from 'ws';
import { levelDb } from '../src/audio/level.js';
import { Desk } from './kit/desk.js';
import { fixture } from './kit/fixture.js';
import { Phone } from './kit/phone.js';
import { toSound } from './kit/rtp-peer.js';
import { scratchFolder } from './kit/scratch.js';
import { Server } from './kit/server.js';
import { speak, transcribe } from './kit/speech.js';
import { until } from './kit/until.js';

interface LiveCall {
  id: string;
  participants: object[];
}

/** Whoever watches over calls holds them, sends keys, pauses their recording and ends them, over HTTP. */
describe.concurrent('control of a live call', () => {
  let server: Server;
  let desk: Desk;

  fixture(async (keep) => {
    desk = keep(await Desk.open());
    const folder = keep(scratchFolder('control'));
    const entries = [{ name: 'all', default: true, answer: { agent: 'orders', record: { announcement: false } } }];
    writeFileSync(join(folder.path, 'test.yaml'), JSON.stringify(entries));
    const env = {
      PARLEY_DIALPLANS: folder.path,
      PARLEY_RECORDING_FOLDER: join(folder.path, 'recordings'),
      PARLEY_TARGETS: JSON.stringify({
        expert: { uri: desk.uri('expert'), name: 'Eve', accept: 'answer', briefing: false },
      }),
    };
    server = await Server.start({ env });
    return server;
  });

  async function ask(path: string, body?: unknown): Promise<{ status: number; answer: Record<string, unknown> }> {
    const options = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${server.http}/v1/calls${path}`, options);
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
  }

  /** Calls, and hears the greeting. */
  async function greeted(): Promise<Phone> {
    const phone = await Phone.dial(server);
    await phone.greeted();
    return phone;
  }

  /** The call's id, and how it is now, as the API has it. */
  async function known({ callId: sipCallId }: Phone) {
    const { call: id } = await server.event('call.received', { sipCallId });
    const live = async () => ((await ask('')).answer as { calls: LiveCall[] }).calls.find((call) => call.id === id);
    return { id, live };
  }

  it('holds it with music, takes it back, sends keys, pauses its recording, and ends it', async () => {
    await using phone = await greeted();
    const { id, live } = await known(phone);
    expect(await live()).toMatchObject({ to: '8001', agent: 'orders', state: 'talking', onHold: false });
    const since = () => performance.now();
    const heard = (from: number) => toSound(phone.rtp.heard.filter(({ at }) => at > from)).pcm;

    expect((await ask(`/${id}/hold`, {})).status).toBe(200);
    const offer = await phone.peer.message('re-INVITE', ({ method, body }) => method === 'INVITE' && body !== '');
    expect(offer.body).toMatch(/^a=sendonly/m);
    const held = since();
    await until('two seconds of music', () => heard(held).length > 16_000);
    expect(levelDb(heard(held).slice(8000))).toBeGreaterThan(-50);
    expect(await live()).toMatchObject({ onHold: true });
    // A key pressed over the music counts.
    phone.rtp.press('7');
    await server.event('dtmf', { sipCallId: phone.callId, where: ({ digit }) => digit === '7' });

    expect((await ask(`/${id}/recording`, { action: 'pause' })).status).toBe(200);
    const paused = since();
    await until('a second without recording', () => heard(paused).length > 8000);
    expect((await ask(`/${id}/recording`, { action: 'resume' })).status).toBe(200);

    expect((await ask(`/${id}/resume`, {})).status).toBe(200);
    expect((await ask(`/${id}/dtmf`, { digits: '4w2' })).status).toBe(200);
    const keys = new Set(phone.rtp.heard.filter(({ payloadType }) => payloadType === 101).map((p) => p.payload[0]));
    expect([...keys]).toEqual([4, 2]);
    expect((await ask(`/${id}/dtmf`, { digits: 'x' })).status).toBe(422);

    expect((await ask(`/${id}/end`, {})).status).toBe(200);
    await until('BYE', () => !phone.call.open);
    await server.event('call.ended', { sipCallId: phone.callId });
    await until('a call that is not known any more', async () => (await ask(`/${id}/hold`, {})).status === 404);
    const journal = server.journal(phone.callId);
    const types = journal.map((event) => event.type);
    expect(types).toEqual(
      expect.arrayContaining(['recording.started', 'hold', 'recording.paused', 'dtmf.sent', 'media.quality']),
    );
    const finished = journal.find((event) => event.type === 'recording.finished');
    if (finished?.type !== 'recording.finished' || !finished.file) throw new Error('no recording');
    expect(finished.complete).toBe(true);
    expect(existsSync(finished.file)).toBe(true);
    const wav = new wavefile.WaveFile(readFileSync(finished.file));
    const [, agent] = wav.getSamples(false, Int16Array) as unknown as [Int16Array, Int16Array];
    // The greeting is in it, and a second of true silence where it was paused.
    expect(levelDb(agent.subarray(0, 16_000))).toBeGreaterThan(-45);
    let quiet = 0;
    let longest = 0;
    for (const sample of agent) {
      quiet = sample === 0 ? quiet + 1 : 0;
      longest = Math.max(longest, quiet);
    }
    expect(longest).toBeGreaterThan(7000);
  });

  it('is jumped into: listened to, spoken into, its agent given words and made to wait', async () => {
    await using phone = await greeted();
    const { id } = await known(phone);
    const heard: number[] = [];
    let socket: WebSocket | undefined;
    let talk: NodeJS.Timeout | undefined;
    try {
      socket = new WebSocket(`${server.http.replace('http', 'ws')}/v1/calls/${id}/audio`, 'parley.v1');
      socket.on('message', (data: Buffer, binary) => {
        if (binary) for (let at = 0; at + 1 < data.length; at += 2) heard.push(data.readInt16LE(at));
      });
      await once(socket, 'open');

      // Whatever it was saying: the agent says this, to the caller and for the supervisor to hear.
      expect((await ask(`/${id}/say`, { text: 'We are open from nine to seven.' })).status).toBe(200);
      const where = { sipCallId: phone.callId };
      await server.event('agent.turn', {
        ...where,
        where: ({ kind, heard: said }) => kind === 'supervisor' && said !== '',
      });
      expect(await transcribe({ pcm: Int16Array.from(heard), sampleRate: 8000 })).toMatch(/nine to seven/i);

      // The caller is heard, and nobody answers while the agent waits.
      expect((await ask(`/${id}/agent`, { action: 'pause' })).status).toBe(200);
      heard.length = 0;
      await phone.rtp.play(await speak('What are your opening hours?'));
      await server.event('caller.turn', { ...where, where: ({ text }) => /opening hours/i.test(text) });
      expect(await transcribe({ pcm: Int16Array.from(heard), sampleRate: 8000 })).toMatch(/opening hours/i);

      // With the supervisor's own voice.
      socket.send('{"type":"talk","to":"all"}');
      const from = performance.now();
      const tone = Int16Array.from({ length: 160 }, (_, n) => 8000 * Math.sin((2 * Math.PI * 1000 * n) / 8000));
      talk = setInterval(() => socket?.send(Buffer.from(tone.buffer)), 20);
      const said = () => toSound(phone.rtp.heard.filter(({ at }) => at > from)).pcm;
      await until('the supervisor is heard', () => levelDb(said().slice(-2000)) > -20);
      clearInterval(talk);

      expect((await ask(`/${id}/agent`, { action: 'resume' })).status).toBe(200);
      await phone.ask('What are your opening hours?');
      expect((await ask(`/${id}/whisper`, { text: 'be kind' })).status).toBe(409);
      expect((await ask(`/${id}/whisper`, { text: 'orderNumber: 482715' })).status).toBe(200);
      expect((await ask(`/${id}/transfer`, { target: 'sip:evil@example.com' })).status).toBe(422);
      expect((await ask(`/${id}/take-back`, {})).status).toBe(409);
      const over = once(socket, 'close');
      await phone.hangUp();
      await over;
      await server.event('call.ended', { sipCallId: phone.callId });
      const journal = server.journal(phone.callId);
      const supervised = journal.filter(({ type }) => type.startsWith('supervisor.')).map(({ type }) => type);
      expect(supervised).toEqual([
        ...['supervisor.listening', 'supervisor.said', 'supervisor.paused', 'supervisor.listening'],
        ...['supervisor.paused', 'supervisor.whispered', 'supervisor.listening'],
      ]);
      const turns = journal.filter((event) => event.type === 'caller.turn').map(({ turn }) => turn);
      const replies = journal.flatMap((event) =>
        event.type === 'agent.turn' && event.kind === 'reply' ? [event.turn] : [],
      );
      expect([turns.length, replies]).toEqual([2, [turns[1]]]);
    } finally {
      clearInterval(talk);
      socket?.terminate();
    }
  });

  it('gets a third person while the agent stays, and loses them again', async () => {
    await using phone = await greeted();
    const { id, live } = await known(phone);
    const where = { sipCallId: phone.callId };
    expect((await ask(`/${id}/participants`, { target: 'sip:evil@example.com' })).status).toBe(422);
    expect((await ask(`/${id}/participants`, { target: 'expert' })).answer).toEqual({ ok: true, participant: 'g1' });
    const expert = await desk.called('expert');
    await expert.answer();
    await server.event('participant.joined', where);
    expect((await live())?.participants).toEqual([{ id: 'g1', target: 'expert', person: 'Eve' }]);
    const from = performance.now();
    const heard = (packets: typeof phone.rtp.heard) => transcribe(toSound(packets.filter(({ at }) => at > from)));
    // The agent still answers, and all three hear it.
    await phone.ask('What are your opening hours?');
    const all = await heard(expert.rtp!.heard);
    expect(all).toMatch(/\bhours\b/i);
    expect(all).toMatch(/(?:nine|9) to (?:seven|7)/i);
    await expert.rtp?.play(await speak('This is the repair department.'));
    await server.event('person.turn', { ...where, where: ({ text }) => /department/i.test(text) });
    expect(await heard(phone.rtp.heard)).toMatch(/department/i);
    expect((await ask(`/${id}/participants/remove`, { participant: 'g2' })).status).toBe(404);
    expect((await ask(`/${id}/participants/remove`, { participant: 'g1' })).status).toBe(200);
    await until('BYE', () => expert.ended === 'bye');
    expect((await live())?.participants).toEqual([]);
    // Who is there when the call ends goes with it.
    await ask(`/${id}/participants`, { target: 'expert' });
    const again = await desk.called('expert');
    again.ring();
    await phone.hangUp();
    await until('CANCEL', () => again.ended === 'cancelled');
    await server.event('call.ended', { sipCallId: phone.callId });
    const told = server.journal(phone.callId).filter(({ type }) => type.startsWith('participant.'));
    expect(told.map(({ type }) => type.replace('participant.', ''))).toEqual([
      ...['added', 'joined', 'left', 'added', 'failed'],
    ]);
  });
});
