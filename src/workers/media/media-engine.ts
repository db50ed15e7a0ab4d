import type { MessagePort } from 'node:worker_threads';
import { reasonOf } from '../../errors.js';
import { SoundLibrary, type SoundOptions } from '../../media/background.js';
import { Detection } from '../../media/detection.js';
import { EstimateBudget } from '../../media/echo/estimate-budget.js';
import type { EchoConfig } from '../../media/echo-config.js';
import { Lateness } from '../../media/lateness.js';
import { Pacer, PHASES, SLOT_MS } from '../../media/pacer.js';
import type { MediaWatchConfig } from '../../media/quality-config.js';
import type { CodecName, PcmRate } from '../../rtp/negotiated.js';
import type { GateOptions } from '../../speech/detection/gate.js';
import type { BatchVad } from '../../speech/detection/silero.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { Logger } from '../../telemetry/log.js';
import type { FromMedia, MediaToSpeech, SpeechMark, SpeechToMedia, ToMedia } from '../messages.js';
import { type LegContext, RtpLeg } from './media-leg.js';
import { MediaRoom } from './media-room.js';
import { rehearse } from './rehearsal.js';
import { RingPool } from './ring-pool.js';

/** What a media worker is started with. */
export interface MediaEngineOptions {
  bind: string;
  /** Address told to peers. */
  advertise: string;
  vad: GateOptions;
  sounds: SoundOptions;
  /** What is done to the callers' audio. */
  stages: EchoConfig;
  /** When a direction counts as silent. */
  watch: MediaWatchConfig;
}

/** Voice is looked for each 10 ms: more windows make one run then. */
const DETECTION_PHASES = PHASES / 2;

/** Half a second, but on a machine that is busy: then it is cut short, ms. */
const REHEARSAL_MS = 2000;

/** A media worker without its thread: the legs, their pacing and their voice activity detection. */
export class MediaEngine {
  private readonly legs = new Map<string, RtpLeg>();
  /** By call: its legs are ticked together. */
  private readonly rooms = new Map<string, { room: MediaRoom; phase: Set<MediaRoom> }>();
  private readonly calls = new Map<RtpLeg, string>();
  private readonly phases: Set<MediaRoom>[] = Array.from({ length: PHASES }, () => new Set());
  private readonly speech = new Map<number, MessagePort>();
  private readonly lateness = new Lateness();
  private readonly budget = new EstimateBudget();
  /** The same since the last ping. */
  private readonly latenessNow = new Lateness();
  private frames = 0;
  /** By the rate of the streams: one batched run each. */
  private readonly detection: Readonly<Record<PcmRate, Detection>>;
  private readonly context: LegContext;
  private readonly pacer: Pacer;
  /** Port pairs bound. */
  private ports = 0;
  /** A leg was asked for. */
  private wanted = false;

  constructor(
    detectors: Readonly<Record<PcmRate, BatchVad>>,
    private readonly options: MediaEngineOptions,
    private readonly log: Logger,
    private readonly post: (event: FromMedia) => void,
  ) {
    const detection = (vad: BatchVad) =>
      new Detection(vad, options.vad, (error) => log.error({ reason: reasonOf(error) }, 'VAD failed'));
    this.detection = { 8000: detection(detectors[8000]), 16000: detection(detectors[16000]) };
    this.context = {
      bind: options.bind,
      detection: this.detection,
      sounds: warmSounds(options.sounds),
      stages: options.stages,
      budget: this.budget,
      rings: new RingPool(),
      watch: options.watch,
      log,
      post,
      mark: (type, mark, speech) => this.mark(type, mark, speech),
    };
    this.pacer = new Pacer(
      (phase, frame, now) => this.tick(phase, frame, now),
      (ms) => {
        this.lateness.add(ms);
        this.latenessNow.add(ms);
      },
    );
  }

  /** Has all code run that the first call would be the first to run, until it comes. @param codecs that legs may use */
  rehearse(codecs: readonly CodecName[]): Promise<void> {
    const until = monotonicMs() + REHEARSAL_MS;
    return rehearse(this.context, codecs, () => !this.wanted && monotonicMs() < until);
  }

  /** Obeys one message of main. Anything wrong in it costs its leg only. */
  handle(message: Exclude<ToMedia, { type: 'shutdown' }>): void {
    switch (message.type) {
      case 'open':
        void this.open(message);
        return;
      case 'close':
        void this.close(message.leg);
        return;
      case 'speech.port':
        this.connect(message.speech, message.port);
        return;
      case 'stats':
        this.post({
          type: 'stats',
          request: message.request,
          legs: this.legs.size,
          ports: this.ports,
          late: this.lateness.take(),
        });
        return;
      case 'ping':
        return this.post({
          type: 'pong',
          legs: this.legs.size,
          frames: this.frames,
          lateMs: this.latenessNow.take().p99,
        });
      default: {
        const leg = this.legs.get(message.leg);
        if (leg) this.guard(leg, () => this.direct(leg, message));
      }
    }
  }

  /** Closes every leg and every port to a speech worker. */
  async shutdown(): Promise<void> {
    this.pacer.stop();
    await Promise.all([...this.legs.keys()].map((leg) => this.close(leg)));
    for (const port of this.speech.values()) port.close();
    this.speech.clear();
  }

