/** What a speech worker does first when it can't do everything at once, most urgent first. */
const URGENCY = ['final', 'play', 'early', 'contested', 'prepare', 'partial', 'transcribe'] as const;

/** A kind of work; its place in {@link URGENCY} is its priority. */
export type WorkKind = (typeof URGENCY)[number];

/** A piece of work of one speech worker. */
export interface Work {
  kind: WorkKind;
  /** Names the work for {@link Scheduler.cancel}. New work takes the place of waiting work with the same key. */
  key: string;
  /** Deals with its own failures: must not reject. */
  run(): Promise<void>;
}

/**
 * One piece of work at a time, the most urgent first, and in the order asked for among equals. Finals come before
 * all else and partials are replaced by newer ones while they wait, so that load costs partials first and the latency of turns last.
 *
 * Work computes on this thread, so between pieces the thread's messages get their turn: an offset mark that has come
 * meanwhile puts its final before what waits.
 */
export class Scheduler {
  private readonly waiting = new Map<WorkKind, Map<string, Work>>(URGENCY.map((kind) => [kind, new Map()]));
  private running: Promise<void> | undefined;
  private current: { key: string; since: number } | undefined;

  /**
   * @param now monotonic clock, ms
   * @param failed told of work that rejected against its promise; the rest goes on
   */
  constructor(
    private readonly now: () => number,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Pieces waiting, without the one that runs. */
  get backlog(): number {
    return [...this.waiting.values()].reduce((total, queue) => total + queue.size, 0);
  }

  /** How long the piece under way has been running, ms; 0 when idle. */
  get busyMs(): number {
    return this.current ? this.now() - this.current.since : 0;
  }

  /** Whether the work under way has that key. */
  runs(key: string): boolean {
    return this.current?.key === key;
  }

  submit(work: Work): void {
    this.waiting.get(work.kind)?.set(work.key, work);
    this.running ??= this.drain();
  }

  /** Drops the waiting work of that key; what runs already goes on. */
  cancel(key: string): void {
    for (const queue of this.waiting.values()) queue.delete(key);
  }

  /** Done when nothing runs or waits. */
  async idle(): Promise<void> {
    await this.running;
  }

  private async drain(): Promise<void> {
    await messagesTurn();
    for (let work = this.take(); work; work = this.take()) {
      this.current = { key: work.key, since: this.now() };
      await work.run().catch(this.failed);
      this.current = undefined;
      await messagesTurn();
    }
    this.running = undefined;
  }

  private take(): Work | undefined {
    for (const queue of this.waiting.values()) {
      for (const [key, work] of queue) {
        queue.delete(key);
        return work;
      }
    }
    return undefined;
  }
}

function messagesTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
