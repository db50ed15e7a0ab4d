import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeG711, MU_LAW } from '../../audio/g711.js';
import { levelDb } from '../../audio/level.js';
import { opusLibrary } from '../../audio/opus.js';
import { resample } from '../../audio/resample.js';
import { AudioRing } from '../../audio/ring.js';
import type { NegotiatedMedia } from '../../rtp/negotiated.js';
import { parseRtp, rtpFields, writeRtpHeader } from '../../rtp/packet.js';
import { createSynthesiser } from '../../speech/synthesis/engines.js';
import type { FromMedia, MediaToSpeech } from '../messages.js';
import type { MediaLeg } from './hosted-leg.js';
import { MediaHost, type MediaHostOptions } from './media-host.js';

const OPTIONS: MediaHostOptions = {
  workers: 2,
  bind: '127.0.0.1',
  ports: { from: 18_000, to: 18_099 },
  vad: { threshold: 0.5, release: 0.35, onsetMs: 96, offsetMs: 160, windowMs: 32 },
  logLevel: 'silent',
};

/** A caller: an RTP socket that keeps what it hears. */
class Caller {
  readonly heard: number[] = [];
  readonly packets: { sequence: number; timestamp: number; marker: boolean; ssrc: number }[] = [];
  private readonly socket: Socket = createSocket('udp4');
  private sequence = 65_530;
  private timestamp = 4_294_967_000;

  async bind(): Promise<number> {
    this.socket.bind(0, '127.0.0.1');
    await once(this.socket, 'listening');
    const fields = rtpFields();
    this.socket.on('message', (datagram) => {
      if (!parseRtp(datagram, fields)) return;
      this.packets.push({ ...fields });
      for (const byte of datagram.subarray(fields.payloadStart, fields.payloadEnd)) {
        this.heard.push(MU_LAW.decode[byte]!);
      }
    });
    return this.port();
  }

  port(): number {
    return this.socket.address().port;
  }

  /** Sends `pcm` as 20 ms packets, all at once. */
  say(pcm: Int16Array, port: number): void {
    for (let at = 0; at < pcm.length; at += 160) {
      const packet = Buffer.alloc(172);
      writeRtpHeader(packet, 0, at === 0, this.sequence, this.timestamp, 77);
      encodeG711(MU_LAW, pcm.subarray(at, at + 160), 160, packet, 12);
      this.socket.send(packet, port, '127.0.0.1');
      this.sequence = (this.sequence + 1) & 0xffff;
      this.timestamp = (this.timestamp + 160) >>> 0;
    }
  }

  raw(bytes: Uint8Array, port: number): void {
    this.socket.send(bytes, port, '127.0.0.1');
  }

  async hears(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.socket, 'message');
  }

  close(): void {
    this.socket.close();
  }
}

/** A leg's events, awaited by type. */
class Events {
  readonly all: FromMedia[] = [];
  private waiting: (() => void)[] = [];

  readonly listener = (event: FromMedia): void => {
    this.all.push(event);
    for (const wake of this.waiting.splice(0)) wake();
  };

