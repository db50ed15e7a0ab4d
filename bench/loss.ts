import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resample } from '../src/audio/resample.js';
import { AudioRing } from '../src/audio/ring.js';
import { readWav } from '../src/audio/wav.js';
import { type Concealment, ListeningStream } from '../src/media/listening.js';
import { createCodec } from '../src/rtp/codec.js';
import { rtpFields } from '../src/rtp/packet.js';
import { ReorderBuffer } from '../src/rtp/reorder.js';
import { Moonshine } from '../src/speech/recognition/moonshine/moonshine.js';
import { ROOT } from '../test/kit/server.js';
import { errors as wordErrors, wordsOf } from './recognition-sets/compare.js';
import type { BenchOptions, BenchResult } from './report.js';

const RATE = 8000;
const FRAME_MS = 20;
const FRAME = (RATE * FRAME_MS) / 1000;
/** Every packet is late by 0 to this, each by its own: many overtake each other. */
const JITTER_MS = 40;
const LOSSES = [0, 1, 3, 5, 10];
const DECODER = 'flac';

interface Clip {
  pcm: Int16Array;
  words: string[];
}

/** A condition of the network, and what is done about losses. */
interface Line {
  loss: number;
  jitterMs: number;
  concealment: Concealment;
}

/**
 * Word error rate over recordings of people (PARLEY_TEST_DATA), as PCMU through reorder buffer and listening stream on
 * a simulated clock: clean, and with random loss and jitter, losses made up for and left silent.
 */
export async function loss({ quick }: BenchOptions): Promise<BenchResult> {
  const clips = loadClips(quick ? 8 : Number.POSITIVE_INFINITY);
  const losses = quick ? [5] : LOSSES;
  const recogniser = await Moonshine.load();
  try {
    const rate = (line: Line) => errorRate(recogniser, clips, line, quick ? 1 : 2);
    const clean = await rate({ loss: 0, jitterMs: 0, concealment: 'repeat' });
    const rows: [string, string][] = [['clean', percent(clean)]];
    const measured: Record<string, number> = { clean: rounded(clean) };
    for (const share of losses) {
      const repeated = await rate({ loss: share / 100, jitterMs: JITTER_MS, concealment: 'repeat' });
      const silent = await rate({ loss: share / 100, jitterMs: JITTER_MS, concealment: 'silence' });
      rows.push([
        `${share} % loss, ${JITTER_MS} ms jitter`,
        `${percent(repeated)} concealed (${percent(repeated / clean - 1)} more), ${percent(silent)} silent`,
      ]);
      measured[`concealed${share}`] = rounded(repeated);
      measured[`silent${share}`] = rounded(silent);
    }
    return { rows, values: { clips: clips.length, jitterMs: JITTER_MS, wordErrorRate: measured } };
  } finally {
    await recogniser.close();
  }
}

function loadClips(most: number): Clip[] {
  const folder = join(process.env.PARLEY_TEST_DATA ?? join(ROOT, '../shared/data'), 'speech');
  if (!existsSync(folder)) throw new Error(`no recordings at ${folder}: set PARLEY_TEST_DATA`);
  if (spawnSync(DECODER, ['--version']).status !== 0) throw new Error(`${DECODER} is needed to read the recordings`);
  const listed: { file: string; text: string }[] = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  return listed.slice(0, most).map(({ file, text }) => {
    const wav = execFileSync(DECODER, ['-d', '-s', '-c', join(folder, file)], { maxBuffer: 1 << 28 });
    const { pcm, sampleRate } = readWav(wav, file);
    return { pcm: resample(pcm, sampleRate, RATE), words: wordsOf(text) };
  });
}

async function errorRate(recogniser: Moonshine, clips: readonly Clip[], line: Line, seeds: number): Promise<number> {
  let errors = 0;
  let total = 0;
  // On a clean line every run is the same.
  for (let seed = 1; seed <= (line.jitterMs > 0 ? seeds : 1); seed++) {
    for (const [n, { pcm, words }] of clips.entries()) {
      const heard = listen(pcm, line, randomOf(1000 * seed + n));
      const audio = Float32Array.from(resample(heard, RATE, 16_000), (sample) => sample / 32768);
      errors += wordErrors(words, (await recogniser.recognise(audio)).text);
      total += words.length;
    }
  }
  return errors / total;
}

/** What the listening stream holds after the clip has come over this line. */
function listen(pcm: Int16Array, { loss: share, jitterMs, concealment }: Line, random: () => number): Int16Array {
  const codec = createCodec('PCMU', RATE);
  const stream = new ListeningStream(AudioRing.allocate(pcm.length + 5 * RATE), RATE, concealment);
  const reorder = new ReorderBuffer((packet) => stream.audio(packet, codec));
  const arrivals = packetsOf(pcm).map((payload, n) => ({
    payload,
    n,
    at: 1000 + n * FRAME_MS + random() * jitterMs,
    // The first packet always comes: otherwise the words would be elsewhere.
    lost: random() < share && n > 0,
  }));
  const arrived = arrivals.filter(({ lost }) => !lost).sort((a, b) => a.at - b.at);
  const fields = rtpFields();
  const end = 1000 + arrivals.length * FRAME_MS + 200;
  for (let now = 1000; now < end; now += FRAME_MS) {
    while (arrived[0] && arrived[0].at <= now) {
      const { payload, n, at } = arrived.shift()!;
      Object.assign(fields, { ssrc: 1, sequence: n, timestamp: n * FRAME, payloadEnd: payload.length });
      reorder.push(fields, payload, at);
    }
    reorder.poll(now);
    stream.tick(now, RATE, reorder.waiting);
  }
  return stream.ring.read(0, stream.ring.end).pcm;
}

function packetsOf(pcm: Int16Array): Uint8Array[] {
  const codec = createCodec('PCMU', RATE);
  return Array.from({ length: Math.floor(pcm.length / FRAME) }, (_, n) => {
    const payload = new Uint8Array(FRAME);
    codec.encode(pcm.subarray(n * FRAME, (n + 1) * FRAME), FRAME, payload, 0);
    return payload;
  });
}

/** Numbers in [0, 1) that are the same every time: a linear congruential generator. */
function randomOf(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const rounded = (share: number) => Math.round(share * 10_000) / 10_000;
