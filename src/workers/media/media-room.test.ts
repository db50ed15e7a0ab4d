import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { type Codec, createCodec } from '../../rtp/codec.js';
import type { CodecName, NegotiatedMedia, PcmRate } from '../../rtp/negotiated.js';
import { parseRtp, rtpFields, writeRtpHeader } from '../../rtp/packet.js';
import type { FromMedia } from '../messages.js';
import type { MediaLeg } from './hosted-leg.js';
import { MediaHost } from './media-host.js';

/** Somebody on the line who hums one tone, paced, and keeps what is heard. */
class Hummer {
  readonly heard: number[] = [];
  private readonly socket: Socket = createSocket('udp4');
  private readonly encoder: Codec;
  private readonly decoder: Codec;
  private timer: NodeJS.Timeout | undefined;
  private sent = 0;

  constructor(
    private readonly hz: number,
    private readonly codec: CodecName,
    private readonly rate: PcmRate,
  ) {
    this.encoder = createCodec(codec, rate);
    this.decoder = createCodec(codec, rate);
  }

  async bind(): Promise<NegotiatedMedia> {
    this.socket.bind(0, '127.0.0.1');
    await once(this.socket, 'listening');
    const fields = rtpFields();
    const pcm = new Int16Array(4096);
    this.socket.on('message', (datagram) => {
      if (!parseRtp(datagram, fields) || fields.payloadType !== this.payloadType) return;
      const count = this.decoder.decode(datagram, fields.payloadStart, fields.payloadEnd, pcm);
      for (let n = 0; n < count; n++) this.heard.push(pcm[n]!);
    });
    const { codec: name, payloadType } = this;
    return {
      remote: { address: '127.0.0.1', port: this.socket.address().port },
      codec: { name, payloadType, clockRate: 8000 },
      receives: [{ payloadType, name }],
      ptime: 20,
      direction: 'sendrecv',
    };
  }

  hum(port: number): void {
    const samples = this.rate / 50;
    const frame = new Int16Array(samples);
    const origin = performance.now();
    this.timer = setInterval(() => {
      for (; this.sent * 20 <= performance.now() - origin; this.sent++) {
        for (let n = 0; n < samples; n++) {
          frame[n] = 8000 * Math.sin((2 * Math.PI * this.hz * (this.sent * samples + n)) / this.rate);
        }
        const packet = Buffer.alloc(12 + 400);
        const octets = this.encoder.encode(frame, samples, packet, 12);
        writeRtpHeader(packet, this.payloadType, this.sent === 0, this.sent & 0xffff, this.sent * 160, this.hz);
        this.socket.send(packet.subarray(0, 12 + octets), port, '127.0.0.1');
      }
    }, 5);
  }

  /** Level of a tone in the last half second heard, and of all sound, dBFS. */
  hears(hz: number): { tone: number; all: number } {
    return levels(this.heard.slice(-this.rate / 2), hz, this.rate);
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = performance.now() + 15_000;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`not within 15 s: ${what}`);
      await once(this.socket, 'message');
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.socket.close();
  }

  private get payloadType(): number {
    return this.codec === 'G722' ? 9 : 0;
  }
}

function levels(pcm: ArrayLike<number>, hz: number, rate: number): { tone: number; all: number } {
  let [re, im, power] = [0, 0, 0];
  for (let n = 0; n < pcm.length; n++) {
    re += pcm[n]! * Math.cos((2 * Math.PI * hz * n) / rate);
    im += pcm[n]! * Math.sin((2 * Math.PI * hz * n) / rate);
    power += pcm[n]! * pcm[n]!;
  }
  const db = (value: number) => 10 * Math.log10(Math.max(1e-12, value / 32_768 ** 2));
  const count = Math.max(1, pcm.length);
  return { tone: db((2 * (re * re + im * im)) / count ** 2), all: db(power / count) };
}

