/** What this process takes of the machine. */
export interface LoadFigures {
  /** Of one core, in percent, all threads together. */
  cpuPercent: number;
  memoryMb: number;
}

/** Figures stand for at least so long, ms: whoever asks often gets the same again. */
const WINDOW_MS = 2000;

/** Measures what this process has taken since it was last asked. */
export class Load {
  private since = performance.now();
  private cpu = process.cpuUsage();
  private last: LoadFigures | undefined;

  read(): LoadFigures {
    const now = performance.now();
    if (this.last && now - this.since < WINDOW_MS) return this.last;
    const { user, system } = process.cpuUsage(this.cpu);
    this.last = {
      cpuPercent: Math.round((user + system) / 10 / Math.max(1, now - this.since)),
      memoryMb: Math.round(process.memoryUsage.rss() / 1e6),
    };
    this.since = now;
    this.cpu = process.cpuUsage();
    return this.last;
  }
}
