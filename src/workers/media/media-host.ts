import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { ParleyError } from '../../errors.js';
import type { SoundOptions } from '../../media/background.js';
import { type EchoConfig, echoConfig } from '../../media/echo-config.js';
import { type MediaWatchConfig, mediaWatchConfig } from '../../media/quality-config.js';
import { advertisedAddress } from '../../rtp/config.js';
import type { CodecName, PcmRate } from '../../rtp/negotiated.js';
import { PortPool } from '../../rtp/ports.js';
import type { GateOptions } from '../../speech/detection/gate.js';
import { createLogger, type Logger, type LogLevel, ofLeg } from '../../telemetry/log.js';
import type { LatenessStats, LegEvent, LegStats, ToMedia } from '../messages.js';
import { HostedLeg, type MediaLeg } from './hosted-leg.js';
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

const NO_STATS: LegStats = { sent: 0, received: 0, lost: 0, late: 0, malformed: 0 };
/** Restarts of a worker that dies while starting wait this long, ms. */
const RESTART_MS = 1000;

/** The media workers as the main thread sees them. */
export class MediaHost {
  private readonly threads: MediaThread[] = [];
  private readonly legs = new Map<string, HostedLeg>();
  private readonly ports: PortPool;
  private readonly speech = new Map<number, (media: number, port: MessagePort) => void>();
  private readonly lostListeners: ((legs: string[]) => void)[] = [];
  private readonly log: Logger;
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
      if (after instanceof HostedLeg) opened.goOnFrom(after);
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

  /** Undefined when another program has the port. */
  private async tryPort(
    open: Extract<ToMedia, { type: 'open' }>,
    listener: (event: LegEvent) => void,
  ): Promise<HostedLeg | undefined> {
    if (this.legs.has(open.leg)) {
      this.ports.giveBack(open.port);
      throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: `media leg ${open.leg} is open already` });
    }
    const thread = this.threadFor(open.call);
    const leg = new HostedLeg(open, thread, listener);
    this.legs.set(open.leg, leg);
    thread.legs++;
    const answer = await leg.open();
    if (answer?.type === 'opened') return leg;
    this.forget(leg, NO_STATS);
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

  private heard(event: LegEvent): void {
    const leg = this.legs.get(event.leg);
    if (!leg) return;
    if (event.type === 'closed') this.forget(leg, event.stats);
    try {
      leg.heard(event);
    } catch (error) {
      this.log.error({ err: error, ...ofLeg(leg.leg), event: event.type }, 'a media listener threw');
    }
  }

  private forget(leg: HostedLeg, stats: LegStats): void {
    if (this.legs.get(leg.leg) !== leg) return;
    this.legs.delete(leg.leg);
    this.ports.giveBack(leg.port);
    const thread = this.threads[leg.worker];
    if (thread) thread.legs--;
    leg.gone(stats);
  }

  private ended(thread: MediaThread, reason: string): void {
    const lost = [...this.legs.values()].filter((leg) => leg.worker === thread.worker);
    for (const leg of lost) this.forget(leg, NO_STATS);
    // Before that, start() fails and tells.
    if (!this.started || this.closing || this.threads[thread.worker] !== thread) return;
    this.log.error({ worker: thread.worker, legs: lost.length, reason }, 'a media worker ended; starting another');
    if (thread.isReady) this.replace(thread.worker);
    else this.replaceLater(thread.worker);
    if (lost.length > 0) for (const listener of this.lostListeners) listener(lost.map(({ leg }) => leg));
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
