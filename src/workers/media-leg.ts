import type { RemoteInfo } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { reasonOf } from '../errors.js';
import type { DetectedStream, Detection } from '../media/detection.js';
import { ListeningStream, listeningRing } from '../media/listening.js';
import { Playout } from '../media/playout.js';
import { type Codec, createCodec } from '../rtp/codec.js';
import { SourceLatch } from '../rtp/latch.js';
import type { NegotiatedMedia } from '../rtp/negotiated.js';
import { isRtcp, parseRtp, type RtpFields, rtpFields } from '../rtp/packet.js';
import { type Released, ReorderBuffer } from '../rtp/reorder.js';
import { RtpSender } from '../rtp/sender.js';
import { bindPair, type SocketPair } from '../rtp/sockets.js';
import { TelephoneEvents } from '../rtp/telephone-event.js';
import { monotonicMs } from '../telemetry/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { ClipMessage, FromMedia, LegStats, SpeechMark } from './messages.js';

/** Both codecs' rate, Hz. */
const SAMPLE_RATE = 8000;
const FRAME_MS = 20;
/** A leg's complaints are logged at most so often, ms. */
const LOG_EVERY_MS = 10_000;

/** What a leg needs of its worker. */
export interface LegContext {
  bind: string;
  detection: Detection;
  log: Logger;
  post(event: FromMedia): void;
  /** Onset and offset, for main and the leg's speech worker. */
  mark(type: 'onset' | 'offset', mark: SpeechMark, speech: number | undefined): void;
}

/** One RTP stream pair of one call: the stages of `rtp/` and `media/` in a row, between a socket and the worker's messages. */
export class RtpLeg {
  readonly ring = listeningRing(SAMPLE_RATE);
  /** The speech worker that hears this leg's marks. */
  speech: number | undefined;
  private readonly listening = new ListeningStream(this.ring, SAMPLE_RATE);
  private readonly reorder = new ReorderBuffer((packet) => this.released(packet));
  private readonly events: TelephoneEvents;
  private readonly playout: Playout;
  private readonly sender = new RtpSender();
  private readonly latch = new SourceLatch();
  private readonly fields: RtpFields = rtpFields();
  private readonly detected: DetectedStream;
  private sockets: SocketPair | undefined;
  private media: NegotiatedMedia | undefined;
  private codec: Codec | undefined;
  private sends = false;
  private listens = false;
  private lastFrame = -1;
  private received = 0;
  private malformed = 0;
  private loggedAt = Number.NEGATIVE_INFINITY;

  private constructor(
    readonly leg: string,
    private readonly context: LegContext,
  ) {
    this.events = new TelephoneEvents(SAMPLE_RATE, (digit, durationMs, at) =>
      context.post({ type: 'dtmf', leg, at, digit, durationMs }),
    );
    this.playout = new Playout(SAMPLE_RATE, {
      started: (epoch, utterance) =>
        context.post({ type: 'utterance.started', leg, epoch, utterance, at: monotonicMs() }),
      ended: (epoch, utterance, played, total, stopped) =>
        context.post({ type: 'utterance.ended', leg, epoch, utterance, at: monotonicMs(), played, total, stopped }),
    });
    this.detected = context.detection.add(this.ring, (type, position) => this.mark(type, position));
  }

  /** Binds `port` and the one above; rejects with the system's error. */
  static async open(leg: string, port: number, context: LegContext): Promise<RtpLeg> {
    const made = new RtpLeg(leg, context);
    try {
      made.sockets = await bindPair(context.bind, port, {
        rtp: (datagram, source) => made.arrived(datagram, source),
        rtcp: () => undefined,
        error: (error) => made.complain('RTP socket', error),
      });
      return made;
    } catch (error) {
      context.detection.remove(made.detected);
      throw error;
    }
  }

  get sampleRate(): number {
    return SAMPLE_RATE;
  }

  negotiated(media: NegotiatedMedia): void {
    const codecChanged = media.codec.name !== this.media?.codec.name || media.ptime !== this.media.ptime;
    if (codecChanged || media.codec.payloadType !== this.media?.codec.payloadType) this.sender.configure(media);
    if (media.codec.name !== this.codec?.name) this.codec = createCodec(media.codec.name);
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
    if (sampleRate === SAMPLE_RATE) this.playout.clip(epoch, utterance, pcm);
    else {
      this.complain('clip', new Error(`sample rate ${sampleRate} instead of ${SAMPLE_RATE} Hz`));
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

  /** The 20 ms tick. @param frame its number; missing numbers are frames left out after a stall */
  tick(frame: number, now: number): void {
    const frames = this.lastFrame < 0 ? 1 : frame - this.lastFrame;
    this.lastFrame = frame;
    this.reorder.poll(now);
    this.events.poll(now);
    this.listening.tick(now, SAMPLE_RATE);
    if (frames > 1) this.sender.pause((frames - 1) * FRAME_MS);
    if (this.sends && this.latch.port !== 0) this.sender.advance(FRAME_MS, this.render, this.send);
    else {
      this.sender.pause(FRAME_MS);
      this.playout.pause();
    }
  }

  /** Resolves when the ports are free. */
  async close(): Promise<LegStats> {
    this.context.detection.remove(this.detected);
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
    if (fields.payloadType !== media.codec.payloadType && fields.payloadType !== media.telephoneEvent) return;
    if (!this.latch.accepts(source.address, source.port)) return;
    const at = monotonicMs();
    if (this.received++ === 0) this.context.post({ type: 'rtp.started', leg: this.leg, at });
    this.reorder.push(fields, datagram, at);
  }

  private released(packet: Released): void {
    if (packet.restarted) this.events.restart();
    if (packet.payloadType === this.media?.telephoneEvent) {
      if (!this.events.push(packet.bytes, packet.start, packet.end, packet.timestamp, packet.at)) this.malformed++;
    } else if (this.codec && this.listens) this.listening.audio(packet, this.codec);
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
