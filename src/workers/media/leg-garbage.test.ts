import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { encodeG711, MU_LAW } from '../../audio/g711.js';
import { SoundLibrary } from '../../media/background.js';
import { echoConfig } from '../../media/echo-config.js';
import { listeningRing } from '../../media/listening.js';
import { mediaWatchConfig } from '../../media/quality-config.js';
import type { NegotiatedMedia } from '../../rtp/negotiated.js';
import { parseRtp, RTP_HEADER_BYTES, rtpFields, writeRtp } from '../../rtp/packet.js';
import { LegHealth } from './leg-health.js';
import { LegHearing } from './leg-hearing.js';
import { LegSpeaking } from './leg-speaking.js';

/** Packets of one burst: so few that no collection falls into it. */
const BURST = 1000;
/** Bursts until everything is compiled, at most. */
const BURSTS = 60;
/** Octets: one number that is boxed for each packet is 16; to look at the heap costs some by itself. */
const BOUND = 12;

const MEDIA: NegotiatedMedia = {
  remote: { address: '192.0.2.1', port: 4000 },
  codec: { name: 'PCMU', payloadType: 0, clockRate: 8000 },
  telephoneEvent: { payloadType: 101, clockRate: 8000 },
  receives: [
    { payloadType: 0, name: 'PCMU' },
    { payloadType: 101, name: 'telephone-event' },
  ],
  ptime: 20,
  direction: 'sendrecv',
};

/** A leg without its sockets, whose peer sends back what it hears: 20 ms a step, a packet in and one out. */
class Leg {
  readonly sent = new Int32Array(1);
  private readonly hearing = new LegHearing(
    listeningRing(8000),
    8000,
    undefined,
    { stages: echoConfig.parse({ echo: 'on' }), inband: 'auto', beeps: false },
    { key: ignore, beep: ignore, stir: ignore, mark: ignore },
  );
  private readonly speaking = new LegSpeaking(
    'leg',
    8000,
    ignore,
    new SoundLibrary({ country: 'us', level: 0 }),
    (frame) => this.hearing.played(frame),
  );
  private readonly health = new LegHealth('leg', mediaWatchConfig.parse({}), this.speaking.sender, 0, ignore);
  private readonly said = Int16Array.from({ length: 8000 * 60 }, (_, n) =>
    n % 24_000 < 16_000 ? 8000 * Math.sin(n * n * 1e-4) : 0,
  );
  private readonly echo = new Uint8Array(this.said.length);
  private readonly packet = new Uint8Array(RTP_HEADER_BYTES + 160);
  private readonly fields = rtpFields();
  private readonly header = { payloadType: 0, marker: false, sequence: 0, timestamp: 0xf000_0000, ssrc: 0xdead_beef };
  private place = 0;

  constructor() {
    this.speaking.configure(MEDIA);
    this.hearing.expect(MEDIA);
    this.health.negotiated(MEDIA, 0);
    encodeG711(
      MU_LAW,
      this.said.map((sample) => sample * 0.3),
      this.said.length,
      this.echo,
      0,
    );
  }

  step(time: unknown): void {
    const now = time as number;
    const { header, packet, fields, echo, speaking, hearing, health } = this;
    writeRtp(packet, header);
    header.sequence = (header.sequence + 1) & 0xffff;
    header.timestamp = (header.timestamp + 160) >>> 0;
    const delayed = (this.place + echo.length - 800) % echo.length;
    for (let n = 0; n < 160; n++) packet[RTP_HEADER_BYTES + n] = echo[delayed + n]!;
    this.place = (this.place + 160) % echo.length;
    fields.at = now;
    parseRtp(packet, fields);
    health.received(fields, hearing.clockOf(fields.payloadType));
    hearing.push(fields, packet);
    hearing.tick(now);
    if (!speaking.playout.active) {
      speaking.playout.enqueue(1, 'said');
      speaking.playout.clip(1, 'said', this.said);
    }
    health.now = now;
    speaking.tick(1, this.send);
    health.spoke(now);
  }

  /** Reports are not made packet by packet. */
  report(now: number): void {
    this.health.tick(now, ignore);
  }

  private readonly send = (packet: Uint8Array): void => {
    this.health.sent(packet);
    this.sent[0]!++;
  };
}

it('makes no garbage of a packet in and one out', () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const leg = new Leg();
  // Boxed beforehand, as an array of any objects has them: the pacer's time is one number for all legs.
  const times: unknown[] = [undefined];
  let at = 0.25;
  let least = Number.POSITIVE_INFINITY;
  for (let burst = 0; burst < BURSTS && least > BOUND; burst++) {
    times.length = 1;
    for (let n = 1; n <= BURST; n++) times.push(at + 20 * n);
    at += 20 * BURST;
    leg.report(at);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let n = 1; n < times.length; n++) leg.step(times[n]);
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / BURST);
  }
  expect(leg.sent[0]).toBeGreaterThanOrEqual(BURST);
  expect(least).toBeGreaterThan(0);
  expect(least).toBeLessThan(BOUND);
});

function ignore(): void {}
