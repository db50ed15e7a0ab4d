import { expect, it } from 'vitest';
import wavefile from 'wavefile';
import { stereoWav } from './recording.js';

it('stereoWav lays both sides where they were in time, jitter taken out', () => {
  const packet = (value: number) => new Int16Array(160).fill(value);
  const agent = [0, 23, 41, 60, 380].map((ms, n) => ({ at: 5000 + ms, pcm: packet(n + 1) }));
  const caller = [{ at: 5200, pcm: packet(9) }];
  const wav = new wavefile.WaveFile(stereoWav({ caller, agent }, 5000, 8000));
  const samples = wav.getSamples(true, Int16Array) as unknown as Int16Array;
  const right = (ms: number) => samples[ms * 16 + 1];
  const left = (ms: number) => samples[ms * 16];
  expect([right(0), right(21), right(41), right(61), right(81), right(379), right(381)]).toEqual([1, 2, 3, 4, 0, 0, 5]);
  expect([left(199), left(201), left(221)]).toEqual([0, 9, 0]);
  expect(samples.length / 2).toBe(400 * 8);
});
