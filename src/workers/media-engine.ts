import type { MessagePort } from 'node:worker_threads';
import { reasonOf } from '../errors.js';
import { SoundLibrary, type SoundOptions } from '../media/background.js';
import { Detection } from '../media/detection.js';
import { Lateness } from '../media/lateness.js';
import { Pacer, PHASES } from '../media/pacer.js';
import type { PcmRate } from '../rtp/negotiated.js';
import type { GateOptions } from '../speech/detection/gate.js';
import type { BatchVad } from '../speech/detection/silero.js';
import type { Logger } from '../telemetry/log.js';
import { type LegContext, RtpLeg } from './media-leg.js';
import type { FromMedia, MediaToSpeech, SpeechMark, SpeechToMedia, ToMedia } from './messages.js';

/** What a media worker is started with. */
export interface MediaEngineOptions {
  bind: string;
  /** Address told to peers. */
  advertise: string;
  vad: GateOptions;
  sounds: SoundOptions;
}

/** A media worker without its thread: the legs, their pacing and their voice activity detection. */
export class MediaEngine {
  private readonly legs = new Map<string, RtpLeg>();
  private readonly phases: Set<RtpLeg>[] = Array.from({ length: PHASES }, () => new Set());
  private readonly speech = new Map<number, MessagePort>();
  private readonly lateness = new Lateness();
  /** By the rate of the streams: one batched run each. */
  private readonly detection: Readonly<Record<PcmRate, Detection>>;
  private readonly context: LegContext;
  private readonly pacer: Pacer;
  /** Port pairs bound. */
  private ports = 0;

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
      log,
      post,
      mark: (type, mark, speech) => this.mark(type, mark, speech),
    };
    this.pacer = new Pacer(
      (phase, frame, now) => this.tick(phase, frame, now),
      (ms) => this.lateness.add(ms),
    );
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
    message: Exclude<ToMedia, { type: 'open' | 'close' | 'speech.port' | 'stats' | 'shutdown' }>,
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
        leg.speaking.playout.gain(message.gain);
        return;
      case 'hold':
        return leg.speaking.hold();
      case 'resume':
        return leg.speaking.playout.resume(message.sample);
      case 'sound':
        return leg.speaking.sound(message.sound);
      case 'digits':
        leg.speaking.sendDigits(message.request, message.digits, message.method);
    }
  }

  private async open({ leg, port, sampleRate, detect }: Extract<ToMedia, { type: 'open' }>): Promise<void> {
    try {
      const opened = await RtpLeg.open(leg, port, { sampleRate, detect }, this.context);
      this.ports++;
      this.legs.set(leg, opened);
      this.leastPhase().add(opened);
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
    for (const phase of this.phases) phase.delete(leg);
    if (this.legs.size === 0) this.pacer.stop();
    const stats = await leg.close();
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
    for (const leg of this.phases[phase]!) this.guard(leg, () => leg.tick(frame, now));
    void this.detection[8000].poll();
    void this.detection[16000].poll();
  }

  private mark(type: 'onset' | 'offset', mark: SpeechMark, speech: number | undefined): void {
    const message = { type, ...mark } as const;
    // Recognition first: the words wait for it, main only counts.
    if (speech !== undefined) this.speech.get(speech)?.postMessage(message);
    this.post(message);
  }

  private leastPhase(): Set<RtpLeg> {
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
