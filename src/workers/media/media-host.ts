import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { ParleyError } from '../../errors.js';
import type { BackgroundKind, SoundOptions } from '../../media/background.js';
import { type EchoConfig, echoConfig } from '../../media/echo-config.js';
import type { MixMode } from '../../media/mixing/routing.js';
import { type MediaWatchConfig, mediaWatchConfig } from '../../media/quality-config.js';
import { advertisedAddress } from '../../rtp/config.js';
import type { CodecName, NegotiatedMedia, PcmRate } from '../../rtp/negotiated.js';
import { PortPool } from '../../rtp/ports.js';
import type { GateOptions } from '../../speech/detection/gate.js';
import { createLogger, type Logger, type LogLevel, ofLeg } from '../../telemetry/log.js';
import type {
  ClipMessage,
  FromMedia,
  LatenessStats,
  LegEvent,
  LegStats,
  MonitorOptions,
  RecordOptions,
  Reflex,
  ToMedia,
} from '../messages.js';
import { MediaThread } from './media-thread.js';

/** What the media workers are started with. */
export interface MediaHostOptions {
  /** Threads. */
  workers: number;
  /** Local address of RTP. */
  bind: string;
  /** Address told to peers, when it differs. */
  advertise?: string | undefined;
  /** Both inclusive. */
  ports: { from: number; to: number };
  vad: GateOptions;
  /** Tones and music. */
  sounds?: SoundOptions | undefined;
  /** What is done to the callers' audio. */
  stages?: EchoConfig | undefined;
  /** When a direction counts as silent. */
  watch?: MediaWatchConfig | undefined;
  /** What legs may use: made ready at the start. */
  codecs?: readonly CodecName[] | undefined;
  logLevel: LogLevel;
}

/** One RTP port and what it plays and hears. */
export interface MediaLeg {
  readonly leg: string;
  /** Legs of one call can be mixed. */
  readonly call: string;
  /** Index of its worker. */
  readonly worker: number;
  /** Where the peer is to send, for SDP. */
  readonly address: string;
  readonly port: number;
  /** The last 16 s of what the peer said: see AudioRing. */
  readonly ring: SharedArrayBuffer;
  /** Hz, of `ring` and of clips. */
  readonly sampleRate: PcmRate;
  /** After offer/answer, also for every later one. */
  negotiated(media: NegotiatedMedia): void;
  /** This speech worker hears the leg's onsets and offsets from now on, or none does. */
  listen(speech: number | undefined): void;
  enqueue(epoch: number, utterance: string): void;
  clip(message: ClipMessage): void;
  skip(epoch: number, utterance: string): void;
  stop(epoch: number): void;
  /** 1 is full. */
  gain(level: number): void;
  /** What the voice does by itself when the peer speaks over it; nothing when left out. */
  reflex(reflex?: Reflex): void;
  /** Pauses playout within a frame; the listener is told `held`. */
  hold(): void;
  /** Goes on where it paused, or at this sample of the utterance. */
  resume(sample?: number): void;
  /** Sounds besides the utterances, until another or none. */
  sound(kind: BackgroundKind | undefined): void;
  /** Who hears whom among the legs of this leg's call. */
  mix(mode: MixMode): void;
  /** Records the call from now on: this leg left, what it hears right. The listener is told how it ended. */
  record(options: RecordOptions): void;
  /** Silence in the recording, or sound again. */
  pauseRecording(on: boolean): void;
  /** What the leg says is silence for the rest of the call and in the recording; recognition hears it. */
  maskRecording(on: boolean): void;
  /** Somebody without a phone listens to the leg's call, or talks in it: the listener is told `monitor.frame`. */
  monitor(options: MonitorOptions): void;
  /** What they say, at their rate. */
  monitorAudio(monitor: string, pcm: Int16Array): void;
  monitorEnd(monitor: string): void;
  /**
   * Sends keys, with `,` (1 s) and `w` (500 ms) as pauses. Resolves with how many went out when the last has, or the leg is closed.
   */
  digits(digits: string, method: 'rfc4733' | 'inband'): Promise<number>;
  /** Resolves when the port is free again. A second call gives the same result. */
  close(): Promise<LegStats>;
}

