import { isDeepStrictEqual } from 'node:util';
import type { AudioRing } from '../audio/ring.js';
import { reasonOf } from '../errors.js';
import type { SoundLibrary } from '../media/background.js';
import type { Detection } from '../media/detection.js';
import type { NegotiatedMedia, PcmRate } from '../rtp/negotiated.js';
import { parseRtp, type RtpFields, rtpFields } from '../rtp/packet.js';
import { MediaTransport } from '../rtp/transport.js';
import { monotonicMs } from '../telemetry/clock.js';
import type { Logger } from '../telemetry/log.js';
import { LegHearing } from './leg-hearing.js';
import { LegSpeaking } from './leg-speaking.js';
import type { ClipMessage, FromMedia, LegStats, SpeechMark } from './messages.js';

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
  sounds: SoundLibrary;
  log: Logger;
  post(event: FromMedia): void;
  /** Onset and offset, for main and the leg's speech worker. */
  mark(type: 'onset' | 'offset', mark: SpeechMark, speech: number | undefined): void;
}

/** One RTP stream pair of one call: the stages of `rtp/` and `media/` in a row, between a socket and the worker's messages. */
export class RtpLeg {
  /** The speech worker that hears this leg's marks. */
  speech: number | undefined;
  readonly speaking: LegSpeaking;
  private readonly hearing: LegHearing;
  private readonly fields: RtpFields = rtpFields();
  private transport: MediaTransport | undefined;
  private media: NegotiatedMedia | undefined;
  private sends = false;
  private lastFrame = -1;
  private received = 0;
  private malformed = 0;
  private loggedAt = Number.NEGATIVE_INFINITY;

  private constructor(
    readonly leg: string,
    { sampleRate, detect }: LegOptions,
    private readonly context: LegContext,
  ) {
    this.speaking = new LegSpeaking(leg, sampleRate, context.post, context.sounds);
    this.hearing = new LegHearing(sampleRate, detect ? context.detection[sampleRate] : undefined, {
      key: (digit, durationMs, at) => context.post({ type: 'dtmf', leg, at, digit, durationMs }),
      mark: (type, position, at) => context.mark(type, { leg, position, at }, this.speech),
    });
  }

  /** Binds `port` and the one above; rejects with the system's error. */
  static async open(leg: string, port: number, options: LegOptions, context: LegContext): Promise<RtpLeg> {
    const made = new RtpLeg(leg, options, context);
    try {
      made.transport = await MediaTransport.bind(context.bind, port, {
        rtp: (datagram, at) => made.receive(datagram, at),
        rtcp: () => undefined,
        error: (error) => made.complain('transport', error),
      });
      return made;
    } catch (error) {
      made.hearing.close();
      throw error;
    }
  }

  /** What it heard last. */
  get ring(): AudioRing {
    return this.hearing.ring;
  }

  negotiated(media: NegotiatedMedia): void {
    if (!this.media || !isDeepStrictEqual(sending(media), sending(this.media))) this.speaking.configure(media);
    this.hearing.expect(media);
    this.media = media;
    this.sends = media.direction === 'sendrecv' || media.direction === 'sendonly';
    this.transport?.negotiated(media);
  }

  clip(message: ClipMessage): void {
    this.speaking.clip(message);
  }

  /** A stop word was heard: silent from the next frame on, until main has decided. */
  hush(): void {
    this.speaking.hold();
  }

  /** The 20 ms tick. @param frame its number; missing numbers are frames left out after a stall */
  tick(frame: number, now: number): void {
    const frames = this.lastFrame < 0 ? 1 : frame - this.lastFrame;
    this.lastFrame = frame;
    this.hearing.tick(now);
    this.speaking.tick(frames, this.sends && this.transport?.canSend ? this.send : undefined);
  }

  /** Resolves when the ports are free. */
  async close(): Promise<LegStats> {
    this.hearing.close();
    this.media = undefined;
    this.sends = false;
    await this.transport?.close();
    const { lost, late, duplicate } = this.hearing.reorder.counts;
    const malformed = this.malformed + this.hearing.malformed + (this.transport?.counts.malformed ?? 0);
    return { sent: this.speaking.sender.sent, received: this.received, lost, late: late + duplicate, malformed };
  }

  /** Tells of something wrong with this leg, not too often. */
  complain(what: string, error: unknown): void {
    const now = monotonicMs();
    if (now - this.loggedAt < LOG_EVERY_MS) return;
    this.loggedAt = now;
    this.context.log.warn({ leg: this.leg, reason: reasonOf(error) }, `${what}: trouble on this leg`);
  }

  private readonly send = (packet: Uint8Array): void => this.transport?.sendRtp(packet);

  private receive(datagram: Uint8Array, at: number): void {
    const { fields } = this;
    if (!this.media || !parseRtp(datagram, fields)) return;
    if (this.received++ === 0) this.context.post({ type: 'rtp.started', leg: this.leg, at });
    this.hearing.push(fields, datagram, at);
  }
}

/** What decides how packets are made. */
function sending({ codec, ptime, telephoneEvent }: NegotiatedMedia): object {
  return { codec, ptime, telephoneEvent };
}
