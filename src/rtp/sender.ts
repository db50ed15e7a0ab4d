import { randomInt } from 'node:crypto';
import { type Codec, createCodec } from './codec.js';
import type { NegotiatedMedia, PcmRate } from './negotiated.js';
import { RTP_HEADER_BYTES, writeRtpHeader } from './packet.js';

/** The send calls of a socket are asynchronous: a packet's buffer rests this many packets before it is used again. */
const BUFFERS = 16;
/** More than 60 ms of any codec of ours. */
const PACKET_BYTES = 1472;

/**
 * Makes the outgoing RTP stream of one leg. SSRC, sequence and timestamp begin at random (RFC 3550, 5.1) and stay one
 * stream whatever is renegotiated; the timestamp goes on with time also while nothing is sent.
 */
export class RtpSender {
  readonly ssrc = randomInt(0x1_0000_0000);
  /** Packets made. */
  sent = 0;
  private sequence = randomInt(0x1_0000);
  private timestamp = randomInt(0x1_0000_0000);
  private marker = true;
  private codec: Codec | undefined;
  private payloadType = 0;
  private frame = new Int16Array(0);
  /** Samples that time has earned and no packet has carried. */
  private due = 0;
  private readonly buffers = Array.from({ length: BUFFERS }, () => Buffer.alloc(PACKET_BYTES));
  private packets: Buffer[] = [];

  /** @param sampleRate of what is rendered, Hz */
  constructor(private readonly sampleRate: PcmRate) {}

  /** What to send from now on. */
  configure({ codec, ptime }: NegotiatedMedia): void {
    this.codec = createCodec(codec.name, this.sampleRate, codec.opus);
    this.payloadType = codec.payloadType;
    this.frame = new Int16Array((ptime * this.sampleRate) / 1000);
    this.packets = [];
    this.due = 0;
  }

  /**
   * Time goes on by `ms`: makes the packets that are due.
   *
   * @param render fills a packet's samples
   * @param send takes a packet; its buffer is used again some packets later
   */
  advance(ms: number, render: (frame: Int16Array) => void, send: (packet: Uint8Array) => void): void {
    const { codec, frame } = this;
    if (!codec) return;
    this.due += (ms * this.sampleRate) / 1000;
    while (this.due >= frame.length) {
      this.due -= frame.length;
      render(frame);
      const packet = this.packet(codec, frame);
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
  }

  /** Nothing when there is silence that need not be sent; the packet after it has the marker. */
  private packet(codec: Codec, frame: Int16Array): Buffer | undefined {
    const slot = this.sent % BUFFERS;
    const buffer = this.buffers[slot]!;
    const octets = codec.encode(frame, frame.length, buffer, RTP_HEADER_BYTES);
    if (octets === 0) {
      this.marker = true;
      return undefined;
    }
    writeRtpHeader(buffer, this.payloadType, this.marker, this.sequence, this.timestamp, this.ssrc);
    const size = RTP_HEADER_BYTES + octets;
    this.sequence = (this.sequence + 1) & 0xffff;
    this.marker = false;
    this.sent++;
    const packet = this.packets[slot];
    if (packet?.length === size) return packet;
    const view = buffer.subarray(0, size);
    this.packets[slot] = view;
    return view;
  }
}
