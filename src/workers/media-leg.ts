import type { RemoteInfo } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { AudioRing } from '../audio/ring.js';
import { reasonOf } from '../errors.js';
import type { DetectedStream, Detection } from '../media/detection.js';
import { ListeningStream, listeningRing } from '../media/listening.js';
import { Playout } from '../media/playout.js';
import { type Codec, createCodec } from '../rtp/codec.js';
import { SourceLatch } from '../rtp/latch.js';
import type { NegotiatedMedia, PcmRate } from '../rtp/negotiated.js';
import { isRtcp, parseRtp, type RtpFields, rtpFields } from '../rtp/packet.js';
import { type Released, ReorderBuffer } from '../rtp/reorder.js';
import { RtpSender } from '../rtp/sender.js';
import { bindPair, type SocketPair } from '../rtp/sockets.js';
import { TelephoneEvents } from '../rtp/telephone-event.js';
import { monotonicMs } from '../telemetry/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { ClipMessage, FromMedia, LegStats, SpeechMark } from './messages.js';

const FRAME_MS = 20;
/** Comfort noise has the same number everywhere (RFC 3389, 4), so it is known whether it was agreed or not. */
const COMFORT_NOISE = 13;
/** A leg's complaints are logged at most so often, ms. */
const LOG_EVERY_MS = 10_000;

/** What a leg is to be. */
export interface LegOptions {
  /** Of its PCM, Hz. */
  sampleRate: PcmRate;
  /** Whether voice is looked for in what it hears. */
  detect: boolean;
}

/** What a leg needs of its worker. */
export interface LegContext {
  bind: string;
  detection: Readonly<Record<PcmRate, Detection>>;
  log: Logger;
  post(event: FromMedia): void;
  /** Onset and offset, for main and the leg's speech worker. */
  mark(type: 'onset' | 'offset', mark: SpeechMark, speech: number | undefined): void;
}

/** One RTP stream pair of one call: the stages of `rtp/` and `media/` in a row, between a socket and the worker's messages. */
export class RtpLeg {
  readonly ring: AudioRing;
  /** The speech worker that hears this leg's marks. */
  speech: number | undefined;
  private readonly listening: ListeningStream;
  private readonly reorder = new ReorderBuffer((packet) => this.released(packet));
  private readonly events: TelephoneEvents;
  private readonly playout: Playout;
  private readonly sender: RtpSender;
  private readonly latch = new SourceLatch();
  private readonly fields: RtpFields = rtpFields();
  private readonly detected: DetectedStream | undefined;
  private sockets: SocketPair | undefined;
  private media: NegotiatedMedia | undefined;
  /** What decodes the peer's audio, by payload type. */
  private decoders: readonly (Codec | undefined)[] = [];
  private eventTypes: readonly number[] = [];
  /** RTP clock of the audio that came last, Hz. */
  private clockRate = 8000;
  private sends = false;
  private listens = false;
  private lastFrame = -1;
  private received = 0;
  private malformed = 0;
  private loggedAt = Number.NEGATIVE_INFINITY;

  private constructor(
    readonly leg: string,
    private readonly sampleRate: PcmRate,
    detect: boolean,
    private readonly context: LegContext,
  ) {
    this.ring = listeningRing(sampleRate);
    this.listening = new ListeningStream(this.ring, sampleRate);
    this.sender = new RtpSender(sampleRate);
    this.events = new TelephoneEvents((digit, durationMs, at) =>
      context.post({ type: 'dtmf', leg, at, digit, durationMs }),
    );
    this.playout = new Playout(sampleRate, {
      started: (epoch, utterance) =>
        context.post({ type: 'utterance.started', leg, epoch, utterance, at: monotonicMs() }),
      ended: (epoch, utterance, played, total, stopped) =>
        context.post({ type: 'utterance.ended', leg, epoch, utterance, at: monotonicMs(), played, total, stopped }),
    });
    if (detect) this.detected = context.detection[sampleRate].add(this.ring, (type, at) => this.mark(type, at));
  }

  /** Binds `port` and the one above; rejects with the system's error. */
  static async open(
    leg: string,
    port: number,
    { sampleRate, detect }: LegOptions,
    context: LegContext,
  ): Promise<RtpLeg> {
    const made = new RtpLeg(leg, sampleRate, detect, context);
    try {
      made.sockets = await bindPair(context.bind, port, {
        rtp: (datagram, source) => made.arrived(datagram, source),
        rtcp: () => undefined,
        error: (error) => made.complain('RTP socket', error),
      });
      return made;
    } catch (error) {
      made.undetect();
      throw error;
    }
  }

