import { createSocket, type Socket } from 'node:dgram';
import { until } from './until.js';
import { fromMuLaw, type Sound, toMuLaw } from './wav.js';

/** A packet that a peer received. */
export interface HeardPacket {
  /** `performance.now()` of its arrival, ms. */
  at: number;
  from: { address: string; port: number };
  marker: boolean;
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payload: Buffer;
}

const FRAME = 160;
/** An echo keeps its place in what is sent while the two are apart by less, samples: clocks and stalls are no new line. */
const MOST_OFF = 8000;
const SILENCE = Buffer.alloc(FRAME, 0xff);

/** A PCMU phone's RTP: sends every 20 ms without pause, as phones do, and keeps all it hears. */
export class RtpPeer {
  readonly heard: HeardPacket[] = [];
  readonly port: number;
  /** What comes back of what is heard: so much later, ms, at this share of its level. */
  echo: { delayMs: number; gain: number } | undefined;
  /** RTP timestamp of what comes back next. */
  private echoed: number | undefined;
  private remote: { address: string; port: number } | undefined;
  private sequence = 65_530;
  private timestamp = 4_294_960_000;
  private readonly ssrc = 0x1234_5678;
  private queue: { frames: Buffer[]; done: () => void }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private next = 0;
  private closed = false;

  private constructor(private readonly socket: Socket) {
    this.port = socket.address().port;
    socket.on('message', (packet, from) => {
      const at = performance.now();
      if (packet.length < 12 || packet[0] !== 0x80) return;
      this.heard.push({
        at,
        from,
        marker: (packet[1]! & 0x80) !== 0,
        payloadType: packet[1]! & 0x7f,
        sequence: packet.readUInt16BE(2),
        timestamp: packet.readUInt32BE(4),
        ssrc: packet.readUInt32BE(8),
        payload: packet.subarray(12),
      });
    });
  }

