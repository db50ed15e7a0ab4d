import type { AudioRing } from '../audio/ring.js';
import type { DetectedStream, Detection } from '../media/detection.js';
import { ListeningStream, listeningRing } from '../media/listening.js';
import { type Codec, createCodec } from '../rtp/codec.js';
import type { NegotiatedMedia, PcmRate } from '../rtp/negotiated.js';
import type { RtpFields } from '../rtp/packet.js';
import { type Released, ReorderBuffer } from '../rtp/reorder.js';
import { TelephoneEvents } from '../rtp/telephone-event.js';

/** What a leg's hearing reports. */
export interface HearingListener {
  /** A key by RFC 4733. */
  key(digit: string, durationMs: number, at: number): void;
  /** Voice began or ended at this position, whose sample arrived at `at`. */
  mark(type: 'onset' | 'offset', position: number, at: number): void;
}

/** What a leg hears: packets in order, decoded into one stream, in which voice is looked for. */
export class LegHearing {
  readonly ring: AudioRing;
  readonly reorder = new ReorderBuffer((packet) => this.released(packet));
  /** Packets that were no valid event. */
  malformed = 0;
  private readonly listening: ListeningStream;
  private readonly events: TelephoneEvents;
  private readonly detected: DetectedStream | undefined;
  /** What decodes the peer's audio, by payload type. */
  private decoders: readonly (Codec | undefined)[] = [];
  private eventTypes: readonly number[] = [];
  /** RTP clock of the audio that came last, Hz. */
  private clockRate = 8000;
  private listens = false;

  /** @param detection looks for voice; without it nobody does */
  constructor(
    private readonly sampleRate: PcmRate,
    private readonly detection: Detection | undefined,
    private readonly listener: HearingListener,
  ) {
    this.ring = listeningRing(sampleRate);
    this.listening = new ListeningStream(this.ring, sampleRate);
    this.events = new TelephoneEvents((digit, durationMs, at) => listener.key(digit, durationMs, at));
    this.detected = detection?.add(this.ring, (type, position) => this.mark(type, position));
  }

  /** RTP clock of the audio that came last, Hz. */
  get clock(): number {
    return this.clockRate;
  }

  /** What may come from now on. A decoder goes on when its codec does. */
  expect({ receives, telephoneEvent, direction }: NegotiatedMedia): void {
    this.listens = direction === 'sendrecv' || direction === 'recvonly';
    const before = this.decoders;
    const decoders: (Codec | undefined)[] = [];
    for (const { payloadType, name } of receives) {
      if (name === 'telephone-event') continue;
      const known = [...decoders, ...before].find((codec) => codec?.name === name);
      decoders[payloadType] = known ?? createCodec(name, this.sampleRate);
    }
    this.decoders = decoders;
    this.eventTypes = receives.flatMap(({ payloadType, name }) => (name === 'telephone-event' ? [payloadType] : []));
    if (telephoneEvent) this.events.clockRate = telephoneEvent.clockRate;
  }

  push(fields: RtpFields, datagram: Uint8Array, at: number): void {
    this.reorder.push(fields, datagram, at);
  }

  tick(now: number): void {
    this.reorder.poll(now);
    this.events.poll(now);
    this.listening.tick(now, this.clockRate);
  }

  close(): void {
    if (this.detected) this.detection?.remove(this.detected);
  }

  private released(packet: Released): void {
    if (packet.restarted) this.events.restart();
    const decoder = this.decoders[packet.payloadType];
    if (decoder) {
      this.clockRate = decoder.clockRate;
      if (this.listens) this.listening.audio(packet, decoder);
    } else if (this.eventTypes.includes(packet.payloadType)) {
      if (!this.events.push(packet.bytes, packet.start, packet.end, packet.timestamp, packet.at)) this.malformed++;
    }
    // Comfort noise has been put in its place, and that is all: while nothing else comes, there is silence.
  }

  private mark(type: 'onset' | 'offset', position: number): void {
    const sample = type === 'onset' ? position : Math.max(0, position - 1);
    this.listener.mark(type, position, this.listening.arrivalOf(sample));
  }
}
