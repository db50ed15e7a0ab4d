const BUCKET_MS = 0.1;
const BUCKETS = 2000;

/** Percentiles of how late timers came, at a resolution of 0.1 ms up to 200 ms, without an allocation a sample. */
export class Lateness {
  private readonly buckets = new Uint32Array(BUCKETS);
  private count = 0;
  private max = 0;

  add(ms: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.floor(ms / BUCKET_MS));
    this.buckets[bucket] = this.buckets[bucket]! + 1;
    this.count++;
    if (ms > this.max) this.max = ms;
  }

  /** What was added since the last call, ms. */
  take(): { p50: number; p99: number; max: number } {
    const report = { p50: this.percentile(0.5), p99: this.percentile(0.99), max: this.max };
    this.buckets.fill(0);
    this.count = 0;
    this.max = 0;
    return report;
  }

  private percentile(share: number): number {
    const rank = share * this.count;
    for (let bucket = 0, seen = 0; bucket < BUCKETS && this.count > 0; bucket++) {
      seen += this.buckets[bucket]!;
      if (seen >= rank) return Math.min(this.max, (bucket + 1) * BUCKET_MS);
    }
    return 0;
  }
}
