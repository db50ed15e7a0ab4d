import { createSocket } from 'node:dgram';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPENING_HOURS } from './kit/examples.js';
import { foreignRtp, type Wrong, wrongRtp, wrongSip } from './kit/malformed.js';
import { Phone } from './kit/phone.js';
import { RawPeer } from './kit/raw-peer.js';
import { assertComplete, ROOT, Server, sipCallIdOf } from './kit/server.js';
import { overlap, speak, transcribe } from './kit/speech.js';
import { until } from './kit/until.js';

const TORTURE = join(ROOT, process.env.PARLEY_TEST_DATA ?? '../shared/data', 'sip-torture');
const IMPATIENCE = 'Do you take credit cards?';

/** One good call stands while all this comes in; at the end it is asked whether it minded. */
describe('malformed input beside a good call', () => {
  let server: Server;
  let mallory: RawPeer;
  let phone: Phone;

  beforeAll(async () => {
    // Made before the call: synthesis holds up the thread that also receives RTP.
    await Promise.all([speak(OPENING_HOURS.question), speak(IMPATIENCE)]);
    server = await Server.start();
    mallory = await RawPeer.open(server.sip);
    phone = await Phone.dial(server);
  });

  afterAll(async () => {
    await phone?.close();
    mallory?.close();
    await server?.stop();
  });

  afterEach(async () => {
    expect(server.noise, 'nothing but JSON on standard error').toEqual([]);
    expect(server.alive).toBe(true);
    if (!phone.call.open) return;
    const heard = phone.rtp.heard.length;
    await until('RTP goes on', () => phone.rtp.heard.length > heard + 5, { ms: 1000 });
  });

  it('SIP over UDP', async () => {
    const lines = server.log.length;
    for (const { bytes, name } of [...wrongSip(mallory.port), ...torture()]) {
      mallory.send(bytes);
      // The answer to a good request tells that the bad one has been dealt with.
      expect((await mallory.options()).status, `OPTIONS after: ${name}`).toBe(200);
    }
    expect(
      mallory.received.some((message) => message.status === 481),
      'BYE of no dialog',
    ).toBe(true);
    expect(
      mallory.received.some((message) => message.status === 488),
      'no codec in common',
    ).toBe(true);
    const told = server.log.slice(lines).filter((line) => line.level >= 30);
    expect(told.length, 'malformed messages are told in the log').toBeGreaterThan(0);
  });

  it('SIP over TCP', async () => {
    const pieces = [
      'rubbish without end '.repeat(5000),
      'INVITE sip:8001@127.0.0.1 SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n',
      'OPTIONS sip:8001@127.0.0.1 SIP/2.0\r\nCall-ID: half',
      '\r\n\r\n\r\n\r\n',
      '\0'.repeat(1000),
    ];
    await Promise.all(pieces.map((piece) => sendTcp(server.sip.port, piece)));
    expect((await mallory.options()).status).toBe(200);
  });

  it('known scanners get no answer', async () => {
    const before = mallory.received.length;
    const scan = await RawPeer.open(server.sip);
    scan.invite('8001', phone.rtp.sdp(), ['User-Agent: friendly-scanner']);
    expect((await mallory.options()).status).toBe(200);
    expect(scan.received).toEqual([]);
    expect(mallory.received.length).toBe(before + 1);
    scan.close();
  });

  it('the same INVITE over and over begins one call', async () => {
    for (let i = 0; i < 5; i++) phone.call.repeatInvite();
    expect((await mallory.options()).status).toBe(200);
    const received = [...server.journals().values()].filter((events) => sipCallIdOf(events) === phone.callId);
    expect(received).toHaveLength(1);
  });

  it('RTP to the port of a live call, from the caller and from strangers', async () => {
    const stranger = createSocket('udp4');
    const { address, port } = phone.rtp.target;
    const heard: Buffer[] = [];
    stranger.on('message', (bytes) => heard.push(bytes));
    try {
      const speaking = phone.rtp.play(await speak(IMPATIENCE));
      await server.event('caller.started', { sipCallId: phone.callId });
      for (const { bytes } of wrongRtp()) {
        phone.rtp.sendRaw(bytes);
        stranger.send(bytes, port, address);
      }
      for (let i = 0; i < 50; i++) stranger.send(foreignRtp(i), port, address);
      await speaking;
      await phone.rtp.spoken(performance.now());
      expect(heard, 'a stranger takes no call over').toEqual([]);
    } finally {
      stranger.close();
    }
  });

  it('and the good call has not noticed', async () => {
    const gap = longestGap(phone);
    const answer = await phone.ask(OPENING_HOURS.question);
    await phone.hangUp();
    const ended = await server.event('call.ended', { sipCallId: phone.callId });
    expect(await transcribe(answer)).toMatch(OPENING_HOURS.answer);
    expect(gap, 'RTP went on without a gap').toBeLessThan(200);
    expect(ended.by).toBe('caller');
    const journal = server.journal(phone.callId);
    assertComplete(journal);
    const said = journal.flatMap((event) => (event.type === 'caller.turn' ? [event.text] : [])).join(' ');
    expect(overlap(`${IMPATIENCE} ${OPENING_HOURS.question}`, said), `understood: ${said}`).toBeGreaterThan(0.8);
    // Among the torture messages are good INVITEs, whose answers nobody acknowledges: they end after 32 s
    // (64*T1, RFC 3261 section 13.3.1.4).
    await server.waitForIdle(existsSync(TORTURE) ? 45_000 : 10_000);
  }, 90_000);
});

/** The messages of RFC 4475, where they are at hand. */
function torture(): Wrong[] {
  if (!existsSync(TORTURE)) return [];
  const files = readdirSync(TORTURE).filter((name) => name.endsWith('.dat'));
  return files.map((name) => ({ name, bytes: readFileSync(join(TORTURE, name)) }));
}

/** The longest time between two RTP packets that the phone heard, ms. */
function longestGap({ rtp }: Phone): number {
  return Math.max(0, ...rtp.heard.slice(1).map((packet, i) => packet.at - rtp.heard[i]!.at));
}

/** Sends and ends; an answer, a reset or neither are all right. */
function sendTcp(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    socket.resume();
    socket.once('error', () => resolve());
    socket.once('close', () => resolve());
    // A server that waits for the rest is right to do so; the caller goes.
    socket.setTimeout(1000, () => socket.destroy());
  });
}
