import { type Transferable, Worker } from 'node:worker_threads';
import { ParleyError } from '../errors.js';
import { threadEntry } from '../threads.js';
import type { MediaWorkerData } from './media-worker.js';
import type { FromMedia, LatenessStats, ToMedia } from './messages.js';

/** What a worker tells about itself. */
interface WorkerStats {
  legs: number;
  ports: number;
  late: LatenessStats;
}

/** A worker that does not end by itself is ended after this, ms. */
const SHUTDOWN_MS = 3000;

/** One media worker's thread. */
export class MediaThread {
  readonly worker: number;
  /** Resolves when the worker takes calls; rejects when it ends before. */
  readonly ready: Promise<void>;
  isReady = false;
  /** Legs that the host has put into it. */
  legs = 0;
  private readonly thread: Worker;
  private readonly exited: Promise<void>;
  private readonly requests = new Map<number, (stats: WorkerStats) => void>();
  private lastRequest = 0;
  private hasEnded = false;
  private failure = 'it ended';

  constructor(data: MediaWorkerData, heard: (event: FromMedia) => void, ended: (reason: string) => void) {
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
        this.hasEnded = true;
        for (const answer of this.requests.values()) answer(noStats());
        this.requests.clear();
        ended(this.failure);
        resolve();
      });
    });
    this.ready = new Promise((resolve, reject) => {
      this.thread.on('message', (event: FromMedia) => {
        if (event.type === 'ready') {
          this.isReady = true;
          resolve();
        } else if (event.type === 'stats') this.answer(event);
        else heard(event);
      });
      void this.exited.then(() => reject(new ParleyError('PARLEY_ERR_MEDIA_LOST', { reason: this.failure })));
    });
    // Who waits for it hears of a failure; where nobody waits, the host restarts the worker.
    this.ready.catch(() => undefined);
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
    this.post({ type: 'shutdown' });
    const timer = setTimeout(() => void this.thread.terminate(), SHUTDOWN_MS);
    await this.exited;
    clearTimeout(timer);
  }

  private answer({ request, legs, ports, late }: Extract<FromMedia, { type: 'stats' }>): void {
    this.requests.get(request)?.({ legs, ports, late });
    this.requests.delete(request);
  }
}

function noStats(): WorkerStats {
  return { legs: 0, ports: 0, late: { p50: 0, p99: 0, max: 0 } };
}
