import { isDeepStrictEqual } from 'node:util';
import type { AudioRing } from '../../audio/ring.js';
import { reasonOf } from '../../errors.js';
import type { SoundLibrary } from '../../media/background.js';
import type { Detection } from '../../media/detection.js';
import type { EstimateBudget } from '../../media/echo/estimate-budget.js';
import type { EchoConfig } from '../../media/echo-config.js';
import type { MediaWatchConfig } from '../../media/quality-config.js';
import type { NegotiatedMedia, PcmRate } from '../../rtp/negotiated.js';
import type { RtpFields } from '../../rtp/packet.js';
import { MediaTransport } from '../../rtp/transport.js';
import { monotonicMs } from '../../telemetry/clock.js';
import { type Logger, ofLeg } from '../../telemetry/log.js';
import type { ClipMessage, FromMedia, LegStats, SpeechMark } from '../messages.js';
import { agentVoiceOf } from '../messages.js';
import { LegHealth } from './leg-health.js';
import { LegHearing } from './leg-hearing.js';
import { LegReflex } from './leg-reflex.js';
import { LegSpeaking } from './leg-speaking.js';
import type { RingPool } from './ring-pool.js';

/** A leg's complaints are logged at most so often, ms. */
const LOG_EVERY_MS = 10_000;

/** What a leg is to be. */
export interface LegOptions {
  /** Of its PCM, Hz. */
  sampleRate: PcmRate;
  /** Whether voice is looked for in what it hears. */
  detect: boolean;
  /** Whether keys are looked for in the sound: auto where RFC 4733 was not agreed. */
  inband: 'auto' | 'always' | 'never';
  /** Whether the beep of a mailbox is. */
  beeps: boolean;
}

/** What a leg needs of its worker. */
export interface LegContext {
  bind: string;
  detection: Readonly<Record<PcmRate, Detection>>;
  sounds: SoundLibrary;
  stages: EchoConfig;
  budget: EstimateBudget;
  rings: RingPool;
  watch: MediaWatchConfig;
  log: Logger;
  post(event: FromMedia): void;
  /** Onset, pause and offset, for main and the leg's speech worker. */
  mark(type: 'onset' | 'pause' | 'offset', mark: SpeechMark, speech: number | undefined): void;
}

/** One RTP stream pair of one call: the stages of `rtp/` and `media/` in a row, between a socket and the worker's messages. */
export class RtpLeg {
  /** The speech worker that hears this leg's marks. */
  speech: number | undefined;
  readonly sampleRate: PcmRate;
  readonly speaking: LegSpeaking;
  readonly reflex: LegReflex;
  /** Name of what the agent says to it, in a mixer. */
  readonly agent: string;
  /** What the others of its call say to it in the present frame, when they are mixed. */
  readonly mixed: Int16Array;
  private readonly heard: Int16Array;
  private readonly hearing: LegHearing;
  private readonly health: LegHealth;
  private transport: MediaTransport | undefined;
  private media: NegotiatedMedia | undefined;
  private sends = false;
  private packets = 0;
  private malformed = 0;
  private loggedAt = Number.NEGATIVE_INFINITY;

  private constructor(
    readonly leg: string,
    { sampleRate, detect, inband, beeps }: LegOptions,
    private readonly context: LegContext,
  ) {
    const { post, stages, budget, rings } = context;
    this.sampleRate = sampleRate;
    this.agent = agentVoiceOf(leg);
    this.mixed = new Int16Array(sampleRate / 50);
    this.heard = new Int16Array(sampleRate / 50);
    this.hearing = new LegHearing(
      rings.take(sampleRate),
      sampleRate,
      detect ? context.detection[sampleRate] : undefined,
      { stages, inband, beeps, budget },
      {
        key: (source, digit, durationMs, at) => post({ type: 'dtmf', leg, at, digit, durationMs, source }),
        beep: (durationMs) => post({ type: 'beep', leg, at: monotonicMs(), durationMs }),
        stir: (voiced) => {
          if (voiced) this.reflex.stirred();
          else this.reflex.calmed();
          post({ type: 'stir', leg, at: monotonicMs(), voiced });
        },
        mark: (type, position, at) => {
          if (type === 'onset') this.reflex.onset();
          context.mark(type, { leg, position, at }, this.speech);
        },
      },
    );
    this.speaking = new LegSpeaking(leg, sampleRate, post, context.sounds, (frame) => this.hearing.played(frame));
    this.reflex = new LegReflex(this.speaking);
    this.health = new LegHealth(leg, context.watch, this.speaking.sender, monotonicMs(), post);
  }

