/*
 * Few-shot topics: accuracy and out-of-scope verdicts with 5 or 10 examples per topic.
 *
 *   npm run bench -- topics [--quick]
 *   npm run bench -- topics --rows test.jsonl --examples examples.json [--predictions OUT]
 *
 * The encoder that ships has read none of the three sets.
 * `--rows`: one row a line, `{"text": "...", "topic": "..."}`, topic null when it is of none;
 * the examples are one object, `{"topic": ["phrase", ...]}`. `--predictions` writes `{"topic", "score"}` per row.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { BACKGROUND } from '../src/agent/topics/background.js';
import { TopicEncoder, VECTOR_LENGTH } from '../src/language/encoder.js';
import { FewShotTopics, type ScoredTopic } from '../src/language/few-shot.js';
import type { BenchFiles, BenchOptions, BenchResult } from './report.js';
import {
  byTopic,
  noised,
  outOfScope,
  randomOf,
  shuffled,
  type TopicRow,
  type TopicSet,
  topicSets,
} from './topic-sets.js';
import { auc, decimal, negativesBelow, readRows } from './turn-rows.js';

type TopicsOptions = BenchOptions & BenchFiles;

/** What of an encoder is measured. */
type Embedder = Pick<TopicEncoder, 'embed'>;

/** The baseline knows no meaning: the same regression on TF-IDF of words and letters. */
const WORDS_ALONE: Embedder = {
  embed: (texts) => Promise.resolve(texts.map(() => new Float32Array(VECTOR_LENGTH))),
};

const SEEDS = [1, 2];
const QUICK_ROWS = 400;

export async function topics(options: TopicsOptions): Promise<BenchResult> {
  return options.rows ? scoreRows(options, options.rows) : scoreSets(options);
}

async function scoreRows(options: TopicsOptions, file: string): Promise<BenchResult> {
  const rows = readRows<TopicRow>(file);
  const phrases: Record<string, string[]> = JSON.parse(readFileSync(options.examples ?? '', 'utf8'));
  const examples = Object.entries(phrases).flatMap(([topic, texts]) => texts.map((text) => ({ text, topic })));
  const encoder = await TopicEncoder.load();
  const found = await judge(encoder, await learn(encoder, examples), rows);
  if (options.predictions) {
    writeFileSync(options.predictions, `${found.map((best) => JSON.stringify(best)).join('\n')}\n`);
  }
  const values = {
    rows: rows.length,
    accuracy: accuracy(rows, found),
    ...scope(rows, found),
    msEach: await milliseconds(encoder, examples, rows),
  };
  return { rows: tableOf('rows', values), values };
}

async function scoreSets(options: TopicsOptions): Promise<BenchResult> {
  const table: [string, string][] = [];
  const values: Record<string, unknown> = {};
  const encoder = await TopicEncoder.load();
  for (const set of topicSets()) {
    const measured = await scoreSet(encoder, set, options.quick);
    values[set.name] = measured;
    table.push(...tableOf(set.name, measured));
  }
  if (table.length === 0) table.push(['no data', 'PARLEY_TEST_DATA names no folder with topics/']);
  return { rows: table, values };
}

type Measured = Record<string, number>;

async function scoreSet(encoder: TopicEncoder, set: TopicSet, quick: boolean): Promise<Measured> {
  const runs: Measured[] = [];
  for (const seed of quick ? SEEDS.slice(0, 1) : SEEDS) {
    const { examples, test } = set.trial(seed, 10);
    const rows = quick ? shuffled(test, seed).slice(0, QUICK_ROWS) : test;
    const all = await learn(encoder, examples);
    const run = await scoreTrial(encoder, all, examples, rows, seed);
    const random = randomOf(seed);
    const heard = rows.map(({ text, topic }) => ({ text: noised(text, random), topic }));
    run.noised = accuracy(heard, await judge(encoder, all, heard));
    const baseline = await scoreTrial(WORDS_ALONE, await learn(WORDS_ALONE, examples), examples, rows, seed);
    run.wordsAccuracy = baseline.accuracy ?? Number.NaN;
    run.wordsAuroc = baseline.auroc ?? Number.NaN;
    run.wordsLeftOut = baseline.aurocLeftOut ?? Number.NaN;
    if (!quick) {
      const five = set.trial(seed, 5);
      run.accuracy5 = accuracy(five.test, await judge(encoder, await learn(encoder, five.examples), five.test));
    }
    runs.push(run);
  }
  const names = Object.keys(runs[0] ?? {});
  const mean = (name: string) => runs.reduce((sum, run) => sum + (run[name] ?? 0), 0) / runs.length;
  const { examples, test } = set.trial(1, 10);
  return {
    ...Object.fromEntries(names.map((name) => [name, mean(name)])),
    msEach: await milliseconds(encoder, examples.slice(0, 100), test),
  };
}