/** How a leg is opened. */
export interface OpenOptions {
  /** Legs of one call can be mixed: they are in one worker. The leg's own name when left out. */
  call?: string;
  /** Whether voice is looked for in what it hears: onset and offset. Default true. */
  detect?: boolean;
  /** Whether keys are looked for in the sound; default auto: where RFC 4733 was not agreed. */
  inband?: 'auto' | 'always' | 'never';
  /** Whether the beep of a mailbox is listened for; default false. */
  beeps?: boolean;
  /** Takes the place of a leg whose worker is lost: its port if it can be had, its sounds, masks and recording. */
  after?: MediaLeg | undefined;
}

/** What a leg was told that holds until it is told otherwise. */
interface Standing {
  sound?: BackgroundKind | undefined;
  masked?: boolean;
  recorded?: RecordOptions;
  paused?: boolean;
}

const NO_STATS: LegStats = { sent: 0, received: 0, lost: 0, late: 0, malformed: 0 };
/** Restarts of a worker that dies while starting wait this long, ms. */
const RESTART_MS = 1000;

interface OpenLeg {
  readonly name: string;
  readonly call: string;
  readonly port: number;
  readonly worker: number;
  readonly listener: (event: LegEvent) => void;
  /** Keys that are being sent, by request. */
  readonly digits: Map<number, (sent: number) => void>;
  opened: (event: Extract<FromMedia, { type: 'opened' | 'open.failed' }> | undefined) => void;
  closed: (stats: LegStats) => void;
}

/** The media workers as the main thread sees them. */
export class MediaHost {
  private readonly threads: MediaThread[] = [];
  private readonly legs = new Map<string, OpenLeg>();
  private readonly standing = new WeakMap<MediaLeg, Standing>();
  private readonly ports: PortPool;
  private readonly speech = new Map<number, (media: number, port: MessagePort) => void>();
  private readonly lostListeners: ((legs: string[]) => void)[] = [];
  private readonly log: Logger;
  private lastRequest = 0;
  private started = false;
  private closing = false;
  private readonly restartTimers = new Set<NodeJS.Timeout>();

  private constructor(private readonly options: MediaHostOptions) {
    this.ports = new PortPool(options.ports);
    this.log = createLogger(options.logLevel, 'media-host');
  }

  /** Starts all workers; resolves when each has its VAD model loaded and warmed. Rejects with the first failure. */
  static async start(options: MediaHostOptions): Promise<MediaHost> {
    const host = new MediaHost(options);
    try {
      for (let worker = 0; worker < options.workers; worker++) host.threads.push(host.launch(worker));
      await Promise.all(host.threads.map((thread) => thread.ready));
      host.started = true;
      return host;
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** Resolves when no worker's first call has to wait for code to be compiled: about half a second after the start. */
  async rehearsed(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.rehearsed));
  }

  /**
   * Binds a port in the worker with the fewest legs.
   *
   * @param leg a name that no open leg has
   * @param listener hears everything of this leg until it is closed
   * @param sampleRate of what it hears and plays, Hz, whatever codec is negotiated
   * @throws ParleyError PARLEY_ERR_RTP_NO_PORT (503), PARLEY_ERR_RTP_BIND, PARLEY_ERR_MEDIA_LOST
   */
  async open(
    leg: string,
    listener: (event: LegEvent) => void,
    sampleRate: PcmRate = 8000,
    { call = leg, detect = true, inband = 'auto', beeps = false, after }: OpenOptions = {},
  ): Promise<MediaLeg> {
    for (let attempt = 0; attempt < this.ports.size; attempt++) {
      const port = this.ports.take(attempt === 0 ? after?.port : undefined);
      const opened = await this.tryPort({ type: 'open', leg, port, call, sampleRate, detect, inband, beeps }, listener);
      if (!opened) continue;
      const { sound, masked, recorded, paused } = (after && this.standing.get(after)) ?? {};
      if (sound) opened.sound(sound);
      if (masked) opened.maskRecording(true);
      if (recorded) opened.record(recorded);
      if (paused) opened.pauseRecording(true);
      return opened;
    }
    throw this.ports.exhausted();
  }

  /**
   * Makes a channel from each media worker to a (re)started speech worker, and again whenever a media worker is
   * replaced. `attach` is given the speech worker's end of each.
   */
  connectSpeech(speech: number, attach: (media: number, port: MessagePort) => void): void {
    this.speech.set(speech, attach);
    for (const thread of this.threads) this.connect(thread, speech, attach);
  }

