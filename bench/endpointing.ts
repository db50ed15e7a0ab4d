import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Moonshine } from '../src/speech/recognition/moonshine/moonshine.js';
import type { ExpectedAnswer } from '../src/text/expected.js';
import { PATIENCE } from '../src/turns/config.js';
import { endpointWait, likelyWhole } from '../src/turns/endpointing.js';
import { EndpointModel } from '../src/turns/models/endpoint-model.js';
import type { BenchFiles, BenchOptions, BenchResult } from './report.js';
import { clearVoice, heardOf, type Speak } from './spoken-answers.js';
import {
  auc,
  decimal,
  defaultRows,
  negativesBelow,
  parseRows,
  percent,
  readRows,
  writePredictions,
} from './turn-rows.js';

interface Row {
  agent: string;
  text: string;
  end: number;
  pause: number;
  mid: boolean;
  expected?: ExpectedAnswer;
  category?: string;
  /** The words as they are to be spoken, where they are a made caller's. */
  spoken?: string;
}

const SETS = ['endpointing-switchboard', 'endpointing-mrda'];
const QUICK_ROWS = 600;
/** Callers answering an agent, made by models/turns/answers.py from templates that no training has seen. */
const ANSWERS = 'answers';
const ANSWER_TURNS = 1500;
const SPOKEN_TURNS = 400;
const QUICK_SPOKEN_TURNS = 60;
/** The recogniser takes 12 s at once; who dictates more is heard in pieces, which is not what is measured. */
const MOST_SPOKEN_WORDS = 28;

/**
 * The endpointing model on pauses: does the turn end here, or does the speaker go on? Measures and sweep are those of
 * the evaluation folder's scorer. `--rows FILE` scores other rows, `--predictions OUT` writes P per row. `--spoken`
 * judges made callers by what the recogniser hears of them on a telephone line, beside their ideal words.
 */