  /** Binds `port` and the one above; rejects with the system's error. */
  static async open(leg: string, port: number, options: LegOptions, context: LegContext): Promise<RtpLeg> {
    const made = new RtpLeg(leg, options, context);
    try {
      made.transport = await MediaTransport.bind(context.bind, port, {
        rtp: (datagram, fields) => made.receive(datagram, fields),
        rtcp: (datagram, at) => made.report(datagram, at),
        error: (error) => made.complain('transport', error),
      });
      return made;
    } catch (error) {
      made.hearing.close();
      context.rings.give(made.ring, made.sampleRate);
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
    this.health.negotiated(media, monotonicMs());
  }

  clip(message: ClipMessage): void {
    this.speaking.clip(message);
  }

  /** A stop word was heard: silent from the next frame on, until main has decided. */
  hush(): void {
    this.speaking.hold();
  }

  /** From now on it is mixed with others: see {@link received}, {@link rendered} and {@link takeMixed}. */
  enterMix(): void {
    this.hearing.enterMix();
    this.speaking.enterMix();
  }

  /** What its peer says in this frame. */
  received(now: number): Int16Array {
    this.hearing.pull(this.heard, now);
    return this.heard;
  }

  /** What the agent says to it in this frame. */
  rendered(): Int16Array {
    this.speaking.render(this.canSend);
    return this.speaking.rendered;
  }

  /** `mixed` is filled: it goes out. */
  takeMixed(): void {
    this.speaking.takeMixed(this.mixed);
  }

  /** First half of the 20 ms tick: what has come. */
  hear(now: number): void {
    this.hearing.tick(now);
  }

  /** Second half: what goes out. `frames`: how many have passed, after a stall of the thread. */
  speak(frames: number, now: number): void {
    this.health.now = now;
    const { canSend } = this;
    this.reflex.tick(frames);
    this.speaking.tick(frames, canSend ? this.send : undefined);
    if (canSend) this.health.spoke(now);
    this.health.tick(now, this.sendReport);
  }

  /** Resolves when the ports are free. */
  async close(): Promise<LegStats> {
    this.hearing.close();
    this.health.close(monotonicMs(), this.sendReport);
    this.media = undefined;
    this.sends = false;
    await this.transport?.close();
    this.context.rings.give(this.ring, this.sampleRate);
    const { lost, late, duplicate } = this.hearing.reorder.counts;
    const malformed = this.malformed + this.hearing.malformed + (this.transport?.counts.malformed ?? 0);
    return { sent: this.speaking.sender.sent, received: this.packets, lost, late: late + duplicate, malformed };
  }

  /** Tells of something wrong with this leg, not too often. */
  complain(what: string, error: unknown): void {
    const now = monotonicMs();
    if (now - this.loggedAt < LOG_EVERY_MS) return;
    this.loggedAt = now;
    this.context.log.warn({ ...ofLeg(this.leg), reason: reasonOf(error) }, `${what}: trouble on this leg`);
  }

  private get canSend(): boolean {
    return this.sends && (this.transport?.canSend ?? false);
  }

  private readonly send = (packet: Uint8Array): void => {
    this.health.sent(packet);
    this.transport?.sendRtp(packet);
  };

  private readonly sendReport = (report: Uint8Array): void => {
    // Sends are asynchronous, and the next report is written over this one.
    if (this.sends) this.transport?.sendRtcp(Uint8Array.from(report));
  };

  private receive(datagram: Uint8Array, fields: RtpFields): void {
    if (!this.media) return;
    if (this.packets++ === 0) this.context.post({ type: 'rtp.started', leg: this.leg, at: fields.at });
    this.health.received(fields, this.hearing.clockOf(fields.payloadType));
    this.hearing.push(fields, datagram);
  }

  private report(datagram: Uint8Array, at: number): void {
    if (!this.health.report(datagram, at)) this.malformed++;
  }
}

/** What decides how packets are made. */
function sending({ codec, ptime, telephoneEvent }: NegotiatedMedia): object {
  return { codec, ptime, telephoneEvent };
}