describe('MediaRoom', () => {
  let host: MediaHost;
  let folder: string;
  let caller: Hummer;
  let person: Hummer;
  let legs: [MediaLeg, MediaLeg];
  const events: FromMedia[] = [];

  beforeAll(async () => {
    const vad = { threshold: 0.5, release: 0.35, onsetMs: 96, offsetMs: 160, windowMs: 32 } as const;
    const ports = { from: 18_200, to: 18_299 };
    host = await MediaHost.start({ workers: 2, bind: '127.0.0.1', ports, vad, logLevel: 'silent' });
    folder = mkdtempSync(join(tmpdir(), 'parley-room-'));
  });

  afterAll(async () => {
    await host.close();
    rmSync(folder, { recursive: true });
  });

  beforeEach(async () => {
    events.length = 0;
    [caller, person] = [new Hummer(440, 'PCMU', 8000), new Hummer(1000, 'G722', 16_000)];
    const heard = (event: FromMedia) => events.push(event);
    legs = [
      await host.open('caller', heard, 8000, { call: 'call', detect: false }),
      await host.open('person', heard, 16_000, { call: 'call', detect: false }),
    ];
    legs[0].negotiated(await caller.bind());
    legs[1].negotiated(await person.bind());
    caller.hum(legs[0].port);
    person.hum(legs[1].port);
  });

  afterEach(async () => {
    caller.close();
    person.close();
    await Promise.all(legs.map((leg) => leg.close()));
  });

  it('joins two legs of different codecs in one worker, and takes them apart again', async () => {
    expect(legs[0].worker).toBe(legs[1].worker);
    legs[0].mix({ mode: 'bridge', between: ['caller', 'person'] });
    await caller.until('the caller hears the person', () => caller.hears(1000).tone > -16);
    await person.until('the person hears the caller', () => person.hears(440).tone > -16);
    // What is heard is the other's voice and nothing else: no echo of one's own.
    expect(caller.hears(440).tone).toBeLessThan(-50);
    expect(person.hears(1000).tone).toBeLessThan(-50);
    legs[0].maskRecording(true);
    await person.until('the person hears nothing of what is masked', () => person.hears(440).all < -60);
    legs[0].maskRecording(false);
    legs[0].mix({ mode: 'apart', who: 'person' });
    await caller.until('the caller hears nobody', () => caller.hears(1000).all < -60);
  });

  it('lets somebody without a phone listen, talk to all or to one, and hear nothing of what is sensitive', async () => {
    legs[0].mix({ mode: 'bridge', between: ['caller', 'person'] });
    const supervisor = { monitor: 'anna', rate: 8000 } as const;
    legs[0].monitor({ ...supervisor, talksTo: 'none' });
    const heard = (ms: number) => {
      const frames = events.flatMap((event) => (event.type === 'monitor.frame' ? [...event.pcm] : []));
      return frames.slice(-8 * ms);
    };
    const both = () => levels(heard(300), 440, 8000).tone > -16 && levels(heard(300), 1000, 8000).tone > -16;
    await caller.until('both are heard', both);
    legs[0].maskRecording(true);
    await caller.until('nothing is heard', () => levels(heard(200), 440, 8000).all < -90);
    legs[0].maskRecording(false);
    await caller.until('both are heard again', both);

    const tone = Int16Array.from({ length: 160 }, (_, n) => 8000 * Math.sin((2 * Math.PI * 2000 * n) / 8000));
    const talk = setInterval(() => legs[0].monitorAudio('anna', tone), 20);
    legs[0].monitor({ ...supervisor, talksTo: 'person' });
    await person.until('the person is whispered to', () => person.hears(2000).tone > -20);
    expect(caller.hears(2000).tone).toBeLessThan(-50);
    legs[0].monitor({ ...supervisor, talksTo: 'all' });
    await caller.until('the caller hears it, too', () => caller.hears(2000).tone > -20);
    clearInterval(talk);
    legs[0].monitorEnd('anna');
    await caller.until('it is over', () => caller.hears(2000).tone < -50);
  });

  it('beeps while it records: to those who are recorded, in the recording, and as nobody’s voice', async () => {
    const beep = { everyMs: 400, frequency: 1400, ms: 200, level: -10, to: 'everybody' } as const;
    legs[0].record({ folder, call: 'call-2', format: 'wav', bitrate: 24_000, beep });
    await caller.until('the caller hears it', () => caller.hears(1400).tone > -30);
    expect(person.hears(1400).tone, 'is not recorded yet').toBeLessThan(-50);
    legs[0].mix({ mode: 'bridge', between: ['caller', 'person'] });
    await person.until('the person hears it', () => person.hears(1400).tone > -30);
    const from = caller.heard.length;
    legs[0].pauseRecording(true);
    await caller.until('nobody hears it', () => caller.heard.length > from + 4000 && caller.hears(1400).tone < -50);
    expect(caller.hears(1000).tone, 'the person is heard').toBeGreaterThan(-16);
    await legs[0].close();
    const finished = events.find((event) => event.type === 'recording.finished');
    if (finished?.type !== 'recording.finished' || !finished.file) throw new Error('no recording');
    const wav = new wavefile.WaveFile(readFileSync(finished.file));
    const [left, right] = wav.getSamples(false, Int16Array) as unknown as [Int16Array, Int16Array];
    const second = (pcm: Int16Array) => levels(pcm.slice(6000, 16_000), 1400, 8000).tone;
    expect([second(left) < -50, second(right) > -30]).toEqual([true, true]);
  });

  it('records both sides in time with each other, with silence where it was paused', async () => {
    legs[0].mix({ mode: 'bridge', between: ['caller', 'person'] });
    legs[0].record({ folder, call: 'call-1', format: 'wav', bitrate: 24_000 });
    await caller.until('one second', () => caller.heard.length > 8000);
    legs[0].pauseRecording(true);
    await caller.until('another', () => caller.heard.length > 16_000);
    legs[0].pauseRecording(false);
    await caller.until('a third', () => caller.heard.length > 24_000);
    const stats = await legs[0].close();
    expect(stats.received).toBeGreaterThan(100);
    const finished = events.find((event) => event.type === 'recording.finished');
    if (finished?.type !== 'recording.finished' || !finished.file) throw new Error('no recording');
    expect(finished.complete).toBe(true);
    expect(finished.seconds).toBeGreaterThan(2);
    const wav = new wavefile.WaveFile(readFileSync(finished.file));
    const [left, right] = wav.getSamples(false, Int16Array) as unknown as [Int16Array, Int16Array];
    const half = (pcm: Int16Array, seconds: number) => pcm.slice(seconds * 8000, (seconds + 0.5) * 8000);
    expect(levels(half(left, 0.4), 440, 8000).tone).toBeGreaterThan(-16);
    expect(levels(half(right, 0.4), 1000, 8000).tone).toBeGreaterThan(-16);
    expect(levels(half(left, 1.3), 440, 8000).all).toBeLessThan(-80);
    expect(levels(left.slice(-4000), 440, 8000).tone).toBeGreaterThan(-16);
  });
});
