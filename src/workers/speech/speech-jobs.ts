import { ParleyError } from '../../errors.js';
import type { FromSpeech, ToSpeech } from '../messages.js';
import { fromWire } from './speech-errors.js';

/** A job is tried with so many workers; one that loses them all is the one to blame. */
const ATTEMPTS = 3;

type Request = Extract<ToSpeech, { type: 'synthesise' | 'transcribe' | 'embed' }>;
/** What answers a job. */
export type JobResult = Extract<FromSpeech, { type: 'synthesised' | 'transcribed' | 'embedded' }>;

interface Job {
  readonly request: Request;
  readonly resolve: (result: JobResult) => void;
  readonly reject: (error: unknown) => void;
  worker: number | undefined;
  attempts: number;
  waiting: NodeJS.Timeout | undefined;
}

/** The jobs that speech workers have been given or wait for a worker; those of a lost worker run again elsewhere. */
export class SpeechJobs {
  private readonly jobs = new Map<string, Job>();

  /**
   * @param send gives a request to a worker and returns its index; undefined when there is none now
   * @param cancel tells a worker to drop a job
   * @param waitMs longest that a job waits for a worker
   */
  constructor(
    private readonly send: (request: Request) => number | undefined,
    private readonly cancel: (worker: number, job: string) => void,
    private readonly waitMs: number,
  ) {}

  /** Jobs that a worker has, or all that wait for one. */
  count(worker: number | undefined): number {
    return [...this.jobs.values()].filter((job) => job.worker === worker).length;
  }

  /**
   * @throws ParleyError of the engine, or PARLEY_ERR_SPEECH_WORKER when no worker could do it; the signal's reason when
   *   it is aborted
   */
  async run(request: Request, signal?: AbortSignal): Promise<JobResult> {
    signal?.throwIfAborted();
    let abort = (): void => undefined;
    const result = new Promise<JobResult>((resolve, reject) => {
      this.assign({ request, resolve, reject, worker: undefined, attempts: 0, waiting: undefined });
      abort = () => this.abort(request.job, signal?.reason);
    });
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await result;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** An answer of a worker. */
  answered(event: Extract<FromSpeech, { job: string }>): void {
    const job = this.take(event.job);
    if (event.type === 'failed') job?.reject(fromWire(event));
    else job?.resolve(event);
  }

  /** Gives waiting jobs to workers, now that there is one. */
  resume(): void {
    for (const job of [...this.jobs.values()]) if (job.worker === undefined) this.assign(job);
  }

  /** Gives the jobs of a lost worker to others. */
  lost(worker: number, reason: string): void {
    const lost = [...this.jobs.values()].filter((job) => job.worker === worker);
    for (const job of lost) {
      job.worker = undefined;
      job.attempts++;
      if (job.attempts < ATTEMPTS) this.assign(job);
      else this.fail(job, reason);
    }
  }

  /** Rejects everything. */
  close(): void {
    for (const job of [...this.jobs.values()]) this.fail(job, 'Parley is stopping');
  }

  private assign(job: Job): void {
    this.jobs.set(job.request.job, job);
    job.worker = this.send(job.request);
    if (job.worker !== undefined) clearTimeout(job.waiting);
    else job.waiting ??= setTimeout(() => this.fail(job, 'no worker was ready in time'), this.waitMs);
  }

  private abort(name: string, reason: unknown): void {
    const job = this.take(name);
    if (job?.worker !== undefined) this.cancel(job.worker, name);
    job?.reject(reason);
  }

  private fail(job: Job, reason: string): void {
    this.take(job.request.job);
    job.reject(new ParleyError('PARLEY_ERR_SPEECH_WORKER', { reason }));
  }

  private take(name: string): Job | undefined {
    const job = this.jobs.get(name);
    this.jobs.delete(name);
    clearTimeout(job?.waiting);
    return job;
  }
}