export async function endpointing(options: BenchOptions & BenchFiles): Promise<BenchResult> {
  if (options.spoken) return spokenAnswers(options);
  const model = await loaded();
  const files = options.rows ? [options.rows] : [...SETS.map(defaultRows), ANSWERS];
  const table: [string, string][] = [];
  const values: Record<string, unknown> = {};
  for (const file of files) {
    const all = file === ANSWERS ? answers() : readRows<Row>(file);
    if (all.length === 0) table.push([file, 'no rows']);
    const rows = options.quick ? all.slice(0, QUICK_ROWS) : all;
    if (rows.length === 0) continue;
    const began = performance.now();
    const scores = await predict(model, rows);
    const msEach = (performance.now() - began) / rows.length;
    writePredictions(
      options.predictions,
      scores.map((score) => [score]),
    );
    const name = file.replace(/^.*\//, '').replace(/\.jsonl(\.gz)?$/, '');
    const result = score(rows, scores);
    values[name] = { ...result, msEach };
    table.push(...rowsOf(name, result), [`${name}, time`, `${decimal(msEach, 2)} ms a row`]);
    table.push(...categories(name, rows, scores));
  }
  await model.release();
  return { rows: table, values };
}

/** The recogniser stays: its decoder is the model's other half. */
async function loaded(): Promise<EndpointModel> {
  const recogniser = await Moonshine.load();
  return EndpointModel.load(await recogniser.language());
}

/** None where there is no Python. */
function answers(turns = ANSWER_TURNS): Row[] {
  const script = fileURLToPath(new URL('../models/turns/answers.py', import.meta.url));
  const made = spawnSync('python3', [script, 'test', String(turns), '1'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return made.status === 0 ? parseRows<Row>(made.stdout) : [];
}

/** The same turns by their ideal words, and as heard: what recognition costs. */
async function spokenAnswers({ quick, predictions }: BenchOptions & BenchFiles): Promise<BenchResult> {
  const made = answers(quick ? QUICK_SPOKEN_TURNS : SPOKEN_TURNS);
  const rows = made.filter(({ text }) => text.split(' ').length <= MOST_SPOKEN_WORDS);
  const model = await loaded();
  const ideal = await predict(model, rows);
  const heardBy = async (voices?: readonly [Speak, ...Speak[]]) => {
    const lines = rows.map(({ spoken, text, expected }) => ({ spoken: spoken ?? text, expected }));
    const found = await heardOf(lines, voices);
    const scores = await predict(
      model,
      rows.map((row, at) => ({ ...row, text: found[at]?.text ?? '' })),
    );
    return scores.map((p, at) => likelyWhole(p, found[at]?.unfinished));
  };
  const heard = await heardBy();
  const clear = clearVoice();
  const heardClearly = clear && (await heardBy([clear]));
  await model.release();
  writePredictions(
    predictions,
    heard.map((p) => [p]),
  );
  const best = score(rows, ideal);
  const table = rowsOf('ideal words', best);
  const told = (name: string, scores: readonly number[]) => {
    const result = score(rows, scores);
    const lost: [string, string] = [`${name}, AUC lost`, decimal(best.mid.auc - result.mid.auc)];
    table.push(...rowsOf(name, result), lost, ...categories(name, rows, scores));
    return result;
  };
  const values = { ideal: best, heard: told('as heard', heard) };
  if (!heardClearly) return { rows: table, values };
  return { rows: table, values: { ...values, clear: told('as heard of a clear voice', heardClearly) } };
}

async function predict(model: EndpointModel, rows: readonly Row[]): Promise<number[]> {
  const scores: number[] = [];
  for (const { text, agent, expected } of rows) {
    scores.push(await model.probability({ words: text, agent, expected: expected ?? { kind: 'open' } }));
  }
  return scores;
}

interface Score {
  rows: number;
  ends: number;
  auc: number;
  tnAtTp95: number;
  tnAtTp993: number;
  cutOffAt300Ms: number;
  cutOffAt600Ms: number;
  meanWaitSAt5Pct: number;
  meanWaitSAt10Pct: number;
  balanced: AsShipped;
}

/** What callers have of the waits that agents are shipped with. */
interface AsShipped {
  cutOff: number;
  meanWaitMs: number;
  medianWaitMs: number;
}

/** Nothing is decided before the detector is sure of the end, and a voice is noticed a little after it goes on, ms. */
const DETECTOR = { endMs: 210, onsetMs: 45 };

/** @returns `mid`: holds inside an utterance only; `all`: also those after whole sentences */
function score(rows: readonly Row[], scores: readonly number[]): Record<'mid' | 'all', Score> {
  const measure = (keep: (row: Row) => boolean): Score => {
    const picked = rows
      .map((row, i) => ({ row, score: scores[i] ?? 0 }))
      .filter(({ row }) => keep(row) && (row.end || (row.pause >= 0.2 && row.pause <= 5)));
    const labels = picked.map(({ row }) => row.end);
    const p = picked.map((one) => one.score);
    return {
      rows: picked.length,
      ends: labels.filter(Boolean).length,
      auc: auc(labels, p),
      tnAtTp95: negativesBelow(labels, p, 0.95),
      tnAtTp993: negativesBelow(labels, p, 0.993),
      ...policy(picked),
      balanced: asShipped(picked),
    };
  };
  return { mid: measure((row) => Boolean(row.end || row.mid)), all: measure(() => true) };
}

function asShipped(picked: readonly { row: Row; score: number }[]): AsShipped {
  const waitMs = ({ row, score }: { row: Row; score: number }) => {
    const turn = { text: row.text, finished: score, expected: row.expected ?? ({ kind: 'open' } as const) };
    return Math.max(DETECTOR.endMs, endpointWait(turn, PATIENCE.balanced).waitMs);
  };
  const holds = picked.filter(({ row }) => !row.end);
  const waits = picked.filter(({ row }) => row.end).map(waitMs);
  return {
    cutOff: holds.filter((one) => one.row.pause * 1000 + DETECTOR.onsetMs > waitMs(one)).length / holds.length,
    meanWaitMs: Math.round(waits.reduce((sum, wait) => sum + wait, 0) / waits.length),
    medianWaitMs: waits.sort((a, b) => a - b)[waits.length >> 1] ?? 0,
  };
}

/** Best cut-offs and waits over threshold (0-1), delay (0.2-1.0 s) and time-out (1.0-3.5 s). */
function policy(picked: readonly { row: Row; score: number }[]) {
  const holds = picked.filter(({ row }) => !row.end);
  const ends = picked.filter(({ row }) => row.end);
  const wait = { 5: 9, 10: 9 };
  const cut = { 300: 1, 600: 1 };
  for (let step = 0; step <= 100; step++) {
    const fired = ends.filter((one) => one.score > step / 100).length / ends.length;
    for (let delay = 2; delay <= 10; delay++) {
      for (let timeout = 2; timeout <= 7; timeout++) {
        const early = holds.filter(
          ({ row, score }) => (score > step / 100 && row.pause > delay / 10) || row.pause > timeout / 2,
        );
        const cutOff = early.length / holds.length;
        const waited = (fired * delay) / 10 + ((1 - fired) * timeout) / 2;
        if (cutOff <= 0.05) wait[5] = Math.min(wait[5], waited);
        if (cutOff <= 0.1) wait[10] = Math.min(wait[10], waited);
        if (waited <= 0.3 + 1e-9) cut[300] = Math.min(cut[300], cutOff);
        if (waited <= 0.6 + 1e-9) cut[600] = Math.min(cut[600], cutOff);
      }
    }
  }
  return {
    cutOffAt300Ms: cut[300],
    cutOffAt600Ms: cut[600],
    meanWaitSAt5Pct: wait[5],
    meanWaitSAt10Pct: wait[10],
  };
}

function rowsOf(name: string, result: Record<'mid' | 'all', Score>): [string, string][] {
  return (['mid', 'all'] as const).flatMap((part): [string, string][] => {
    const s = result[part];
    const { cutOff, meanWaitMs, medianWaitMs } = s.balanced;
    const shipped = `cut off ${percent(cutOff)}, wait ${medianWaitMs} ms in the median, ${meanWaitMs} ms in the mean`;
    const best =
      `AUC ${decimal(s.auc)}, cut off ${percent(s.cutOffAt300Ms)} @300 ms, ${percent(s.cutOffAt600Ms)} @600 ms, ` +
      `mean wait ${decimal(s.meanWaitSAt5Pct, 2)} s @5 %, ${decimal(s.meanWaitSAt10Pct, 2)} s @10 % (${s.rows} rows)`;
    return [
      [`${name}, ${part}`, best],
      [`${name}, ${part}, balanced`, shipped],
    ];
  });
}

/** Rows that name what was asked for: how often P stands on the right side of one half. */
function categories(name: string, rows: readonly Row[], scores: readonly number[]): [string, string][] {
  const names = [...new Set(rows.map((row) => row.category).filter((category) => category !== undefined))].sort();
  return names.map((category) => {
    const share = (end: number, right: (p: number) => boolean) => {
      const picked = scores.filter((_, i) => rows[i]?.category === category && rows[i]?.end === end);
      return picked.filter(right).length / picked.length;
    };
    const ends = percent(share(1, (p) => p > 0.5));
    return [`${name}, ${category}`, `ends seen ${ends}, holds seen ${percent(share(0, (p) => p <= 0.5))}`];
  });
}
