import type { MessagePort } from 'node:worker_threads';
import { ParleyError } from '../../errors.js';
import { Meanings } from '../../language/meanings.js';
import type { Vocabulary } from '../../speech/recognition/vocabulary.js';
import type { WordTime } from '../../speech/synthesis/synthesiser.js';
import { monotonicMs } from '../../telemetry/clock.js';
import { createLogger, type Logger, type LogLevel, ofLeg } from '../../telemetry/log.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import { threadEntry } from '../../threads.js';
import type { FromSpeech, ToSpeech } from '../messages.js';
import { SpeechJobs } from './speech-jobs.js';
import { HostedStream, type ListenedLeg, type SpeechStream, type StreamEvent } from './speech-stream.js';
import { SpeechThread } from './speech-thread.js';

/** Restarts of a worker that keeps failing wait longer and longer, ms. */
const BACK_OFF_MS = { first: 250, longest: 10_000 };
/** A worker that has worked for so long starts anew without waiting when it is lost, ms. */
const STEADY_MS = 30_000;

/** What the speech workers are started with. */
export interface SpeechHostOptions {
  /** Threads; each has its own models (about 300 MB). */
  workers: number;
  logLevel: LogLevel;
  /** Longest that one piece of work may take before its worker counts as hung, ms. */
  jobTimeoutMs: number;
  /** Asks for a channel from each media worker, now and whenever one is replaced: `MediaHost.connectSpeech`. */
  connectMedia: (speech: number, attach: (media: number, port: MessagePort) => void) => void;
  /** Another file for the threads: tests bring workers that fail. */
  entry?: URL;
}

export type { SpeechStream } from './speech-stream.js';

/** What is to be synthesised: see `synthesise` in {@link ToSpeech}. */
export type SynthesisRequest = Omit<Extract<ToSpeech, { type: 'synthesise' }>, 'type' | 'job'>;

/** Synthesised speech, in shared memory, at the rate asked for; words' times in its samples, where the engine has them. */
export interface Synthesised {
  pcm: Int16Array;
  sampleRate: number;
  words?: WordTime[] | undefined;
  /** Compute time. */
  ms: number;
}

interface Slot {
  readonly index: number;
  thread: SpeechThread;
  readyAt: number;
  failures: number;
  /** It has not answered for a while: others do its work, if there are any. */
  suspect: boolean;
}

/**
 * The speech workers as the main thread sees them. A worker that dies or hangs is replaced; its jobs run again and its
 * streams are taken over by another from their last commit on.
 */
export class SpeechHost {
  /** Of what callers have just said. */
  readonly meanings = new Meanings();
  private readonly slots: Slot[] = [];
  private readonly streams = new Map<string, HostedStream>();
  private readonly jobs: SpeechJobs;
  private readonly log: Logger;
  private readonly restarting = new Set<NodeJS.Timeout>();
  private lastJob = 0;
  private restarts = 0;
  private started = false;
  private closing = false;

  private constructor(private readonly options: SpeechHostOptions) {
    this.log = createLogger(options.logLevel, 'speech-host');
    this.jobs = new SpeechJobs(
      (request) => this.send(request),
      (worker, job) => this.slots[worker]?.thread.post({ type: 'cancel', job }),
      options.jobTimeoutMs,
    );
  }

