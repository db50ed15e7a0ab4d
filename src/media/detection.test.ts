import { expect, it } from 'vitest';
import { AudioRing } from '../audio/ring.js';
import { BatchVad } from '../speech/detection/silero.js';
import { DetectedStream } from './detection.js';

const OPTIONS = { threshold: 0.5, release: 0.35, onsetMs: 96, offsetMs: 192, windowMs: 32 } as const;

it('marks the end of the voice where the sound ends, not where the detector lets go', async () => {
  const vad = await BatchVad.load(8000);
  const ring = AudioRing.allocate(8000 * 4);
  const marks: [string, number][] = [];
  const stream = new DetectedStream(ring, vad, OPTIONS, (type, position) => marks.push([type, position]));
  const voice = Int16Array.from({ length: 8000 }, (_, n) => 8000 * Math.sin(n / 5));
  const noise = Int16Array.from({ length: 8000 }, (_, n) => (n % 2 ? 20 : -20));
  ring.write(voice);
  ring.write(noise);
  // The detector is sure for 90 ms longer than there is a voice.
  for (let window = 0; stream.fetch(); window++) stream.judge(window * 32 < 1090 ? 0.9 : 0.1);
  expect(marks.map(([type]) => type)).toEqual(['stir', 'onset', 'pause', 'offset']);
  expect(marks[3]?.[1]).toBeGreaterThanOrEqual(8000);
  expect(marks[3]?.[1]).toBeLessThan(8000 + 160);
  await vad.close();
});

it('tells of a first window with voice, and that nothing came of it', async () => {
  const vad = await BatchVad.load(8000);
  const ring = AudioRing.allocate(8000 * 4);
  const heard = (echo: number, probabilities: readonly number[]) => {
    const marks: string[] = [];
    const stream = new DetectedStream(ring, vad, OPTIONS, (type) => marks.push(type), { likelihood: () => echo });
    for (const probability of probabilities) if (stream.fetch()) stream.judge(probability);
    return marks;
  };
  ring.write(Int16Array.from({ length: 8000 }, (_, n) => 8000 * Math.sin(n / 5)));
  expect(heard(0, [0.01, 0.6, 0.4, 0.02, 0.9, 0.01])).toEqual(['stir', 'calm', 'stir', 'calm']);
  expect(heard(0, [0.9, 0.9, 0.9, 0.9])).toEqual(['stir', 'onset']);
  // A click, a fricative of which nothing comes; what sounds like one soon after is noise.
  expect(heard(0, [0.1, 0.01, 0.1, 0.1, 0.01, 0.1, 0.1, 0.01])).toEqual(['stir', 'calm']);
  // The agent's own voice, come back.
  expect(heard(0.5, [0.9, 0.1, 0.9, 0.1])).toEqual([]);
  await vad.close();
});
