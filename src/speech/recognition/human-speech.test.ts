import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeG711, encodeG711, MU_LAW } from '../../audio/g711.js';
import { resample } from '../../audio/resample.js';
import { readWav } from '../../audio/wav.js';
import { findSpeech } from '../detection/segments.js';
import { BatchVad } from '../detection/silero.js';
import { Moonshine } from './moonshine/moonshine.js';

/* Recordings of people and of other sounds, where there are some: they are not part of the project. */

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(process.env.PARLEY_TEST_DATA ?? join(repository, '../shared/data'), 'speech');
const DECODER = 'flac';
const usable = existsSync(folder) && spawnSync(DECODER, ['--version']).status === 0;
const NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** A recording as it sounds over the phone: 8 kHz mu-law. */
function overThePhone(file: string): Int16Array {
  const wav = execFileSync(DECODER, ['-d', '-s', '-c', join(folder, file)], { maxBuffer: 1 << 28 });
  const { pcm: recorded, sampleRate } = readWav(wav, file);
  const pcm = resample(recorded, sampleRate, 8000);
  const bytes = new Uint8Array(pcm.length);
  encodeG711(MU_LAW, pcm, pcm.length, bytes, 0);
  decodeG711(MU_LAW, bytes, 0, bytes.length, pcm);
  return pcm;
}

const engineAudio = (pcm: Int16Array) => Float32Array.from(resample(pcm, 8000, 16_000), (sample) => sample / 32768);

function wordsOf(text: string): string[] {
  const spelled = text.toLowerCase().replace(/\d/g, (digit) => ` ${NUMBERS[Number(digit)]} `);
  return spelled
    .replace(/[^a-z']+/g, ' ')
    .trim()
    .replace(/\boh\b/g, 'zero')
    .split(' ');
}

/** Levenshtein distance in words. */
function distance(a: readonly string[], b: readonly string[]): number {
  let row = b.map((_, j) => j + 1);
  a.forEach((word, i) => {
    const next: number[] = [];
    b.forEach((other, j) => {
      const diagonal = j === 0 ? i : row[j - 1]!;
      const left = j === 0 ? i + 1 : next[j - 1]!;
      next.push(Math.min(row[j]! + 1, left + 1, diagonal + (word === other ? 0 : 1)));
    });
    row = next;
  });
  return row.at(-1) ?? a.length;
}

describe.runIf(usable)('recordings over the phone', () => {
  let moonshine: Moonshine;
  let vad: BatchVad;
  beforeAll(async () => {
    moonshine = await Moonshine.load();
    vad = await BatchVad.load(8000);
  });
  afterAll(() => Promise.all([moonshine.close(), vad.close()]));

  it('are understood', { timeout: 120_000 }, async () => {
    const clips: { file: string; text: string }[] = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    let errors = 0;
    let total = 0;
    for (const { file, text } of clips) {
      const heard = await moonshine.recognise(engineAudio(overThePhone(file)));
      const said = wordsOf(text);
      errors += distance(said, wordsOf(heard.text));
      total += said.length;
    }
    expect(errors / total).toBeLessThan(0.1);
  });

  it('hold no words when nobody speaks', { timeout: 120_000 }, async () => {
    const gate = { threshold: 0.5, release: 0.35, onsetMs: 64, offsetMs: 160, windowMs: 32 } as const;
    for (const file of readdirSync(join(folder, 'not-speech'))) {
      const pcm = overThePhone(join('not-speech', file));
      for (const { start, end } of await findSpeech(vad, pcm, gate)) {
        const { text } = await moonshine.recognise(engineAudio(pcm.subarray(Math.max(0, start - 2000), end)));
        expect(`${file}: ${text}`).toBe(`${file}: `);
      }
    }
  });
});