  negotiated(media: NegotiatedMedia): void {
    if (!this.media || !isDeepStrictEqual(sending(media), sending(this.media))) this.sender.configure(media);
    this.expect(media);
    this.media = media;
    this.sends = media.direction === 'sendrecv' || media.direction === 'sendonly';
    this.listens = media.direction === 'sendrecv' || media.direction === 'recvonly';
    const { address, port } = media.remote;
    if (isIP(address) !== 0) this.latch.negotiated(address, port);
    else this.resolve(address, port);
  }

  enqueue(epoch: number, utterance: string): void {
    this.playout.enqueue(epoch, utterance);
  }

  clip({ epoch, utterance, pcm, sampleRate }: ClipMessage): void {
    if (sampleRate === this.sampleRate) this.playout.clip(epoch, utterance, pcm);
    else {
      this.complain('clip', new Error(`sample rate ${sampleRate} instead of ${this.sampleRate} Hz`));
      this.playout.skip(epoch, utterance);
    }
  }

  skip(epoch: number, utterance: string): void {
    this.playout.skip(epoch, utterance);
  }

  stop(epoch: number): void {
    this.playout.stop(epoch);
  }

  gain(level: number): void {
    this.playout.gain(level);
  }

  /** A stop word was heard: silent from the next frame on, until main has decided. */
  hush(): void {
    this.playout.gain(0);
  }

  /** The 20 ms tick. @param frame its number; missing numbers are frames left out after a stall */
  tick(frame: number, now: number): void {
    const frames = this.lastFrame < 0 ? 1 : frame - this.lastFrame;
    this.lastFrame = frame;
    this.reorder.poll(now);
    this.events.poll(now);
    this.listening.tick(now, this.clockRate);
    if (frames > 1) this.sender.pause((frames - 1) * FRAME_MS);
    if (this.sends && this.latch.port !== 0) this.sender.advance(FRAME_MS, this.render, this.send);
    else {
      this.sender.pause(FRAME_MS);
      this.playout.pause();
    }
  }

  /** Resolves when the ports are free. */
  async close(): Promise<LegStats> {
    this.undetect();
    this.media = undefined;
    this.sends = false;
    await this.sockets?.close();
    const { lost, late, duplicate } = this.reorder.counts;
    return {
      sent: this.sender.sent,
      received: this.received,
      lost,
      late: late + duplicate,
      malformed: this.malformed,
    };
  }

  /** Tells of something wrong with this leg, not too often. */
  complain(what: string, error: unknown): void {
    const now = monotonicMs();
    if (now - this.loggedAt < LOG_EVERY_MS) return;
    this.loggedAt = now;
    this.context.log.warn({ leg: this.leg, reason: reasonOf(error) }, `${what}: trouble on this leg`);
  }

  private undetect(): void {
    if (this.detected) this.context.detection[this.sampleRate].remove(this.detected);
  }

  private readonly render = (frame: Int16Array): void => this.playout.render(frame);

  private readonly send = (packet: Uint8Array): void => {
    this.sockets?.send(packet, this.latch.address, this.latch.port);
  };

  private arrived(datagram: Uint8Array, source: RemoteInfo): void {
    try {
      this.receive(datagram, source);
    } catch (error) {
      this.complain('RTP packet', error);
    }
  }

  private receive(datagram: Uint8Array, source: RemoteInfo): void {
    const { media, fields } = this;
    if (!media || isRtcp(datagram)) return;
    if (!parseRtp(datagram, fields)) {
      this.malformed++;
      return;
    }
    if (!this.isExpected(fields.payloadType)) return;
    const at = monotonicMs();
    if (!this.latch.accepts(source.address, source.port, fields.ssrc, at)) return;
    if (this.received++ === 0) this.context.post({ type: 'rtp.started', leg: this.leg, at });
    this.reorder.push(fields, datagram, at);
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

  /** What may come from now on. A decoder goes on when its codec does. */
  private expect({ receives, telephoneEvent }: NegotiatedMedia): void {
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

  private isExpected(payloadType: number): boolean {
    return (
      this.decoders[payloadType] !== undefined || payloadType === COMFORT_NOISE || this.eventTypes.includes(payloadType)
    );
  }

  private mark(type: 'onset' | 'offset', position: number): void {
    const sample = type === 'onset' ? position : Math.max(0, position - 1);
    this.context.mark(type, { leg: this.leg, position, at: this.listening.arrivalOf(sample) }, this.speech);
  }

  private resolve(host: string, port: number): void {
    const asked = this.media;
    lookup(host, (error, address) => {
      if (error) this.complain(`cannot resolve ${host}`, error);
      else if (this.media === asked) this.latch.negotiated(address, port);
    });
  }
}

/** What decides how packets are made. */
function sending({ codec, ptime }: NegotiatedMedia): object {
  return { codec, ptime };
}
