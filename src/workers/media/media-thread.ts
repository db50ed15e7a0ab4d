import { type Transferable, Worker } from 'node:worker_threads';
import { ParleyError } from '../../errors.js';
import { within } from '../../telemetry/within.js';
import { threadEntry } from '../../threads.js';
import type { FromMedia, LatenessStats, LegEvent, ToMedia } from '../messages.js';
import type { MediaWorkerData } from './media-worker.js';

/** What a worker tells about itself. */
interface WorkerStats {
  legs: number;
  ports: number;
  late: LatenessStats;
}

/** A worker that is not ready by then never will be, ms. */
const START_MS = 30_000;
/** A worker that does not end by itself is ended after this, ms. */
const SHUTDOWN_MS = 3000;
/** Callers of a hung worker hear nothing: it is asked so often, ms... */
const PING_MS = 250;
/** ...and given up after so many pings without an answer, or answers without a frame sent. */
const PINGS = 6;
/** A hung thread has so long to end and set its ports free, ms; native code that never returns can't be stopped. */
const END_MS = 300;

/** One media worker's thread, watched: a worker that ends, answers no more, or paces no more is lost. */
export class MediaThread {
  readonly worker: number;
  /** Resolves when the worker takes calls; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves when its first call can be like any other, or it has ended. */
  readonly rehearsed: Promise<void>;
  /** It has taken calls. */
  isReady = false;
  /** Legs that the host has put into it. */
  legs = 0;
  /** How late its 20 ms tick came lately, 99 of 100, ms. */
  lateMs = 0;
  private readonly thread: Worker;
  private readonly exited: Promise<void>;
  private readonly requests = new Map<number, (stats: WorkerStats) => void>();
  private lastRequest = 0;
  private hasEnded = false;
  private failure = 'it ended';
  private watch: NodeJS.Timeout;
  private unanswered = 0;
  private unpaced = 0;
  private frames = 0;

  /**
   * @param heard what it tells about a leg
   * @param ended called once, when the worker is of no more use
   */
  constructor(
    data: MediaWorkerData,
    heard: (event: LegEvent) => void,
    private readonly ended: (reason: string) => void,
  ) {
    this.worker = data.worker;
    this.thread = new Worker(threadEntry(import.meta.url, './media-worker.js'), {
      workerData: data,
      name: `media-${data.worker}`,
      // A datagram is garbage after its packet: little at a time is collected in half a millisecond, much in ten.
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    this.thread.on('error', (error) => {
      this.failure = error.message;
    });
    this.exited = new Promise((resolve) => {
      this.thread.once('exit', () => {
        this.end();
        resolve();
      });
    });
    this.ready = new Promise((resolve, reject) => {
      this.thread.on('message', (event: FromMedia) => {
        if (this.hasEnded) return;
        if (event.type === 'ready') {
          this.begin();
          resolve();
        } else if (event.type === 'stats') this.answer(event);
        else if (event.type === 'pong') this.pong(event);
        else if ('leg' in event) heard(event);
      });
      void this.exited.then(() => reject(new ParleyError('PARLEY_ERR_MEDIA_LOST', { reason: this.failure })));
    });
    this.rehearsed = Promise.race([
      this.exited,
      new Promise<void>((resolve) => {
        this.thread.on('message', (event: FromMedia) => event.type === 'rehearsed' && resolve());
      }),
    ]);
    // Who waits for it hears of a failure; where nobody waits, the host restarts the worker.
    this.ready.catch(() => undefined);
    this.watch = setTimeout(() => void this.giveUp(`it was not ready within ${START_MS / 1000} s`), START_MS);
  }

  /** Hands over a message; one for a worker that has ended is lost with it. */
  post(message: ToMedia, transfer: Transferable[] = []): void {
    this.thread.postMessage(message, transfer);
  }

  /** Zeros when the worker ends before it answers. */
  stats(): Promise<WorkerStats> {
    if (this.hasEnded) return Promise.resolve(noStats());
    const request = ++this.lastRequest;
    return new Promise((resolve) => {
      this.requests.set(request, resolve);
      this.post({ type: 'stats', request });
    });
  }

  /** Lets the worker close its sockets and end. */
  async shutdown(): Promise<void> {
    clearTimeout(this.watch);
    this.post({ type: 'shutdown' });
    const timer = setTimeout(() => void this.thread.terminate(), SHUTDOWN_MS);
    await within(SHUTDOWN_MS + END_MS, this.exited);
    clearTimeout(timer);
  }

  private begin(): void {
    clearTimeout(this.watch);
    this.isReady = true;
    this.watch = setInterval(() => this.ping(), PING_MS);
  }

  /** Counts pings instead of measuring time: after a stall of this thread itself their answers still lie unread. */
  private ping(): void {
    if (this.unanswered >= PINGS) void this.giveUp(`it has not answered for ${PINGS * PING_MS} ms`);
    else {
      this.unanswered++;
      this.post({ type: 'ping' });
    }
  }

  private pong({ legs, frames, lateMs }: Extract<FromMedia, { type: 'pong' }>): void {
    this.unanswered = 0;
    this.lateMs = lateMs;
    this.unpaced = legs > 0 && frames === this.frames ? this.unpaced + 1 : 0;
    this.frames = frames;
    if (this.unpaced >= PINGS) void this.giveUp(`it has sent nothing for ${PINGS * PING_MS} ms`);
  }

  private async giveUp(reason: string): Promise<void> {
    clearTimeout(this.watch);
    this.failure = reason;
    // Its ports can be had again when it has ended.
    await within(END_MS, this.thread.terminate());
    this.end();
  }

  private end(): void {
    clearTimeout(this.watch);
    if (this.hasEnded) return;
    this.hasEnded = true;
    for (const answer of this.requests.values()) answer(noStats());
    this.requests.clear();
    this.ended(this.failure);
  }

  private answer({ request, legs, ports, late }: Extract<FromMedia, { type: 'stats' }>): void {
    this.requests.get(request)?.({ legs, ports, late });
    this.requests.delete(request);
  }
}

function noStats(): WorkerStats {
  return { legs: 0, ports: 0, late: { p50: 0, p99: 0, max: 0 } };
}
