import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Where the evaluation rows lie unless `--rows` names a file. */
export function defaultRows(name: string): string {
  return `${process.env.PARLEY_TEST_DATA ?? '../shared/data'}/turns/eval/${name}.jsonl.gz`;
}

/** The rows of a .jsonl or .jsonl.gz file; none when there is no such file. */
export function readRows<Row>(file: string): Row[] {
  if (!existsSync(file)) return [];
  const raw = readFileSync(file);
  return parseRows((file.endsWith('.gz') ? gunzipSync(raw) : raw).toString('utf8'));
}

/** One JSON row a line. */
export function parseRows<Row>(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): Row => JSON.parse(line));
}

/** Predictions, one row a line, in the rows' order. */
export function writePredictions(file: string | undefined, lines: readonly (readonly number[])[]): void {
  if (file) writeFileSync(file, `${lines.map((line) => line.map((p) => p.toFixed(6)).join(' ')).join('\n')}\n`);
}

/** Area under the ROC curve; ties count half. */
export function auc(labels: readonly number[], scores: readonly number[]): number {
  const order = scores.map((_, i) => i).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  let ranks = 0;
  for (let i = 0; i < order.length; ) {
    let j = i;
    while (j < order.length && scores[order[j] ?? 0] === scores[order[i] ?? 0]) j++;
    for (let k = i; k < j; k++) ranks += ((labels[order[k] ?? 0] ?? 0) * (i + j + 1)) / 2;
    i = j;
  }
  const positives = labels.reduce((sum, label) => sum + label, 0);
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (labels.length - positives));
}

/** Share of the negatives below the threshold that keeps `recall` of the positives. */
export function negativesBelow(labels: readonly number[], scores: readonly number[], recall: number): number {
  const positive = scores.filter((_, i) => labels[i]).sort((a, b) => a - b);
  const threshold = positive[Math.min(positive.length - 1, Math.trunc((1 - recall) * positive.length))] ?? 0;
  const negative = scores.filter((_, i) => !labels[i]);
  return negative.filter((score) => score < threshold).length / negative.length;
}

/** `.8754`, for tables. */
export function decimal(value: number, digits = 3): string {
  return Number.isFinite(value) ? value.toFixed(digits).replace(/^0\./, '.') : '-';
}

/** `12.3 %`. */
export function percent(value: number): string {
  return Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : '-';
}