  /** One entry per worker. */
  stats(): Promise<{ legs: number; ports: number; late: LatenessStats }[]> {
    return Promise.all(this.threads.map((thread) => thread.stats()));
  }

  /** How late the 20 ms tick of the worst worker comes now, 99 of 100, ms. */
  get lateMs(): number {
    return Math.max(0, ...this.threads.map((thread) => thread.lateMs));
  }

  /** Workers that take calls now. */
  get workersReady(): number {
    return this.threads.filter((thread) => thread.isReady).length;
  }

  /** Told the legs of a worker that crashed or hung. It is replaced at once; its legs have to be opened again. */
  onWorkerLost(listener: (legs: string[]) => void): void {
    this.lostListeners.push(listener);
  }

  /** Closes all legs and ends the workers. */
  async close(): Promise<void> {
    this.closing = true;
    for (const timer of this.restartTimers) clearTimeout(timer);
    await Promise.all(this.threads.map((thread) => thread.shutdown()));
  }

  private launch(worker: number): MediaThread {
    const { bind, advertise, vad, codecs = [], logLevel } = this.options;
    const { sounds = { country: 'us', level: 0 }, stages = echoConfig.parse({}) } = this.options;
    const { watch = mediaWatchConfig.parse({}) } = this.options;
    const thread: MediaThread = new MediaThread(
      { worker, bind, advertise: advertisedAddress(bind, advertise), vad, sounds, stages, watch, codecs, logLevel },
      (event) => this.heard(event),
      (reason) => this.ended(thread, reason),
    );
    return thread;
  }

