/**
 * What the recogniser's decoder makes of each word where it stands, on average: reads texts, one a line, and a vocabulary,
 * one word a line; writes a row of {@link LAYER_WIDTH} floats per word. Usage: tsx known.ts TEXTS VOCABULARY ROWS
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Tensor } from '../../src/inference/runtime.js';
import { decoderLayers, hiss, LAYER_WIDTH } from '../../src/speech/recognition/moonshine/language.js';
import { MoonshineModel } from '../../src/speech/recognition/moonshine/model.js';
import { tokensOf } from '../../src/speech/recognition/moonshine/tokens.js';

/** The fourth of six: neither the sound of this word nor yet the next one. */
const LAYER = '/model/decoder/layers.3/Add_2_output_0';
const BATCH = 16;
const BEGIN = 1;
const END = 2;

interface Row {
  tokens: number[];
  /** Of each known word its number, and where its tokens begin and end. */
  spans: [number, number, number][];
}

const [texts = '', vocabulary = '', out = ''] = process.argv.slice(2);
const lines = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n');
const numbers = new Map(lines(vocabulary).map((word, at) => [word, at]));
const sums = new Float32Array(numbers.size * LAYER_WIDTH);
const counts = new Float32Array(numbers.size);
const session = await decoderLayers([LAYER]);
const quiet = await quietBatch();
const rows = lines(texts).map(tokenised);
rows.sort((a, b) => a.tokens.length - b.tokens.length);
for (let start = 0; start < rows.length; start += BATCH) await read(rows.slice(start, start + BATCH));
const means = sums.map((sum, at) => sum / Math.max(1, counts[Math.floor(at / LAYER_WIDTH)] ?? 0));
writeFileSync(out, new Uint8Array(means.buffer));
await session.release();

async function quietBatch(): Promise<Tensor> {
  const recogniser = await MoonshineModel.load();
  const { data, dims } = await recogniser.encode(hiss());
  await recogniser.close();
  const values = Float32Array.from({ length: BATCH * data.length }, (_, at) => Number(data[at % data.length]));
  return new Tensor('float32', values, [BATCH, ...dims.slice(1)]);
}

function tokenised(line: string): Row {
  const tokens = [BEGIN];
  const spans: Row['spans'] = [];
  for (const [at, word] of line.split(' ').entries()) {
    const from = tokens.length;
    tokens.push(...tokensOf(written(word, at === 0), true));
    const number = numbers.get(word);
    if (number !== undefined) spans.push([number, from, tokens.length]);
  }
  return { tokens, spans };
}

function written(word: string, first: boolean): string {
  const text = word === 'i' ? 'I' : word === '#' ? 'two' : word;
  return first ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

async function read(batch: readonly Row[]): Promise<void> {
  const length = Math.max(...batch.map(({ tokens }) => tokens.length));
  const ids = new BigInt64Array(BATCH * length).fill(BigInt(END));
  for (const [at, { tokens }] of batch.entries()) ids.set(BigInt64Array.from(tokens, BigInt), at * length);
  const feeds = { input_ids: new Tensor('int64', ids, [BATCH, length]), encoder_hidden_states: quiet };
  const states = (await session.run(feeds))[LAYER]?.data;
  if (!(states instanceof Float32Array)) throw new Error('the decoder gave no states');
  for (const [at, { spans }] of batch.entries()) {
    for (const [number, from, to] of spans) {
      counts[number] = (counts[number] ?? 0) + 1;
      for (let place = from; place < to; place++)
        add(number, states, (at * length + place) * LAYER_WIDTH, 1 / (to - from));
    }
  }
}

function add(number: number, states: Float32Array, begin: number, share: number): void {
  for (let at = 0; at < LAYER_WIDTH; at++) {
    const to = number * LAYER_WIDTH + at;
    sums[to] = (sums[to] ?? 0) + share * (states[begin + at] ?? 0);
  }
}