  async next<T extends FromMedia['type']>(type: T): Promise<Extract<FromMedia, { type: T }>> {
    for (;;) {
      const index = this.all.findIndex((event) => event.type === type);
      const [event] = index < 0 ? [] : this.all.splice(index, 1);
      if (event) return event as Extract<FromMedia, { type: T }>;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}

function media(port: number, more: Partial<NegotiatedMedia> = {}): NegotiatedMedia {
  return {
    remote: { address: '127.0.0.1', port },
    codec: { name: 'PCMU', payloadType: 0, clockRate: 8000 },
    telephoneEvent: { payloadType: 101, clockRate: 8000 },
    receives: [
      { payloadType: 0, name: 'PCMU' },
      { payloadType: 8, name: 'PCMA' },
      { payloadType: 101, name: 'telephone-event' },
    ],
    ptime: 20,
    direction: 'sendrecv',
    ...more,
  };
}

/** A clip whose samples come through mu-law unchanged and differ from frame to frame. */
function clip(samples: number): Int16Array {
  const pcm = new Int16Array(new SharedArrayBuffer(2 * samples));
  for (let n = 0; n < samples; n++) pcm[n] = MU_LAW.decode[(n * 7 + (n >> 8)) & 0x7f]!;
  return pcm;
}

/** A line in shared memory. */
async function spoken(rate: number): Promise<Int16Array> {
  const flite = await createSynthesiser('flite');
  const settings = { engine: 'flite', voice: 'rms', speed: 1 };
  const { pcm, sampleRate } = await flite.synthesise('good morning, where is my order', settings);
  await flite.close();
  const voice = resample(pcm, sampleRate, rate);
  const shared = new Int16Array(new SharedArrayBuffer(2 * voice.length));
  shared.set(voice);
  return shared;
}

/** Of 16 kHz audio what lies above 5 kHz, which no telephone line has. */
function treble(pcm: Int16Array): Int16Array {
  const bass = resample(resample(pcm, 16_000, 10_000), 10_000, 16_000);
  return pcm.map((sample, n) => sample - bass[n]!);
}

/** Where `part` begins in `whole`, -1 when nowhere. */
function indexIn(whole: number[], part: Int16Array): number {
  for (let at = 0; at + part.length <= whole.length; at++) {
    let n = 0;
    while (n < part.length && whole[at + n] === part[n]) n++;
    if (n === part.length) return at;
  }
  return -1;
}

describe('MediaHost', () => {
  let host: MediaHost;
  const callers: Caller[] = [];
  const legs: MediaLeg[] = [];

  beforeAll(async () => {
    host = await MediaHost.start(OPTIONS);
  });
  afterAll(() => host.close());
  afterEach(async () => {
    for (const caller of callers.splice(0)) caller.close();
    await Promise.all(legs.splice(0).map((leg) => leg.close()));
  });

  async function call(more: Partial<NegotiatedMedia> = {}): Promise<{ caller: Caller; leg: MediaLeg; events: Events }> {
    const caller = new Caller();
    callers.push(caller);
    const events = new Events();
    const leg = await host.open(`leg-${Math.random()}`, events.listener);
    legs.push(leg);
    leg.negotiated(media(await caller.bind(), more));
    return { caller, leg, events };
  }

  function play(leg: MediaLeg, epoch: number, utterance: string, pcm: Int16Array): void {
    leg.enqueue(epoch, utterance);
    leg.clip({ leg: leg.leg, epoch, utterance, pcm, sampleRate: 8000 });
  }

  it('plays a clip sample by sample in an unbroken stream', async () => {
    const { caller, leg, events } = await call();
    const pcm = clip(4000);
    play(leg, 1, 'hello', pcm);
    await events.next('utterance.started');
    expect(await events.next('utterance.ended')).toMatchObject({ played: 4000, total: 4000, stopped: false });
    await caller.hears(() => indexIn(caller.heard, pcm) >= 0);
    expect(caller.packets[0]?.marker).toBe(true);
    caller.packets.slice(1).forEach((packet, n) => {
      const before = caller.packets[n]!;
      const step = (packet.timestamp - before.timestamp) >>> 0;
      expect((packet.sequence - before.sequence) & 0xffff).toBe(1);
      expect(step % 160).toBe(0);
      // Time that a stall of the machine cost is left out, and marked.
      expect(packet.marker).toBe(step > 160);
      expect(packet.ssrc).toBe(before.ssrc);
    });
  });

  it('falls silent with the next frame and never plays what was dropped', async () => {
    const { caller, leg, events } = await call();
    play(leg, 1, 'long', clip(80_000));
    play(leg, 1, 'next', clip(800));
    await events.next('utterance.started');
    await caller.hears(() => caller.heard.some((sample) => sample !== 0));
    leg.stop(2);
    play(leg, 1, 'stale', clip(800));
    const long = await events.next('utterance.ended');
    expect(long).toMatchObject({ utterance: 'long', stopped: true, total: 80_000 });
    expect(await events.next('utterance.ended')).toMatchObject({ utterance: 'next', played: 0, stopped: true });
    expect(await events.next('utterance.ended')).toMatchObject({ utterance: 'stale', played: 0, stopped: true });
    const pcm = clip(480).map((sample) => -sample);
    play(leg, 2, 'answer', pcm);
    await caller.hears(() => indexIn(caller.heard, pcm) >= 0);
    const first = caller.heard.findIndex((sample) => sample !== 0);
    const between = caller.heard.slice(first + long.played, indexIn(caller.heard, pcm));
    expect(between.findLastIndex((sample) => sample !== 0)).toBeLessThan(40);
  });

  it('writes what it hears into the ring, and survives what is not RTP', async () => {
    const { caller, leg, events } = await call();
    const said = clip(3200);
    caller.raw(Buffer.from('not RTP'), leg.port);
    caller.raw(Buffer.alloc(0), leg.port);
    caller.raw(Buffer.from([0xbf, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 255]), leg.port);
    caller.say(said, leg.port);
    await events.next('rtp.started');
    const ring = new AudioRing(leg.ring);
    await caller.hears(() => ring.end >= said.length);
    expect(ring.read(0, said.length).pcm).toEqual(Int16Array.from(said));
    const stats = await leg.close();
    expect(stats).toMatchObject({ received: 20, malformed: 3, lost: 0, late: 0 });
  });

  it('carries audio between two legs', async () => {
    const [a, b] = [await host.open('a', () => undefined), await host.open('b', () => undefined)];
    legs.push(a, b);
    expect(a.worker).not.toBe(b.worker);
    const pcm = clip(1600);
    a.negotiated(media(b.port, { codec: { name: 'PCMA', payloadType: 8, clockRate: 8000 } }));
    b.negotiated(media(a.port, { codec: { name: 'PCMA', payloadType: 8, clockRate: 8000 } }));
    play(a, 0, 'x', pcm);
    const ring = new AudioRing(b.ring);
    await expect.poll(() => ring.end, { timeout: 5000 }).toBeGreaterThan(3200);
    const heard = ring.read(0, ring.end).pcm;
    expect(Math.min(...heard)).toBeLessThan(-30_000);
  });

  it.each([
    ['G722', 9, 8000],
    ['opus', 111, 48_000],
    ['PCMU', 0, 8000],
  ] as const)('carries 16 kHz between two legs as %s and hears speech in it', async (name, payloadType, clockRate) => {
    if (name === 'opus' && opusLibrary.problem !== undefined) return;
    const events = new Events();
    const [a, b] = [await host.open('a', () => undefined, 16_000), await host.open('b', events.listener, 16_000)];
    legs.push(a, b);
    const codec: NegotiatedMedia['codec'] = { name, payloadType, clockRate };
    if (name === 'opus') codec.opus = { bitrate: 32_000, fec: true, dtx: false };
    // The other side has other numbers for the same.
    const theirs = { ...codec, payloadType: 96 };
    a.negotiated(media(b.port, { codec, receives: [{ payloadType: 96, name }] }));
    b.negotiated(media(a.port, { codec: theirs, receives: [{ payloadType, name }] }));
    const voice = await spoken(16_000);
    a.enqueue(0, 'x');
    a.clip({ leg: a.leg, epoch: 0, utterance: 'x', pcm: voice, sampleRate: 16_000 });
    const onset = await events.next('onset');
    const offset = await events.next('offset');
    expect(offset.position - onset.position).toBeGreaterThan(0.7 * voice.length);
    const { pcm } = new AudioRing(b.ring).read(onset.position, offset.position);
    expect(levelDb(pcm)).toBeGreaterThan(levelDb(voice) - 4);
    const brightness = levelDb(treble(pcm)) - levelDb(treble(voice));
    if (name === 'PCMU') expect(brightness).toBeLessThan(-20);
    else expect(brightness).toBeGreaterThan(-12);
  });

  it('converts when a call changes to a codec of another rate', async () => {
    const { caller, leg } = await call({ codec: { name: 'G722', payloadType: 9, clockRate: 8000 } });
    await caller.hears(() => caller.packets.length > 2);
    leg.negotiated(media(caller.port()));
    const tone = Int16Array.from({ length: 8000 }, (_, n) => 8000 * Math.sin(n / 3));
    caller.heard.length = 0;
    play(leg, 0, 'x', tone);
    await caller.hears(() => levelDb(Int16Array.from(caller.heard.slice(-1600))) > -20);
    expect(leg.sampleRate).toBe(8000);
  });

  it('sends to where packets come from, in packets of the length wished for', async () => {
    const { caller, leg } = await call({ remote: { address: '127.0.0.1', port: 9 }, ptime: 30 });
    caller.say(clip(160), leg.port);
    await caller.hears(() => caller.packets.length >= 4);
    expect(caller.heard.length % 240).toBe(0);
    expect(((caller.packets[3]!.timestamp - caller.packets[2]!.timestamp) >>> 0) % 240).toBe(0);
  });

  it('is quiet on hold and goes on afterwards where it was', async () => {
    const { caller, leg } = await call();
    const other = await call();
    await caller.hears(() => caller.packets.length > 2);
    leg.negotiated(media(0, { direction: 'inactive' }));
    const pcm = clip(800);
    play(leg, 0, 'waits', pcm);
    await host.stats();
    const before = caller.packets.length;
    const start = other.caller.packets.length;
    // Some of them were on their way before the hold.
    await other.caller.hears(() => other.caller.packets.length >= start + 10);
    expect(caller.packets.length).toBeLessThanOrEqual(before + 1);
    leg.negotiated(media(caller.port()));
    await caller.hears(() => indexIn(caller.heard, pcm) >= 0);
    const resumed = caller.packets.slice(before).find((packet) => packet.marker)!;
    const previous = caller.packets[caller.packets.indexOf(resumed) - 1]!;
    expect((resumed.sequence - previous.sequence) & 0xffff).toBe(1);
    expect((resumed.timestamp - previous.timestamp) >>> 0).toBeGreaterThan(640);
  });

  it('reports a key once', async () => {
    const { caller, leg, events } = await call();
    const press = (sequence: number, end: boolean, duration: number): Buffer => {
      const packet = Buffer.alloc(16);
      writeRtpHeader(packet, 101, false, sequence, 5000, 77);
      packet.set([5, end ? 0x8a : 0x0a, duration >> 8, duration & 255], 12);
      return packet;
    };
    caller.raw(press(1, false, 160), leg.port);
    for (let n = 2; n < 5; n++) caller.raw(press(n, true, 800), leg.port);
    expect(await events.next('dtmf')).toMatchObject({ digit: '5', durationMs: 100 });
    await caller.hears(() => caller.packets.length > 10);
    expect(events.all.filter((event) => event.type === 'dtmf')).toEqual([]);
  });

  it('knows keys at the clock of Opus, and comfort noise as no loss', async () => {
    const { caller, leg, events } = await call({
      telephoneEvent: { payloadType: 110, clockRate: 48_000 },
      receives: [
        { payloadType: 0, name: 'PCMU' },
        { payloadType: 110, name: 'telephone-event' },
      ],
    });
    const packet = (payloadType: number, sequence: number, ...payload: number[]): Buffer => {
      const bytes = Buffer.alloc(12 + payload.length);
      writeRtpHeader(bytes, payloadType, false, sequence, 5000, 77);
      bytes.set(payload, 12);
      return bytes;
    };
    caller.raw(packet(13, 1, 40), leg.port);
    caller.raw(packet(110, 2, 7, 0x8a, 4800 >> 8, 4800 & 255), leg.port);
    expect(await events.next('dtmf')).toMatchObject({ digit: '7', durationMs: 100 });
    expect(await leg.close()).toMatchObject({ received: 2, lost: 0, malformed: 0 });
  });

  it('marks where speech begins and ends, for main and for the speech worker, which answers with a clip', async () => {
    const ports = new Map<number, MessagePort>();
    host.connectSpeech(7, (worker, port) => ports.set(worker, port));
    const { caller, leg, events } = await call();
    leg.listen(7);
    const heard: MediaToSpeech[] = [];
    const port = ports.get(leg.worker)!;
    port.on('message', (mark: MediaToSpeech) => heard.push(mark));
    const voice = await spoken(8000);
    const before = 4000;
    const said = new Int16Array(before + voice.length);
    said.set(voice, before);
    caller.say(said, leg.port);
    const onset = await events.next('onset');
    const offset = await events.next('offset');
    expect(Math.abs(onset.position - before)).toBeLessThan(2500);
    expect(Math.abs(offset.position - said.length)).toBeLessThan(4000);
    expect(offset.at).toBeGreaterThanOrEqual(onset.at);
    await caller.hears(() => heard.some(({ type }) => type === 'offset'));
    expect(heard.filter(({ type }) => type !== 'pause')).toEqual([onset, offset]);

    const answer = clip(320);
    port.postMessage({ type: 'clip', leg: leg.leg, epoch: 0, utterance: 'reply', pcm: answer, sampleRate: 8000 });
    leg.enqueue(0, 'reply');
    await caller.hears(() => indexIn(caller.heard, answer) >= 0);
    for (const end of ports.values()) end.close();
  });

  it('leaves out a clip of a wrong rate, and goes on', async () => {
    const { leg, events } = await call();
    leg.enqueue(0, 'wrong');
    leg.clip({ leg: leg.leg, epoch: 0, utterance: 'wrong', pcm: clip(160), sampleRate: 16_000 });
    play(leg, 0, 'right', clip(160));
    expect(await events.next('utterance.ended')).toMatchObject({ utterance: 'wrong', stopped: true });
    expect(await events.next('utterance.ended')).toMatchObject({ utterance: 'right', stopped: false });
  });

  it('tells the legs of a crashed worker, frees their ports and goes on', async () => {
    const fragile = await MediaHost.start({ ...OPTIONS, workers: 1, ports: { from: 18_110, to: 18_111 } });
    try {
      const channels: number[] = [];
      fragile.connectSpeech(0, (worker, port) => {
        channels.push(worker);
        port.close();
      });
      const leg = await fragile.open('lost', () => undefined);
      const lost = new Promise<string[]>((resolve) => fragile.onWorkerLost(resolve));
      // What a crash of the thread looks like from here.
      // biome-ignore lint/complexity/useLiteralKeys: the only way to a private member
      await fragile['threads'][0]!['thread'].terminate();
      expect(await lost).toEqual(['lost']);
      expect(await leg.close()).toMatchObject({ sent: 0 });
      const again = await fragile.open('again', () => undefined);
      expect(again.port).toBe(18_110);
      expect(channels).toEqual([0, 0]);
      await again.close();
    } finally {
      await fragile.close();
    }
  });

  it('says which address cannot be bound', async () => {
    const wrong = await MediaHost.start({ ...OPTIONS, workers: 1, bind: '192.0.2.1' });
    try {
      await expect(wrong.open('x', () => undefined)).rejects.toMatchObject({ code: 'PARLEY_ERR_RTP_BIND' });
    } finally {
      await wrong.close();
    }
  });

  it('passes over ports that another program has', async () => {
    const occupant = createSocket('udp4');
    occupant.bind(18_113, '127.0.0.1');
    await once(occupant, 'listening');
    const small = await MediaHost.start({ ...OPTIONS, workers: 1, ports: { from: 18_112, to: 18_115 } });
    try {
      const leg = await small.open('1', () => undefined);
      expect(leg.port).toBe(18_114);
      await expect(small.open('2', () => undefined)).rejects.toMatchObject({ code: 'PARLEY_ERR_RTP_NO_PORT' });
      expect(await small.stats()).toMatchObject([{ legs: 1, ports: 1 }]);
      await leg.close();
    } finally {
      await small.close();
      occupant.close();
    }
  });

  it('gives ports back and says when there are none', async () => {
    const small = await MediaHost.start({ ...OPTIONS, workers: 1, ports: { from: 18_101, to: 18_105 } });
    try {
      const first = await small.open('1', () => undefined);
      expect(first.port).toBe(18_102);
      const second = await small.open('2', () => undefined);
      await expect(small.open('3', () => undefined)).rejects.toMatchObject({
        code: 'PARLEY_ERR_RTP_NO_PORT',
        sip: 503,
      });
      expect(await small.stats()).toMatchObject([{ legs: 2, ports: 2 }]);
      await first.close();
      const again = await small.open('4', () => undefined);
      expect(again.port).toBe(18_102);
      await Promise.all([again.close(), second.close()]);
      expect(await small.stats()).toMatchObject([{ legs: 0, ports: 0 }]);
    } finally {
      await small.close();
    }
  });
});