async function scoreTrial(
  encoder: Embedder,
  all: FewShotTopics,
  examples: readonly TopicRow[],
  rows: readonly TopicRow[],
  seed: number,
): Promise<Measured> {
  const found = await judge(encoder, all, rows);
  const strange = outOfScope().map((text) => ({ text, topic: null }));
  const { auroc, recall10 } = await leftOut(encoder, examples, rows, seed);
  return {
    accuracy: accuracy(rows, found),
    ...scope([...rows, ...strange], [...found, ...(await judge(encoder, all, strange))]),
    aurocLeftOut: auroc,
    recallLeftOut: recall10,
  };
}

/** A quarter of the topics unknown: their rows are out of scope. */
async function leftOut(encoder: Embedder, examples: readonly TopicRow[], rows: readonly TopicRow[], seed: number) {
  const names = shuffled([...new Set(examples.map(({ topic }) => topic))].sort(), seed + 100);
  const hidden = new Set(names.slice(0, Math.floor(names.length / 4)));
  const known = examples.filter(({ topic }) => !hidden.has(topic));
  const labelled = rows.map(({ text, topic }) => ({ text, topic: hidden.has(topic) ? null : topic }));
  return scope(labelled, await judge(encoder, await learn(encoder, known), labelled));
}

function learn(encoder: Embedder, rows: readonly TopicRow[]): Promise<FewShotTopics> {
  const groups = byTopic(rows);
  const topics = [...groups].map(([name, group]) => ({ name: name ?? '', examples: group.map(({ text }) => text) }));
  return FewShotTopics.fit(topics, (texts) => encoder.embed(texts), BACKGROUND);
}

const NOTHING: ScoredTopic = { topic: '', score: 0 };

async function judge(encoder: Embedder, fitted: FewShotTopics, rows: readonly TopicRow[]): Promise<ScoredTopic[]> {
  const vectors = await encoder.embed(rows.map(({ text }) => text));
  return rows.map(({ text }, at) => {
    const vector = vectors[at];
    return (vector && fitted.classify(text, vector)[0]) ?? NOTHING;
  });
}

function accuracy(rows: readonly TopicRow[], found: readonly ScoredTopic[]): number {
  const inside = rows.map((row, at) => ({ row, best: found[at] })).filter(({ row }) => row.topic !== null);
  return inside.filter(({ row, best }) => row.topic === best?.topic).length / inside.length;
}

/** How well the best score tells in-scope rows from the others; not a number when there are no others. */
function scope(
  rows: readonly TopicRow[],
  found: readonly ScoredTopic[],
): { auroc: number; recall10: number; accepted: number; rejected: number } {
  const labels = rows.map(({ topic }) => (topic === null ? 0 : 1));
  const scores = found.map(({ score }) => score);
  const inside = scores.filter((_, at) => labels[at] === 1);
  const outside = scores.filter((_, at) => labels[at] === 0);
  return {
    auroc: auc(labels, scores),
    recall10: negativesBelow(labels, scores, 0.9),
    accepted: inside.filter((score) => score >= 0.5).length / inside.length,
    rejected: outside.filter((score) => score < 0.5).length / outside.length,
  };
}

/** One utterance after another, from text to verdict. */
async function milliseconds(
  encoder: TopicEncoder,
  examples: readonly TopicRow[],
  rows: readonly TopicRow[],
): Promise<number> {
  const fitted = await learn(encoder, examples);
  const some = rows.slice(0, 300);
  const began = performance.now();
  for (const row of some) await judge(encoder, fitted, [row]);
  return (performance.now() - began) / some.length;
}

const TITLES: Record<string, string> = {
  accuracy: 'accuracy, 10 examples',
  accuracy5: 'accuracy, 5 examples',
  noised: 'accuracy on noised text',
  auroc: 'out of scope, AUROC',
  recall10: 'out of scope found when 10 % in scope are lost',
  accepted: 'in scope accepted at the threshold',
  rejected: 'out of scope rejected at the threshold',
  aurocLeftOut: 'a quarter of the topics left out, AUROC',
  recallLeftOut: 'left out found when 10 % in scope are lost',
  wordsAccuracy: 'by words and letters alone, accuracy',
  wordsAuroc: 'by words and letters alone, out of scope, AUROC',
  wordsLeftOut: 'by words and letters alone, a quarter left out, AUROC',
};

function tableOf(name: string, values: Measured): [string, string][] {
  const rows = Object.entries(TITLES).map(([key, title]): [string, string] => [
    `${name}: ${title}`,
    decimal(values[key] ?? Number.NaN),
  ]);
  return [
    ...rows.filter(([, value]) => value !== '-'),
    [`${name}: a verdict`, `${decimal(values.msEach ?? Number.NaN, 2)} ms`],
  ];
}
