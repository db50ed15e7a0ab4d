import { execFileSync, spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { levelDb } from '../src/audio/level.js';
import type { StoredEvent } from '../src/journal/events.js';
import { Baresip } from './kit/baresip.js';
import { Capture } from './kit/capture.js';
import { OPENING_HOURS } from './kit/examples.js';
import { fixture } from './kit/fixture.js';
import { hasMiddleBox, MiddleBox } from './kit/middle-box.js';
import { scratchFolder } from './kit/scratch.js';
import { assertComplete, Server } from './kit/server.js';
import { overlap, speak, transcribe } from './kit/speech.js';

/** Only root may listen in on the loopback interface. */
const mayCapture = process.getuid?.() === 0 && spawnSync('tshark', ['--version']).status === 0;

/** A softphone of another make, in the ways that people use one. */
describe.concurrent('baresip', () => {
  let server: Server;
  let folder: ReturnType<typeof scratchFolder>;

  fixture(async (keep) => {
    folder = keep(scratchFolder('interop'));
    server = await Server.start();
    return server;
  });

  /** Asks when the greeting is over, and waits for the whole answer. */
  async function ask(phone: Baresip, sipCallId: string): Promise<void> {
    await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'greeting' });
    await phone.say(await speak(OPENING_HOURS.question));
    await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'reply', ms: 30_000 });
  }

  async function dial(phone: Baresip, port = server.sip.port): Promise<string> {
    await phone.dial(`sip:8001@127.0.0.1:${port}`);
    return server.callOf(phone.name);
  }

  async function expectTalk(phone: Baresip, journal: readonly StoredEvent[]): Promise<void> {
    assertComplete(journal);
    const said = journal.flatMap((event) => (event.type === 'caller.turn' ? [event.text] : [])).join(' ');
    expect(overlap(OPENING_HOURS.question, said), `recognised: ${said}`).toBeGreaterThan(0.6);
    expect(await transcribe(phone.sound())).toMatch(OPENING_HOURS.answer);
  }

  it.each(['srtp-mand', 'dtls_srtp'] as const)('encrypts with %s, and both sides are heard', async (encryption) => {
    await using phone = await Baresip.start('PCMU', encryption);
    const sipCallId = await dial(phone);
    await ask(phone, sipCallId);
    await phone.hangUp();
    await server.event('call.ended', { sipCallId });
    await expectTalk(phone, server.journal(sipCallId));
  });

  it('begins the DTLS handshake itself with a phone that wants to be its server', async () => {
    using passive = await Relay.start(server.sip.port, (text) => text.replace('a=setup:actpass', 'a=setup:passive'));
    await using phone = await Baresip.start('PCMU', 'dtls_srtp');
    const sipCallId = await dial(phone, passive.port);
    await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'greeting' });
    await phone.press('7');
    await server.event('dtmf', { sipCallId, where: ({ digit }) => digit === '7' });
    await phone.hangUp();
    await server.event('call.ended', { sipCallId });
    expect(passive.seen).toContain('a=setup:active');
    expect(levelDb(phone.sound().pcm)).toBeGreaterThan(-35);
  });

  it.runIf(hasMiddleBox())('talks through Kamailio and rtpengine, which take its encryption off', async () => {
    await using box = await MiddleBox.start(server.sip);
    await using phone = await Baresip.start('PCMU', 'srtp-mand');
    const sipCallId = await dial(phone, box.port);
    await ask(phone, sipCallId);
    await phone.hangUp();
    await server.event('call.ended', { sipCallId });
    await expectTalk(phone, server.journal(sipCallId));
  });

  it('holds and resumes, presses keys, and gets a stream without gaps', async () => {
    const file = join(folder.path, 'call.pcap');
    await using capture = mayCapture ? await Capture.start(file, 'udp portrange 20000-29999') : undefined;
    await using phone = await Baresip.start();
    const sipCallId = await dial(phone);
    await ask(phone, sipCallId);
    await capture?.stop();
    await phone.hold(true);
    await server.event('hold', { sipCallId, where: ({ on }) => on });
    await phone.hold(false);
    await server.event('hold', { sipCallId, where: ({ on }) => !on });
    await phone.press('42');
    await server.event('dtmf', { sipCallId, where: ({ digit }) => digit === '2' });
    await phone.hangUp();
    await server.event('call.ended', { sipCallId });
    const journal = server.journal(sipCallId);
    await expectTalk(phone, journal);
    expect(journal.flatMap((event) => (event.type === 'dtmf' ? [event.digit] : [])).join('')).toBe('42');
    if (!capture) return;
    const invite = await server.get(`/v1/calls/${journal[0]?.call}/sip`);
    expectCleanStream(file, /m=audio (\d+)/.exec(invite)?.[1] ?? '');
  });
});

/** Carries SIP over UDP between one phone and a server, and changes what the phone says, not in length. */
class Relay {
  /** All that the server said. */
  seen = '';

  private constructor(
    private readonly socket: Socket,
    to: number,
    change: (text: string) => string,
  ) {
    let phone = 0;
    socket.on('message', (datagram, { port }) => {
      if (port !== to) phone = port;
      const text = datagram.toString('latin1');
      if (port === to) this.seen += text;
      socket.send(Buffer.from(port === to ? text : change(text), 'latin1'), port === to ? phone : to, '127.0.0.1');
    });
  }

  static async start(to: number, change: (text: string) => string): Promise<Relay> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Relay(socket, to, change);
  }

  get port(): number {
    return this.socket.address().port;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/** By tshark's count nothing of what Parley sent to this port is missing, and only where time passes in between there is a marker. */
function expectCleanStream(file: string, port: string): void {
  const fields = ['rtp.seq', 'rtp.marker', 'rtp.timestamp'].flatMap((name) => ['-e', name]);
  const heuristic = ['-o', 'rtp.heuristic_rtp:TRUE'];
  const tshark = (...args: string[]) =>
    execFileSync('tshark', ['-r', file, ...heuristic, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const streams = tshark('-q', '-z', 'rtp,streams');
  const ours = streams.split('\n').filter((line) => new RegExp(`127\\.0\\.0\\.1\\s+${port}\\s.*g711U`, 'i').test(line));
  expect(ours.length, streams).toBeGreaterThan(0);
  const lost = ours.map((line) => /\s(-?\d+) \(/.exec(line)?.[1]);
  expect(new Set(lost), streams).toEqual(new Set(['0']));
  const sent = tshark('-Y', `rtp && udp.dstport == ${port}`, '-T', 'fields', ...fields)
    .split('\n')
    .filter(Boolean);
  expect(sent.length).toBeGreaterThan(100);
  sent.slice(1).forEach((row, n) => {
    const [, marker = '', time] = row.split('\t');
    const [, , before] = sent[n]!.split('\t');
    // Time that a stall of the machine cost is left out, and marked.
    expect(/^(?:1|True)$/.test(marker), row).toBe((Number(time) - Number(before)) >>> 0 > 160);
  });
}