  static async open(): Promise<RtpPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, '127.0.0.1', resolve);
    });
    return new RtpPeer(socket);
  }

  /** The SDP of a PCMU phone at this port. */
  sdp(direction = 'sendrecv'): string {
    return [
      'v=0',
      'o=kit 1 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${this.port} RTP/AVP 0 101`,
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      `a=${direction}`,
      '',
    ].join('\r\n');
  }

  /** Sends silence, or what {@link play} queued, to the address in the other side's SDP from now on. */
  start(sdp: string): void {
    this.aim(sdp);
    this.next = performance.now();
    this.tick();
  }

  /** What is sent goes to the address in this SDP from now on. */
  aim(sdp: string): void {
    const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
    const port = /^m=audio (\d+)/m.exec(sdp)?.[1];
    if (!address || !port) throw new Error(`SDP without an audio address:\n${sdp}`);
    this.remote = { address, port: Number(port) };
  }

  /** Sends nothing any more, or goes on; what it would have sent meanwhile is left out. */
  mute(on: boolean): void {
    clearTimeout(this.timer);
    if (on) return;
    this.next = performance.now();
    this.tick();
  }

  /** A receiver report on the stream that is heard: up to this packet has come (RFC 3550, 6.4.2). */
  report(highestSequence: number): void {
    const report = Buffer.alloc(32);
    report.writeUInt32BE(0x81c9_0007);
    report.writeUInt32BE(this.ssrc, 4);
    report.writeUInt32BE(this.heard.at(-1)?.ssrc ?? 0, 8);
    report.writeUInt32BE(highestSequence, 16);
    const name = Buffer.from('81ca000300000000010374656c000000', 'hex');
    name.writeUInt32BE(this.ssrc, 4);
    if (this.remote) this.socket.send(Buffer.concat([report, name]), this.remote.port + 1, this.remote.address);
  }

  /** Plays 8 kHz sound behind what is queued; resolves when its last frame is sent (or dropped by {@link close}). */
  play(sound: Sound): Promise<void> {
    const bytes = toMuLaw(sound.pcm);
    const frames: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += FRAME) {
      const frame = Buffer.from(SILENCE);
      bytes.copy(frame, 0, at, at + FRAME);
      frames.push(frame);
    }
    return new Promise((done) => this.queue.push({ frames, done }));
  }

  /** Presses a key as RFC 4733 has it: a packet each 20 ms, the end three times. */
  press(digit: string): void {
    const event = '0123456789*#'.indexOf(digit);
    const timestamp = this.timestamp;
    for (const [n, duration] of [160, 320, 480, 640, 640, 640].entries()) {
      const payload = Buffer.from([event, (n >= 3 ? 0x80 : 0) | 10, duration >> 8, duration & 0xff]);
      const header = rtpHeader(this.sequence, timestamp, this.ssrc, 101);
      if (n === 0) header[1]! |= 0x80;
      this.sendRaw(Buffer.concat([header, payload]));
      this.sequence = (this.sequence + 1) & 0xffff;
    }
  }

  /** Sends any bytes to the other side's RTP port, from this port. */
  sendRaw(bytes: Buffer): void {
    if (this.remote) this.socket.send(bytes, this.remote.port, this.remote.address);
  }

  /** Where {@link start} sends to. */
  get target(): { address: string; port: number } {
    if (!this.remote) throw new Error('RTP not started');
    return this.remote;
  }

  /** Waits until the other side has spoken since `since` (`performance.now()`) and then been quiet for `quietMs`. */
  async spoken(since: number, quietMs = 1000, ms = 30_000): Promise<void> {
    const isVoiced = (packet: HeardPacket) => packet.at > since && loudness(packet) > 200;
    await until(
      'the other side spoke and fell quiet',
      () => {
        const last = this.heard.findLast(isVoiced);
        return last !== undefined && performance.now() - last.at > quietMs;
      },
      { ms },
    );
  }

  /** Whether the other side has spoken since then (`performance.now()`). */
  speaks(since: number): boolean {
    return this.heard.some((packet) => packet.at > since && loudness(packet) > 200);
  }

  /** All sound heard of the audio payload types, each packet where its timestamp puts it; gaps are silent. */
  sound(): Sound {
    return toSound(this.heard);
  }

  /** Twice does no harm. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    for (const { done } of this.queue) done();
    this.queue = [];
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private tick(): void {
    while (performance.now() >= this.next) {
      this.sendFrame(this.nextFrame());
      this.next += 20;
    }
    this.timer = setTimeout(() => this.tick(), Math.max(0, this.next - performance.now()));
  }

  private nextFrame(): Buffer {
    const playing = this.queue[0];
    const frame = playing?.frames.shift();
    if (playing && playing.frames.length === 0) {
      this.queue.shift();
      playing.done();
    }
    return this.withEcho(frame ?? SILENCE);
  }

  /** The line, or a loudspeaker, gives back what was heard a while ago, sample by sample: a phone plays at a steady pace. */
  private withEcho(frame: Buffer): Buffer {
    if (!this.echo) return frame;
    const { delayMs, gain } = this.echo;
    const due = this.heard.findLast(({ at, payloadType }) => payloadType === 0 && at <= performance.now() - delayMs);
    if (!due) return frame;
    const off = (due.timestamp - (this.echoed ?? due.timestamp)) | 0;
    const timestamp = this.echoed === undefined || Math.abs(off) > MOST_OFF ? due.timestamp : this.echoed;
    this.echoed = (timestamp + FRAME) >>> 0;
    const back = this.heard.findLast((packet) => packet.timestamp === timestamp && packet.payloadType === 0);
    if (back?.payload.length !== frame.length) return frame;
    const returned = fromMuLaw(back.payload);
    return toMuLaw(
      fromMuLaw(frame).map((sample, n) => Math.max(-32_000, Math.min(32_000, sample + gain * returned[n]!))),
    );
  }

  private sendFrame(payload: Buffer): void {
    this.sendRaw(Buffer.concat([rtpHeader(this.sequence, this.timestamp, this.ssrc), payload]));
    this.sequence = (this.sequence + 1) & 0xffff;
    this.timestamp = (this.timestamp + FRAME) >>> 0;
  }
}

/** Mean absolute sample value of an audio packet. */
function loudness({ payloadType, payload }: HeardPacket): number {
  if (payloadType !== 0 || payload.length === 0) return 0;
  return fromMuLaw(payload).reduce((sum, sample) => sum + Math.abs(sample), 0) / payload.length;
}

/** An RTP header of version 2, payload type 0 unless told another (RFC 3550 section 5.1). */
export function rtpHeader(sequence: number, timestamp: number, ssrc: number, payloadType = 0): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = payloadType;
  header.writeUInt16BE(sequence, 2);
  header.writeUInt32BE(timestamp, 4);
  header.writeUInt32BE(ssrc, 8);
  return header;
}

/** PCMU packets as one sound, each where its timestamp puts it relative to the first. */
export function toSound(packets: readonly HeardPacket[]): Sound {
  const audio = packets.filter((packet) => packet.payloadType === 0);
  const first = audio[0];
  if (!first) return { pcm: new Int16Array(0), sampleRate: 8000 };
  const place = (packet: HeardPacket) => (packet.timestamp - first.timestamp) | 0;
  const length = Math.max(...audio.map((packet) => place(packet) + packet.payload.length));
  // A stream that restarts its timestamps would ask for hours; nobody listens that long here.
  const pcm = new Int16Array(Math.min(length, 8000 * 600));
  for (const packet of audio) {
    const at = place(packet);
    if (at >= 0 && at + packet.payload.length <= pcm.length) pcm.set(fromMuLaw(packet.payload), at);
  }
  return { pcm, sampleRate: 8000 };
}
