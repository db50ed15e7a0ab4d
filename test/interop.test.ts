import { execFileSync, spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { levelDb } from '../src/audio/level.js';
import type { StoredEvent } from '../src/journal/events.js';
import { Baresip } from './kit/baresip.js';
import { Capture } from './kit/capture.js';
import { OPENING_HOURS } from './kit/examples.js';
import { hasMiddleBox, MiddleBox } from './kit/middle-box.js';
import { scratchFolder } from './kit/scratch.js';
import { assertComplete, Server } from './kit/server.js';
import { overlap, speak, transcribe } from './kit/speech.js';
import { until } from './kit/until.js';

/** Only root may listen in on the loopback interface. */
const mayCapture = process.getuid?.() === 0 && spawnSync('tshark', ['--version']).status === 0;

/** A softphone of another make, in the ways that people use one. */
describe('baresip', () => {
  let server: Server;
  let folder: ReturnType<typeof scratchFolder>;

  beforeAll(async () => {
    server = await Server.start();
    folder = scratchFolder('interop');
  });

  afterEach(async () => {
    await server.waitForIdle();
    expect(server.noise).toEqual([]);
  });

  afterAll(async () => {
    await server?.stop();
    folder?.remove();
  });

  /** Asks when the greeting is over, and waits for the whole answer. */
  async function ask(phone: Baresip, sipCallId: string): Promise<void> {
    await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'greeting' });
    await phone.say(await speak(OPENING_HOURS.question));
    await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'reply', ms: 30_000 });
  }

  async function dial(phone: Baresip, port = server.sip.port): Promise<string> {
    const before = new Set(server.journals().keys());
    await phone.dial(`sip:8001@127.0.0.1:${port}`);
    return until('journal of the call', () => {
      const [, journal = []] = [...server.journals()].find(([call]) => !before.has(call)) ?? [];
      return journal.flatMap((event) => (event.type === 'call.received' ? [event.sipCallId] : []))[0];
    });
  }

  async function expectTalk(phone: Baresip, journal: readonly StoredEvent[]): Promise<void> {
    assertComplete(journal);
    const said = journal.flatMap((event) => (event.type === 'caller.turn' ? [event.text] : [])).join(' ');
    expect(overlap(OPENING_HOURS.question, said), `recognised: ${said}`).toBeGreaterThan(0.6);
    expect(await transcribe(phone.sound())).toMatch(OPENING_HOURS.answer);
  }

  it.each(['srtp-mand', 'dtls_srtp'] as const)('encrypts with %s, and both sides are heard', async (encryption) => {
    const phone = await Baresip.start('PCMU', encryption);
    try {
      const sipCallId = await dial(phone);
      await ask(phone, sipCallId);
      await phone.hangUp();
      await server.event('call.ended', { sipCallId });
      await expectTalk(phone, server.journal(sipCallId));
    } finally {
      await phone.stop();
    }
  });

  it('begins the DTLS handshake itself with a phone that wants to be its server', async () => {
    const passive = await Relay.start(server.sip.port, (text) => text.replace('a=setup:actpass', 'a=setup:passive'));
    const phone = await Baresip.start('PCMU', 'dtls_srtp');
    try {
      const sipCallId = await dial(phone, passive.port);
      await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'greeting' });
      await phone.press('7');
      await server.event('dtmf', { sipCallId, where: ({ digit }) => digit === '7' });
      await phone.hangUp();
      await server.event('call.ended', { sipCallId });
      expect(passive.seen).toContain('a=setup:active');
      expect(levelDb(phone.sound().pcm)).toBeGreaterThan(-35);
    } finally {
      await phone.stop();
      passive.close();
    }
  });

  it.runIf(hasMiddleBox())('talks through Kamailio and rtpengine, which take its encryption off', async () => {
    const box = await MiddleBox.start(server.sip);
    const phone = await Baresip.start('PCMU', 'srtp-mand');
    try {
      const sipCallId = await dial(phone, box.port);
      await ask(phone, sipCallId);
      await phone.hangUp();
      await server.event('call.ended', { sipCallId });
      await expectTalk(phone, server.journal(sipCallId));
    } finally {
      await phone.stop();
      await box.stop();
    }
  });

  it('holds and resumes, presses keys, and gets a stream without gaps', async () => {
    const file = join(folder.path, 'call.pcap');
    const capture = mayCapture ? await Capture.start(file, 'udp portrange 20000-29999') : undefined;
    const phone = await Baresip.start();
    try {
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
    } finally {
      await capture?.stop();
      await phone.stop();
    }
    if (capture) expectCleanStream(file);
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

  close(): void {
    this.socket.close();
  }
}

/** By tshark's count nothing of what Parley sent is missing, and only the first packet has a marker. */
function expectCleanStream(file: string): void {
  const fields = ['ip.src', 'udp.srcport', 'rtp.seq', 'rtp.marker', 'rtp.p_type'].flatMap((name) => ['-e', name]);
  const heuristic = ['-o', 'rtp.heuristic_rtp:TRUE'];
  const tshark = (...args: string[]) =>
    execFileSync('tshark', ['-r', file, ...heuristic, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const streams = tshark('-q', '-z', 'rtp,streams');
  const ours = streams.split('\n').filter((line) => /127\.0\.0\.1\s+2\d{4}\s/.test(line) && /g711U/i.test(line));
  expect(ours.length, streams).toBeGreaterThan(0);
  const lost = ours.map((line) => /\s(-?\d+) \(/.exec(line)?.[1]);
  expect(new Set(lost), streams).toEqual(new Set(['0']));
  const rows = tshark('-Y', 'rtp', '-T', 'fields', ...fields);
  const sent = rows.split('\n').filter((row) => Number(row.split('\t')[1]) < 30_000 && row !== '');
  expect(sent.length).toBeGreaterThan(100);
  expect(
    sent.map((row) => /^(?:1|True)$/.test(row.split('\t')[3] ?? '')).flatMap((set, n) => (set ? [n] : [])),
  ).toEqual([0]);
}