  private async tryPort(
    open: Extract<ToMedia, { type: 'open' }>,
    listener: (event: LegEvent) => void,
  ): Promise<MediaLeg | undefined> {
    const { leg: name, port, sampleRate } = open;
    const thread = this.threadFor(open.call);
    if (this.legs.has(name)) {
      this.ports.giveBack(port);
      throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: `media leg ${name} is open already` });
    }
    let closed: (stats: LegStats) => void = () => undefined;
    const whenClosed = new Promise<LegStats>((resolve) => {
      closed = resolve;
    });
    const answer = await new Promise<Parameters<OpenLeg['opened']>[0]>((opened) => {
      this.legs.set(name, {
        name,
        call: open.call,
        port,
        worker: thread.worker,
        listener,
        digits: new Map(),
        opened,
        closed,
      });
      thread.legs++;
      thread.post(open);
    });
    if (answer?.type === 'opened') return this.mediaLeg(thread, answer, sampleRate, whenClosed);
    this.forget(name, NO_STATS);
    if (!answer) throw new ParleyError('PARLEY_ERR_MEDIA_LOST', { reason: 'it crashed while opening a port' });
    if (answer.inUse) return undefined;
    throw new ParleyError('PARLEY_ERR_RTP_BIND', { address: this.options.bind, reason: answer.reason });
  }

  /** The worker that has the call, else of those that are ready the one with the fewest legs. */
  private threadFor(call: string): MediaThread {
    const known = [...this.legs.values()].find((leg) => leg.call === call);
    const ready = this.threads.filter((thread) => thread.isReady);
    const least = (ready.length > 0 ? ready : this.threads).reduce((a, b) => (b.legs < a.legs ? b : a));
    return (known && this.threads[known.worker]) ?? least;
  }

  private mediaLeg(
    thread: MediaThread,
    { leg, address, port, ring }: Extract<FromMedia, { type: 'opened' }>,
    sampleRate: PcmRate,
    whenClosed: Promise<LegStats>,
  ): MediaLeg {
    const entry = this.legs.get(leg);
    const post = (message: ToMedia): void => {
      // A closed leg's name may be another call's by now.
      if (entry && this.legs.get(leg) === entry) thread.post(message);
    };
    let closing = false;
    const standing: Standing = {};
    const opened: MediaLeg = {
      leg,
      call: entry?.call ?? leg,
      worker: thread.worker,
      address,
      port,
      ring,
      sampleRate,
      negotiated: (media) => post({ type: 'negotiated', leg, media }),
      listen: (speech) => post({ type: 'listen', leg, speech }),
      enqueue: (epoch, utterance) => post({ type: 'enqueue', leg, epoch, utterance }),
      clip: (message) => post({ type: 'clip', ...message }),
      skip: (epoch, utterance) => post({ type: 'skip', leg, epoch, utterance }),
      stop: (epoch) => post({ type: 'stop', leg, epoch }),
      gain: (level) => post({ type: 'gain', leg, gain: level }),
      reflex: (reflex) => post({ type: 'reflex', leg, reflex }),
      hold: () => post({ type: 'hold', leg }),
      resume: (sample) => post({ type: 'resume', leg, sample }),
      sound: (sound) => {
        standing.sound = sound;
        post({ type: 'sound', leg, sound });
      },
      mix: (mode) => post({ type: 'mix', leg, mode }),
      record: (options) => {
        standing.recorded = options;
        post({ type: 'record', leg, options });
      },
      pauseRecording: (on) => {
        standing.paused = on;
        post({ type: 'record.pause', leg, on });
      },
      maskRecording: (on) => {
        standing.masked = on;
        post({ type: 'mask', leg, on });
      },
      monitor: (options) => post({ type: 'monitor', leg, options }),
      monitorAudio: (monitor, pcm) => post({ type: 'monitor.audio', leg, monitor, pcm }),
      monitorEnd: (monitor) => post({ type: 'monitor.end', leg, monitor }),
      digits: (digits, method) => {
        if (!entry || this.legs.get(leg) !== entry) return Promise.resolve(0);
        const request = ++this.lastRequest;
        post({ type: 'digits', leg, request, digits, method });
        return new Promise((resolve) => entry.digits.set(request, resolve));
      },
      close: () => {
        if (!closing) post({ type: 'close', leg });
        closing = true;
        return whenClosed;
      },
    };
    this.standing.set(opened, standing);
    return opened;
  }

  private heard(event: LegEvent): void {
    const leg = this.legs.get(event.leg);
    if (!leg) return;
    if (event.type === 'opened' || event.type === 'open.failed') leg.opened(event);
    else if (event.type === 'digits.sent') {
      leg.digits.get(event.request)?.(event.sent);
      leg.digits.delete(event.request);
    } else {
      if (event.type === 'closed') this.forget(event.leg, event.stats);
      this.tell(leg, event);
    }
  }

  private tell(leg: OpenLeg, event: LegEvent): void {
    try {
      leg.listener(event);
    } catch (error) {
      this.log.error({ err: error, ...ofLeg(leg.name), event: event.type }, 'a media listener threw');
    }
  }

  private forget(name: string, stats: LegStats): void {
    const leg = this.legs.get(name);
    if (!leg) return;
    this.legs.delete(name);
    this.ports.giveBack(leg.port);
    const thread = this.threads[leg.worker];
    if (thread) thread.legs--;
    for (const sent of leg.digits.values()) sent(0);
    leg.closed(stats);
  }

  private ended(thread: MediaThread, reason: string): void {
    const lost = [...this.legs.values()].filter((leg) => leg.worker === thread.worker);
    for (const leg of lost) {
      leg.opened(undefined);
      this.forget(leg.name, NO_STATS);
    }
    // Before that, start() fails and tells.
    if (!this.started || this.closing || this.threads[thread.worker] !== thread) return;
    this.log.error({ worker: thread.worker, legs: lost.length, reason }, 'a media worker ended; starting another');
    if (thread.isReady) this.replace(thread.worker);
    else this.replaceLater(thread.worker);
    if (lost.length > 0) for (const listener of this.lostListeners) listener(lost.map((leg) => leg.name));
  }

  private replaceLater(worker: number): void {
    const timer = setTimeout(() => {
      this.restartTimers.delete(timer);
      this.replace(worker);
    }, RESTART_MS);
    this.restartTimers.add(timer);
  }

  private replace(worker: number): void {
    if (this.closing) return;
    const thread = this.launch(worker);
    thread.ready.catch(() => undefined);
    this.threads[worker] = thread;
    for (const [speech, attach] of this.speech) this.connect(thread, speech, attach);
  }

  private connect(thread: MediaThread, speech: number, attach: (media: number, port: MessagePort) => void): void {
    const { port1, port2 } = new MessageChannel();
    thread.post({ type: 'speech.port', speech, port: port1 }, [port1]);
    attach(thread.worker, port2);
  }
}
