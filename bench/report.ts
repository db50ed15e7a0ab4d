/** What a bench found: rows for people, values for programs. */
export interface BenchResult {
  rows: [string, string][];
  values: Record<string, unknown>;
}

/** How a bench is to run. */
export interface BenchOptions {
  /** Ends within a minute or two, the server's start included. */
  quick: boolean;
  /** Other material than what anything was tuned on, where a bench has some. */
  other?: boolean | undefined;
  /** Only the modes that have this in their name, where a bench has some. */
  mode?: string | undefined;
}

/** What benches of the language models read and write: each takes what concerns it. */
export interface BenchFiles {
  /** Rows to score instead of the evaluation folder's. */
  rows?: string | undefined;
  /** Where to write what was predicted, a line a row. */
  predictions?: string | undefined;
  /** Example phrases of the topics of `rows`. */
  examples?: string | undefined;
  /** Through synthesis, a telephone's rate and the recogniser. */
  spoken?: boolean | undefined;
}

/** Median and 95th percentile, rounded to whole units; null without values. */
export interface Spread {
  median: number | null;
  p95: number | null;
  count: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  // Nearest rank: the smallest value that at least this share of the values does not exceed.
  const rank = (share: number) => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    return value === undefined ? null : Math.round(value);
  };
  return { median: rank(0.5), p95: rank(0.95), count: sorted.length };
}

/** `median 512 ms, p95 803 ms`. */
export function spreadText({ median, p95 }: Spread, unit = 'ms'): string {
  return median === null ? 'none' : `median ${median} ${unit}, p95 ${p95} ${unit}`;
}

export function printTable(title: string, rows: readonly (readonly [string, string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  console.log(`\n${title}`);
  for (const [name, value] of rows) console.log(`  ${name.padEnd(width)}  ${value}`);
}