  /**
   * Starts all workers; resolves when each has its models loaded and warm.
   *
   * @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE, PARLEY_ERR_SYNTHESIS_ENGINE,
   *   PARLEY_ERR_SPEECH_WORKER
   */
  static async start(options: SpeechHostOptions): Promise<SpeechHost> {
    const host = new SpeechHost(options);
    try {
      for (let index = 0; index < options.workers; index++) {
        host.slots.push({ index, thread: host.launch(index), readyAt: 0, failures: 0, suspect: false });
      }
      await Promise.all(host.slots.map((slot) => slot.thread.ready));
      for (const slot of host.slots) host.begin(slot);
      host.started = true;
      return host;
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /**
   * Recognises a leg in the worker with the fewest streams.
   *
   * @param listener hears partials and finals until the stream is closed
   * @param vocabulary what callers of the leg's agent can be expected to say
   * @param from position in the leg's ring that it begins at
   * @throws ParleyError PARLEY_ERR_INTERNAL when the leg has a stream already
   */
  openStream(
    leg: ListenedLeg,
    listener: (event: StreamEvent) => void,
    vocabulary?: Vocabulary,
    from = 0,
  ): SpeechStream {
    if (this.streams.has(leg.leg)) {
      throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: `leg ${leg.leg} has a speech stream already` });
    }
    const forget = () => {
      if (this.streams.get(leg.leg) === stream) this.streams.delete(leg.leg);
    };
    const stream = new HostedStream(leg, vocabulary, listener, forget, from);
    this.streams.set(leg.leg, stream);
    this.place(stream);
    return stream;
  }

