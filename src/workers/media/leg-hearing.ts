import type { AudioRing } from '../../audio/ring.js';
import { BeepDetector } from '../../media/beep.js';
import { CallerStages } from '../../media/caller-stages.js';
import type { DetectedMark, DetectedStream, Detection } from '../../media/detection.js';
import type { EstimateBudget } from '../../media/echo/estimate-budget.js';
import type { EchoConfig } from '../../media/echo-config.js';
import { ListeningStream } from '../../media/listening.js';
import { type Codec, createCodec } from '../../rtp/codec.js';
import { JitterBuffer } from '../../rtp/jitter.js';
import type { NegotiatedMedia, PcmRate } from '../../rtp/negotiated.js';
import type { RtpFields } from '../../rtp/packet.js';
import { type Released, ReorderBuffer } from '../../rtp/reorder.js';
import { TelephoneEvents } from '../../rtp/telephone-event.js';
import { monotonicMs } from '../../telemetry/clock.js';

/** What a leg's hearing reports. */
export interface HearingListener {
  key(source: 'rfc4733' | 'inband', digit: string, durationMs: number, at: number): void;
  /** A mailbox has beeped. */
  beep(durationMs: number): void;
  /** A window with voice in it, which may be the beginning of an onset, and then that it was none. */
  stir(voiced: boolean): void;
  /** Voice began, paused or ended at this position, whose sample arrived at `at`. */
  mark(type: 'onset' | 'pause' | 'offset', position: number, at: number): void;
}

/** How a leg listens. */
export interface HearingOptions {
  stages: EchoConfig;
  /** Whether keys are looked for in the sound: auto where RFC 4733 was not agreed. */
  inband: 'auto' | 'always' | 'never';
  /** Whether the beep of a mailbox is listened for. */
  beeps: boolean;
  /** Of the thread, for looking for echoes. */
  budget?: EstimateBudget | undefined;
}

/** What a leg hears: packets in order, decoded into one stream, in which voice is looked for. */
export class LegHearing {
  readonly reorder = new ReorderBuffer((packet) => this.released(packet));
  /** Packets that were no valid event. */
  malformed = 0;
  private readonly listening: ListeningStream;
  private readonly stages: CallerStages;
  /** On our clock, for those who hear the leg directly; there when somebody does. */
  private jitter: JitterBuffer | undefined;
  private receives: NegotiatedMedia['receives'] = [];
  private readonly events: TelephoneEvents;
  private readonly beeps: BeepDetector | undefined;
  /** Up to where it has listened. */
  private beepsFrom = 0;
  private readonly detected: DetectedStream | undefined;
  /** What decodes the peer's audio, by payload type. */
  private decoders: readonly (Codec | undefined)[] = [];
  private eventTypes: readonly number[] = [];
  /** RTP clock of the audio that came last, Hz. */
  private clockRate = 8000;
  private listens = false;

  /**
   * @param ring what is heard is written there
   * @param detection looks for voice; without it nobody does
   */
  constructor(
    readonly ring: AudioRing,
    private readonly sampleRate: PcmRate,
    private readonly detection: Detection | undefined,
    private readonly options: HearingOptions,
    private readonly listener: HearingListener,
  ) {
    const key = (digit: string, durationMs: number) => listener.key('inband', digit, durationMs, monotonicMs());
    this.stages = new CallerStages(sampleRate, options.stages, key, options.budget);
    this.listening = new ListeningStream(this.ring, sampleRate, this.stages);
    if (options.beeps) this.beeps = new BeepDetector(sampleRate, (durationMs) => listener.beep(durationMs));
    this.events = new TelephoneEvents((digit, durationMs, at) => listener.key('rfc4733', digit, durationMs, at));
    this.detected = detection?.add(this.ring, (type, position) => this.mark(type, position), this.stages);
  }

  /** What may come from now on. A decoder goes on when its codec does. */
  expect({ receives, telephoneEvent, direction }: NegotiatedMedia): void {
    this.listens = direction === 'sendrecv' || direction === 'recvonly';
    const { inband } = this.options;
    this.stages.inband = inband === 'always' || (inband === 'auto' && !telephoneEvent);
    this.receives = receives;
    this.jitter?.expect(receives);
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

  /** What goes to the peer: see {@link CallerStages.played}. */
  played(frame: Int16Array): void {
    this.stages.played(frame);
  }

  /** RTP clock of what has this payload type, Hz; 0 when it is no audio. */
  clockOf(payloadType: number): number {
    return this.decoders[payloadType]?.clockRate ?? 0;
  }

  /** From now on {@link pull} gives what the peer says, on our clock. */
  enterMix(): void {
    if (this.jitter) return;
    this.jitter = new JitterBuffer(this.sampleRate);
    this.jitter.expect(this.receives);
  }

  /** Fills `frame` with what the peer says now; silence while it is not to be heard. */
  pull(frame: Int16Array, now: number): void {
    if (this.jitter && this.listens) this.jitter.pull(frame, now);
    else frame.fill(0);
  }

  push(fields: RtpFields, datagram: Uint8Array): void {
    this.jitter?.push(fields, datagram);
    this.reorder.push(fields, datagram);
  }

  tick(now: number): void {
    this.reorder.poll(now);
    this.events.poll(now);
    this.listening.tick(now, this.clockRate, this.reorder.waiting);
    if (this.beeps) this.listenForBeeps(this.beeps);
  }

  private listenForBeeps(beeps: BeepDetector): void {
    const { end } = this.ring;
    if (end > this.beepsFrom) beeps.process(this.ring.read(this.beepsFrom, end).pcm);
    this.beepsFrom = end;
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
      if (!this.events.push(packet.bytes, packet.start, packet.end, packet.timestamp, packet.at, packet.marker)) {
        this.malformed++;
      }
    }
    // Comfort noise has been put in its place, and that is all: while nothing else comes, there is silence.
  }

  private mark(type: DetectedMark, position: number): void {
    if (type === 'stir' || type === 'calm') return this.listener.stir(type === 'stir');
    const sample = type === 'onset' ? position : Math.max(0, position - 1);
    this.listener.mark(type, position, this.listening.arrivalOf(sample));
  }
}
