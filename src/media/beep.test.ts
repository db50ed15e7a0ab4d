import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeG711, encodeG711, MU_LAW } from '../audio/g711.js';
import { resample } from '../audio/resample.js';
import { once, ToneGenerator } from '../audio/tones.js';
import { readWav } from '../audio/wav.js';
import { BeepDetector } from './beep.js';

/** Half a second of silence, the tone, and silence again, as a telephone line carries it. */
function line(frequencies: readonly number[], ms: number, level = -12, rate = 8000): Int16Array {
  const pcm = new Int16Array(rate * 0.5 + (ms * rate) / 1000 + rate * 0.5);
  new ToneGenerator(once(frequencies, ms), rate, level).add(pcm.subarray(rate * 0.5));
  const bytes = new Uint8Array(pcm.length);
  encodeG711(MU_LAW, pcm, pcm.length, bytes, 0);
  decodeG711(MU_LAW, bytes, 0, bytes.length, pcm);
  return pcm;
}

function heard(pcm: Int16Array, rate = 8000): number[] {
  const found: number[] = [];
  const detector = new BeepDetector(rate, (ms) => found.push(ms));
  for (let at = 0; at < pcm.length; at += 137) detector.process(pcm.subarray(at, at + 137));
  return found;
}

describe('the beep of a mailbox', () => {
  it.each([8000, 16_000])('is heard at every pitch, level and length that mailboxes have, at %i Hz', (rate) => {
    for (const frequency of [620, 800, 1000, 1400, 1950])
      for (const ms of [200, 500, 1500])
        for (const level of [-30, -12, -3]) {
          const [found = 0, ...more] = heard(line([frequency], ms, level, rate), rate);
          expect(Math.abs(found - ms), `${frequency} Hz, ${ms} ms, ${level} dBm0`).toBeLessThanOrEqual(40);
          expect(more).toEqual([]);
        }
  });

  it('is no key, no ringing, no click, no tone of the network, and nothing that is faint', () => {
    for (const frequencies of [[697, 1209], [941, 1477], [440, 480], [425], [2100]])
      expect(heard(line(frequencies, 400)), String(frequencies)).toEqual([]);
    expect(heard(line([1000], 100))).toEqual([]);
    expect(heard(line([1000], 4000))).toEqual([]);
    expect(heard(line([1000], 400, -50))).toEqual([]);
  });
});

/* Recordings of people, where there are some: they are not part of the project. */
const folder = join(process.env.PARLEY_TEST_DATA ?? '../shared/data', 'speech');
const usable = existsSync(folder) && spawnSync('flac', ['--version']).status === 0;

it.skipIf(!usable)('is not in what people say', () => {
  const files = ['.', 'digits', 'letters'].flatMap((part) =>
    existsSync(join(folder, part))
      ? readdirSync(join(folder, part))
          .filter((file) => file.endsWith('.flac') && !file.startsWith('dtmf'))
          .map((file) => join(folder, part, file))
      : [],
  );
  const wrong = files.filter((file) => {
    const { stdout } = spawnSync('flac', ['-d', '-s', '-c', file], { maxBuffer: 1 << 28 });
    const { pcm, sampleRate } = readWav(stdout, file);
    return heard(resample(pcm, sampleRate, 8000)).length > 0;
  });
  expect(wrong).toEqual([]);
});
