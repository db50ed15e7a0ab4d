import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Codec, createCodec } from './codec.js';
import type { NegotiatedMedia, PcmRate } from './negotiated.js';
import { RTP_HEADER_BYTES, type RtpHeader, writeRtp } from './packet.js';
import { plainPackets } from './packet-memory.js';
import { type DigitOptions, DigitSender } from './sender-digits.js';

/** Samples of one packet, by their number: used within one call only, so that all senders of a thread share them. */
const frames = new Map<number, Int16Array<ArrayBuffer>>();

/**
 * Makes the outgoing RTP stream of one leg, audio and keys. SSRC, sequence and timestamp begin at random (RFC 3550, 5.1)
 * and stay one stream whatever is renegotiated; the timestamp goes on with time also while nothing is sent. Only another
 * RTP clock is another stream, with an SSRC of its own: under one SSRC it would spoil the peer's jitter and RTCP (RFC 7160, 4).
 */
export class RtpSender {
  /** Packets made, of all streams. */
  sent = 0;
  /** Packets and payload octets of the present SSRC, for RTCP (RFC 3550, 6.4.1). */
  packets = 0;
  octets = 0;
  /** Of the next packet; its timestamp is that of the last one. */
  private readonly header: RtpHeader = {
    payloadType: 0,
    marker: true,
    sequence: randomInt(0x1_0000),
    timestamp: 0,
    ssrc: randomInt(0x1_0000_0000),
  };
  private timestamp = randomInt(0x1_0000_0000);
  private marker = true;
  private codec: Codec | undefined;
  private negotiated: NegotiatedMedia['codec'] | undefined;
  private event: NegotiatedMedia['telephoneEvent'];
  private frame = new Int16Array(0);
  private frameMs = 20;
  /** Samples that time has earned and no packet has carried. */
  private due = 0;
  private readonly keys: DigitSender;

  /** @param sampleRate of what is rendered, Hz */
  constructor(private readonly sampleRate: PcmRate) {
    this.keys = new DigitSender(sampleRate);
  }

  /** Of the present stream. */
  get ssrc(): number {
    return this.header.ssrc;
  }

  /** RTP timestamp that belongs to now: of the audio that comes next, for the sender reports of RTCP. */
  get mediaTimestamp(): number {
    return this.timestamp;
  }

  /** What to send from now on. The codec's state goes on where it stays the same; time that no packet has carried is kept. */
  configure({ codec, ptime, telephoneEvent }: NegotiatedMedia): void {
    const before = this.codec;
    const same = isDeepStrictEqual([codec.name, codec.opus], [this.negotiated?.name, this.negotiated?.opus]);
    const made = before && same ? before : createCodec(codec.name, this.sampleRate, codec.opus);
    if (before && made.clockRate !== before.clockRate) this.beginAnew();
    this.codec = made;
    this.negotiated = codec;
    this.event = telephoneEvent;
    this.frameMs = ptime;
    const samples = (ptime * this.sampleRate) / 1000;
    this.frame = frames.get(samples) ?? new Int16Array(samples);
    frames.set(samples, this.frame);
  }

  /**
   * Sends keys after those that wait: 0-9 A-D * #; `,` is a pause of 1 s, `w` one of 500 ms. What is rendered waits
   * meanwhile, except in pauses.
   *
   * @throws ParleyError PARLEY_ERR_DTMF_INVALID; nothing is queued then
   */
  digits(text: string, options: DigitOptions = {}): void {
    this.keys.queue(text, options);
  }

  /**
   * Time goes on by `ms`: makes the packets that are due.
   *
   * @param render fills a packet's samples
   * @param send takes a packet; its buffer is used again for the next
   */
  advance(ms: number, render: (frame: Int16Array) => void, send: (packet: Uint8Array) => void): void {
    const { codec, frame } = this;
    if (!codec) return;
    this.due += (ms * this.sampleRate) / 1000;
    while (this.due >= frame.length) {
      this.due -= frame.length;
      const packet = this.packet(codec, frame, render);
      if (packet) send(packet);
      this.timestamp = (this.timestamp + (frame.length * codec.clockRate) / this.sampleRate) >>> 0;
    }
  }

  /** Time goes on by `ms` without packets: on hold, or after a stall. */
  pause(ms: number): void {
    const { codec } = this;
    if (!codec) return;
    this.timestamp = (this.timestamp + (ms * codec.clockRate) / 1000) >>> 0;
    this.marker = true;
    this.keys.skip(ms);
  }

  private packet(codec: Codec, frame: Int16Array, render: (frame: Int16Array) => void): Buffer | undefined {
    const { keys } = this;
    const step = keys.active
      ? keys.step(this.frameMs, this.timestamp, codec.clockRate, this.event?.clockRate)
      : 'audio';
    if (step === 'event' && this.event) return this.key(this.event.payloadType);
    if (step === 'audio') render(frame);
    else this.keys.tone(frame);
    return this.audio(codec, frame);
  }

  /** Nothing when there is silence that need not be sent; the packet after it has the marker. */
  private audio(codec: Codec, frame: Int16Array): Buffer | undefined {
    const octets = codec.encode(frame, frame.length, plainPackets.bytes, RTP_HEADER_BYTES);
    if (octets === 0) {
      this.marker = true;
      return undefined;
    }
    const { header } = this;
    header.marker = this.marker;
    header.timestamp = this.timestamp;
    this.marker = false;
    return this.finish(this.negotiated!.payloadType, octets);
  }

  /** A packet of the key that is down. Audio after it is a new talkspurt. */
  private key(payloadType: number): Buffer {
    const octets = this.keys.event(plainPackets.bytes, RTP_HEADER_BYTES);
    const { header, keys } = this;
    header.marker = keys.marker;
    header.timestamp = keys.timestamp;
    this.marker = true;
    return this.finish(payloadType, octets);
  }

  private finish(payloadType: number, octets: number): Buffer {
    const { header } = this;
    const packet = plainPackets.view(RTP_HEADER_BYTES + octets);
    header.payloadType = payloadType;
    writeRtp(packet, header);
    header.sequence = (header.sequence + 1) & 0xffff;
    this.sent++;
    this.packets++;
    this.octets += octets;
    return packet;
  }

  /** The clock is another one: another stream. */
  private beginAnew(): void {
    this.header.ssrc = randomInt(0x1_0000_0000);
    this.header.sequence = randomInt(0x1_0000);
    this.timestamp = randomInt(0x1_0000_0000);
    this.marker = true;
    this.packets = this.octets = 0;
  }
}
