import { type Transferable, Worker } from 'node:worker_threads';
import { ParleyError, reasonOf } from '../../errors.js';
import { within } from '../../telemetry/within.js';
import type { FromSpeech, ToSpeech } from '../messages.js';
import { fromWire } from './speech-errors.js';
import type { SpeechWorkerData } from './speech-worker.js';

/** A worker that has not loaded its models by then never will, ms. */
const START_MS = 60_000;
/** A worker that does not end by itself is ended after this, ms. */
const SHUTDOWN_MS = 3000;
/** It is asked so often whether it answers, and how much work waits, ms. */
const PING_MS = 500;
/** A worker that has not answered so many pings in a row may hang: no piece of work takes so long by half. */
const SUSPICIOUS = 6;

/** One speech worker's thread, watched: a worker that ends, or hangs for longer than a job may take, is lost. */
export class SpeechThread {
  /** Resolves when models are loaded and warm; rejects with the ParleyError that tells why not. */
  readonly ready: Promise<void>;
  isReady = false;
  /** Work waiting in the worker when it was last asked. */
  backlog = 0;
  private readonly thread: Worker;
  private readonly exited: Promise<void>;
  private failure: ParleyError | undefined;
  private isLost = false;
  private unanswered = 0;
  private readonly pings: number;
  private readonly pingMs: number;
  private watch: NodeJS.Timeout;
  private started: (error?: ParleyError) => void = () => undefined;

  /**
   * @param entry the worker's compiled file
   * @param jobTimeoutMs longest that one piece of work may take, ms
   * @param heard everything but what is between this class and the worker
   * @param lost called once, when the worker is of no more use
   * @param suspected it has not answered for a while, or answers again
   */
  constructor(
    entry: URL,
    data: SpeechWorkerData,
    private readonly jobTimeoutMs: number,
    private readonly heard: (event: FromSpeech) => void,
    private readonly lost: (reason: string) => void,
    private readonly suspected: (on: boolean) => void,
  ) {
    this.pingMs = Math.min(PING_MS, jobTimeoutMs / 4);
    this.pings = Math.ceil(jobTimeoutMs / this.pingMs);
    this.thread = new Worker(entry, { workerData: data, name: `speech-${data.worker}` });
    this.ready = new Promise((resolve, reject) => {
      this.started = (error) => (error ? reject(error) : resolve());
    });
    // Who waits for it hears of a failure; where nobody waits, the host starts another.
    this.ready.catch(() => undefined);
    this.thread.on('message', (event: FromSpeech) => this.take(event));
    this.thread.on('error', (error) => {
      this.failure ??= new ParleyError('PARLEY_ERR_SPEECH_WORKER', { reason: reasonOf(error) }, { cause: error });
    });
    this.exited = new Promise((resolve) => {
      this.thread.once('exit', (code) => {
        this.end(`it ended with code ${code}`);
        resolve();
      });
    });
    this.watch = setTimeout(() => this.giveUp(`it was not ready within ${START_MS / 1000} s`), START_MS);
  }

  /** Hands over a message; one for a worker that has ended is lost with it. */
  post(message: ToSpeech, transfer: Transferable[] = []): void {
    this.thread.postMessage(message, transfer);
  }

  /** Lets the worker end its work and free its models. */
  async shutdown(): Promise<void> {
    clearTimeout(this.watch);
    this.post({ type: 'shutdown' });
    const timer = setTimeout(() => void this.thread.terminate(), this.isReady ? SHUTDOWN_MS : 0);
    await within(2 * SHUTDOWN_MS, this.exited);
    clearTimeout(timer);
  }

  private take(event: FromSpeech): void {
    if (this.isLost) return;
    if (event.type === 'ready') this.begin();
    else if (event.type === 'start.failed') this.failure = fromWire(event);
    else if (event.type === 'pong') this.pong(event.backlog, event.busyMs);
    else this.heard(event);
  }

  private begin(): void {
    clearTimeout(this.watch);
    this.isReady = true;
    this.watch = setInterval(() => this.ping(), this.pingMs);
    this.started();
  }

  /** Counts pings instead of measuring time: after a stall of this thread itself their answers still lie unread. */
  private ping(): void {
    if (this.unanswered >= this.pings) return this.giveUp(`it has not answered for ${this.jobTimeoutMs} ms`);
    if (this.unanswered === SUSPICIOUS) this.suspected(true);
    this.post({ type: 'ping', request: ++this.unanswered });
  }

  private pong(backlog: number, busyMs: number): void {
    if (this.unanswered >= SUSPICIOUS) this.suspected(false);
    this.unanswered = 0;
    this.backlog = backlog;
    if (busyMs > this.jobTimeoutMs) this.giveUp(`one piece of its work has been running for ${Math.round(busyMs)} ms`);
  }

  private giveUp(reason: string): void {
    this.end(reason);
    // Native code that never returns can't be stopped; the thread is then left behind.
    void this.thread.terminate();
  }

  private end(reason: string): void {
    clearTimeout(this.watch);
    if (this.isLost) return;
    this.isLost = true;
    this.isReady = false;
    this.failure ??= new ParleyError('PARLEY_ERR_SPEECH_WORKER', { reason });
    this.started(this.failure);
    this.lost(this.failure.message);
  }
}
