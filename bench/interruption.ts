import { Moonshine } from '../src/speech/recognition/moonshine/moonshine.js';
import { InterruptionModel } from '../src/turns/models/interruption-model.js';
import { burstPolicy, type BurstRow as Row } from './burst-policy.js';
import type { BenchFiles, BenchOptions, BenchResult } from './report.js';
import { auc, decimal, defaultRows, negativesBelow, percent, readRows, writePredictions } from './turn-rows.js';

const SETS = ['interruption-switchboard', 'interruption-mrda'];
const QUICK_ROWS = 600;
const JUDGED = [
  ['0.3 s', 0.3],
  ['0.5 s', 0.5],
  ['0.8 s', 0.8],
  ['whole', Number.POSITIVE_INFINITY],
] as const;

/**
 * The interruption model on bursts that begin while the other speaks, judged 0.3, 0.5, 0.8 s after onset and on the
 * whole, and what the judge makes of it in a call. Measures are those of the evaluation folder's scorer. `--rows FILE` scores other rows, `--predictions OUT`
 * writes four P per row.
 */
export async function interruption(options: BenchOptions & BenchFiles): Promise<BenchResult> {
  const recogniser = await Moonshine.load();
  const language = await recogniser.language();
  const model = await InterruptionModel.load(language);
  const files = options.rows ? [options.rows] : SETS.map(defaultRows);
  const table: [string, string][] = [];
  const values: Record<string, unknown> = {};
  for (const file of files) {
    const all = readRows<Row>(file);
    if (all.length === 0) table.push([file, 'no rows']);
    const rows = options.quick ? all.slice(0, QUICK_ROWS) : all;
    if (rows.length === 0) continue;
    const began = performance.now();
    const scores: number[][] = [];
    for (const row of rows) scores.push(await judge(model, row));
    const msEach = (performance.now() - began) / rows.length / JUDGED.length;
    writePredictions(options.predictions, scores);
    const name = file.replace(/^.*\//, '').replace(/\.jsonl(\.gz)?$/, '');
    const labels = rows.map((row) => row.real);
    const result = JUDGED.map(([at], k) => [at, measure(labels, scores, k)] as const);
    const policy = await burstPolicy(model, rows);
    values[name] = { rows: rows.length, policy: policy.values, ...Object.fromEntries(result), msEach };
    for (const [at, m] of result) {
      const rejected = `${percent(m.rejectedAt95)} rejected at 95 % recall, ${percent(m.rejectedAt98)} at 98 %`;
      table.push([`${name}, ${at}`, `AUC ${decimal(m.auc)}, ${rejected} (${rows.length} rows)`]);
    }
    table.push([`${name}, in a call`, policy.text]);
    table.push([`${name}, time`, `${decimal(msEach, 2)} ms each`]);
  }
  await model.release();
  await language.close();
  await recogniser.close();
  return { rows: table, values };
}

/** P at each of the times; only words that have ended are known, and whether the caller still speaks. */
async function judge(model: InterruptionModel, { agent, words }: Row): Promise<number[]> {
  const last = words.at(-1)?.[1] ?? 0;
  const out: number[] = [];
  for (const [, time] of JUDGED) {
    const at = Math.min(time, Number.isFinite(time) ? time : last);
    const heard = words.filter(([, end]) => end <= at);
    // Of a whole burst the beginning counts: it was judged long before its end.
    const kept = Number.isFinite(time) ? heard : heard.slice(0, 16);
    out.push(
      await model.probability({
        words: kept.map(([word]) => word).join(' '),
        elapsedMs: at * 1000,
        speaking: last > at,
        agent,
        sinceLastWordMs: Number.isFinite(time) ? (at - (heard.at(-1)?.[1] ?? 0)) * 1000 : 0,
      }),
    );
  }
  return out;
}

function measure(labels: readonly number[], scores: readonly number[][], k: number) {
  const p = scores.map((row) => row[k] ?? 0);
  return {
    auc: auc(labels, p),
    rejectedAt95: negativesBelow(labels, p, 0.95),
    rejectedAt98: negativesBelow(labels, p, 0.98),
  };
}