  private direct(
    leg: RtpLeg,
    message: Exclude<ToMedia, { type: 'open' | 'close' | 'speech.port' | 'stats' | 'ping' | 'shutdown' }>,
  ): void {
    switch (message.type) {
      case 'negotiated':
        leg.negotiated(message.media);
        return;
      case 'listen':
        leg.speech = message.speech;
        return;
      case 'enqueue':
        leg.speaking.playout.enqueue(message.epoch, message.utterance);
        return;
      case 'clip':
        leg.clip(message);
        return;
      case 'skip':
        leg.speaking.playout.skip(message.epoch, message.utterance);
        return;
      case 'stop':
        leg.speaking.playout.stop(message.epoch);
        return;
      case 'gain':
        return leg.reflex.gain(message.gain);
      case 'reflex':
        return leg.reflex.arm(message.reflex);
      case 'hold':
        return leg.speaking.hold();
      case 'resume':
        return leg.speaking.playout.resume(message.sample);
      case 'sound':
        return leg.speaking.sound(message.sound);
      case 'mix':
        return this.roomOf(leg)?.mix(message.mode);
      case 'record':
        return this.roomOf(leg)?.record(leg, message.options);
      case 'record.pause':
        return this.roomOf(leg)?.pauseRecording(message.on);
      case 'mask':
        return this.roomOf(leg)?.mask(leg.leg, message.on);
      case 'monitor':
        return this.roomOf(leg)?.monitor(leg.leg, message.options);
      case 'monitor.audio':
        return this.roomOf(leg)?.monitorAudio(message.monitor, message.pcm);
      case 'monitor.end':
        return this.roomOf(leg)?.monitorEnd(message.monitor);
      case 'digits':
        leg.speaking.sendDigits(message.request, message.digits, message.method);
    }
  }

  private async open(message: Extract<ToMedia, { type: 'open' }>): Promise<void> {
    const { leg, call, port } = message;
    this.wanted = true;
    try {
      const opened = await RtpLeg.open(leg, port, message, this.context);
      this.ports++;
      this.legs.set(leg, opened);
      this.enter(opened, call);
      this.pacer.start();
      this.post({
        type: 'opened',
        leg,
        address: this.options.advertise,
        port,
        ring: opened.ring.shared,
      });
    } catch (error) {
      const inUse = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      this.post({ type: 'open.failed', leg, inUse, reason: reasonOf(error) });
    }
  }

  private async close(name: string): Promise<void> {
    const leg = this.legs.get(name);
    if (!leg) return;
    this.legs.delete(name);
    const recorded = this.leave(leg);
    if (this.legs.size === 0) this.pacer.stop();
    const [stats] = await Promise.all([leg.close(), recorded]);
    this.ports--;
    this.post({ type: 'closed', leg: name, stats });
  }

  private connect(speech: number, port: MessagePort): void {
    this.speech.get(speech)?.close();
    this.speech.set(speech, port);
    port.on('message', (message: SpeechToMedia) => {
      const leg = this.legs.get(message.leg);
      if (!leg) return;
      this.guard(leg, () => (message.type === 'hush' ? leg.hush() : leg.clip(message)));
    });
  }

  private tick(phase: number, frame: number, now: number): void {
    this.budget.refill(SLOT_MS);
    for (const room of this.phases[phase]!) this.tickRoom(room, frame, now);
    if (phase % DETECTION_PHASES !== 0) return;
    void this.detection[8000].poll();
    void this.detection[16000].poll();
  }

  private mark(type: 'onset' | 'pause' | 'offset', mark: SpeechMark, speech: number | undefined): void {
    const message: MediaToSpeech = { type, ...mark };
    // Recognition first: the words wait for it.
    if (speech !== undefined) this.speech.get(speech)?.postMessage(message);
    this.post(message);
  }

  private tickRoom(room: MediaRoom, frame: number, now: number): void {
    this.frames++;
    try {
      room.tick(frame, now);
    } catch (error) {
      this.log.error({ err: error }, 'the media of a call failed in this frame');
    }
  }

  private enter(leg: RtpLeg, call: string): void {
    let entry = this.rooms.get(call);
    if (!entry) {
      const phase = this.leastPhase();
      entry = { room: new MediaRoom(this.log, this.post), phase };
      phase.add(entry.room);
      this.rooms.set(call, entry);
    }
    this.calls.set(leg, call);
    entry.room.add(leg);
  }

  /** Resolves when a recording that ends with the leg is complete. */
  private async leave(leg: RtpLeg): Promise<void> {
    const call = this.calls.get(leg) ?? '';
    const entry = this.rooms.get(call);
    this.calls.delete(leg);
    const done = entry?.room.remove(leg);
    if (entry?.room.empty) {
      entry.phase.delete(entry.room);
      this.rooms.delete(call);
    }
    await done;
  }

  private roomOf(leg: RtpLeg): MediaRoom | undefined {
    return this.rooms.get(this.calls.get(leg) ?? '')?.room;
  }

  private leastPhase(): Set<MediaRoom> {
    return this.phases.reduce((least, phase) => (phase.size < least.size ? phase : least));
  }

  private guard(leg: RtpLeg, action: () => void): void {
    try {
      action();
    } catch (error) {
      leg.complain('media', error);
      this.log.debug({ error }, 'media leg threw');
    }
  }
}

/** Rendering music takes longer than a frame lasts: not while calls are up. */
function warmSounds(options: SoundOptions): SoundLibrary {
  const library = new SoundLibrary(options);
  for (const rate of [8000, 16_000]) for (const kind of ['music', 'ringback'] as const) library.loop(kind, rate);
  return library;
}
