import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What this process has to do. */
export interface LoadFigures {
  /** Of one core, in percent, all threads together. */
  cpuPercent: number;
  /** How late the main thread's event loop was, 99th percentile, ms. */
  eventLoopMs: number;
  memoryMb: number;
}

/** Figures stand for at least so long, ms: whoever asks often gets the same again. */
const WINDOW_MS = 2000;
const RESOLUTION_MS = 10;

/** Measures the load of this process since it was last asked. */
export class Load {
  private readonly delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private since = performance.now();
  private cpu = process.cpuUsage();
  private last: LoadFigures | undefined;

  constructor() {
    this.delay.enable();
  }

  read(): LoadFigures {
    const now = performance.now();
    if (this.last && now - this.since < WINDOW_MS) return this.last;
    const { user, system } = process.cpuUsage(this.cpu);
    const late = Math.max(0, this.delay.percentile(99) / 1e6 - RESOLUTION_MS);
    this.last = {
      cpuPercent: Math.round((user + system) / 10 / Math.max(1, now - this.since)),
      eventLoopMs: Number.isFinite(late) ? Math.round(late * 10) / 10 : 0,
      memoryMb: Math.round(process.memoryUsage.rss() / 1e6),
    };
    this.since = now;
    this.cpu = process.cpuUsage();
    this.delay.reset();
    return this.last;
  }

  close(): void {
    this.delay.disable();
  }
}