  /**
   * @param request with `play`, the clip is also sent straight to that leg's media worker
   * @param signal drops the job; the promise rejects with its reason
   * @throws ParleyError PARLEY_ERR_SYNTHESIS_FAILED, PARLEY_ERR_SYNTHESIS_ENGINE, PARLEY_ERR_SPEECH_WORKER
   */
  async synthesise(request: SynthesisRequest, signal?: AbortSignal): Promise<Synthesised> {
    const result = await this.jobs.run({ type: 'synthesise', job: this.nextJob(), ...request }, signal);
    if (result.type !== 'synthesised') throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: 'a wrong answer' });
    const { pcm, sampleRate, words, ms } = result;
    return { pcm, sampleRate, words, ms };
  }

  /**
   * The words of a whole recording.
   *
   * @param sampleRate Hz
   * @throws ParleyError PARLEY_ERR_RECOGNITION_FAILED, PARLEY_ERR_SPEECH_WORKER
   */
  async transcribe(pcm: Int16Array, sampleRate: number, expected?: ExpectedAnswer): Promise<string> {
    const result = await this.jobs.run({ type: 'transcribe', job: this.nextJob(), pcm, sampleRate, expected });
    if (result.type !== 'transcribed') throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: 'a wrong answer' });
    return result.text;
  }

  /**
   * The topics encoder's vectors of these texts, for fitting an agent's topics.
   *
   * @throws ParleyError PARLEY_ERR_SPEECH_WORKER
   */
  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const result = await this.jobs.run({ type: 'embed', job: this.nextJob(), texts });
    if (result.type !== 'embedded') throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: 'a wrong answer' });
    return result.vectors;
  }

  /** `workers`: ready now; `backlog`: work waiting, at most a ping ago. */
  stats(): { workers: number; restarts: number; backlog: number } {
    const ready = this.slots.filter((slot) => slot.thread.isReady);
    const backlog = ready.reduce((total, slot) => total + slot.thread.backlog, this.jobs.count(undefined));
    return { workers: ready.length, restarts: this.restarts, backlog };
  }

  /** Ends the workers; jobs under way are rejected. */
  async close(): Promise<void> {
    this.closing = true;
    for (const timer of this.restarting) clearTimeout(timer);
    for (const stream of [...this.streams.values()]) stream.close();
    this.jobs.close();
    await Promise.all(this.slots.map((slot) => slot.thread.shutdown()));
  }

  private nextJob(): string {
    return `job-${++this.lastJob}`;
  }

  private launch(index: number): SpeechThread {
    const thread: SpeechThread = new SpeechThread(
      this.options.entry ?? threadEntry(import.meta.url, './speech-worker.js'),
      { worker: index, logLevel: this.options.logLevel },
      this.options.jobTimeoutMs,
      (event) => this.heard(index, event),
      (reason) => this.lost(index, reason),
      (on) => this.suspected(index, on),
    );
    return thread;
  }

  /** A worker is ready: connects it, and gives it what waits. */
  private begin(slot: Slot): void {
    slot.readyAt = monotonicMs();
    const { thread } = slot;
    this.options.connectMedia(slot.index, (media, port) => {
      if (slot.thread === thread) thread.post({ type: 'media.port', media, port }, [port]);
      else port.close();
    });
    for (const stream of this.streams.values()) if (stream.worker === undefined) this.place(stream);
    this.jobs.resume();
  }

  private place(stream: HostedStream): void {
    const slot = this.least((index) => this.streamsOf(index));
    if (slot) stream.place(slot.index, (message) => slot.thread.post(message));
  }

  private streamsOf(index: number): number {
    return [...this.streams.values()].filter(({ worker }) => worker === index).length;
  }

  private send(request: ToSpeech): number | undefined {
    // Among equals the one that listens to fewer callers: a sentence in the making holds up the words of none.
    const listens = (index: number) => this.streamsOf(index) / (this.streams.size + 1);
    const slot = this.least(
      (index) => this.jobs.count(index) + (this.slots[index]?.thread.backlog ?? 0) + listens(index),
    );
    slot?.thread.post(request);
    return slot?.index;
  }

  private least(load: (index: number) => number): Slot | undefined {
    return this.slots
      .filter((slot) => slot.thread.isReady && !slot.suspect)
      .map((slot) => ({ slot, load: load(slot.index) }))
      .reduce<{ slot: Slot; load: number } | undefined>((a, b) => (a && a.load <= b.load ? a : b), undefined)?.slot;
  }

  private heard(worker: number, event: FromSpeech): void {
    if ('job' in event) return this.jobs.answered(event);
    if (event.type !== 'partial' && event.type !== 'final' && event.type !== 'stream.failed') return;
    if ('meanings' in event && event.meanings) this.meanings.remember(event.meanings);
    try {
      this.streams.get(event.leg)?.heard(worker, event);
    } catch (error) {
      this.log.error({ err: error, ...ofLeg(event.leg), event: event.type }, 'a speech listener threw');
    }
  }

  private lost(index: number, reason: string): void {
    const slot = this.slots[index];
    // Before that, start() fails and tells.
    if (!slot || !this.started || this.closing) return;
    this.log.error({ worker: index, reason }, 'a speech worker is lost; starting another');
    this.restarts++;
    slot.failures = slot.readyAt > 0 && monotonicMs() - slot.readyAt > STEADY_MS ? 0 : slot.failures + 1;
    slot.readyAt = 0;
    slot.suspect = false;
    this.restartLater(slot);
    this.giveAway(index, reason);
  }

  /** Callers need not wait until it is known whether a worker hangs, where another can do its work. */
  private suspected(index: number, on: boolean): void {
    const slot = this.slots[index];
    const others = this.slots.some(({ thread, suspect }, other) => other !== index && thread.isReady && !suspect);
    if (!slot || slot.suspect === on || (on && !others)) return;
    slot.suspect = on;
    if (!on) return;
    this.log.warn({ worker: index }, 'a speech worker does not answer; others do its work');
    this.giveAway(index, 'it does not answer');
  }

  private giveAway(index: number, reason: string): void {
    for (const stream of this.streams.values()) {
      if (stream.worker !== index) continue;
      stream.displace();
      this.place(stream);
    }
    this.jobs.lost(index, reason);
  }

  private restartLater(slot: Slot): void {
    const wait = slot.failures <= 1 ? 0 : BACK_OFF_MS.first * 2 ** (slot.failures - 2);
    const timer = setTimeout(
      () => {
        this.restarting.delete(timer);
        const thread = this.launch(slot.index);
        slot.thread = thread;
        thread.ready.then(
          () => this.begin(slot),
          () => undefined, // It is lost: the next restart is under way.
        );
      },
      Math.min(BACK_OFF_MS.longest, wait),
    );
    this.restarting.add(timer);
  }
}
