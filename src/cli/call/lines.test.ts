import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeWav } from '../../audio/wav.js';
import { prepareLine } from './lines.js';
import { SoundMeter } from './sound.js';

const RATE = 8000;

it('prepareLine joins speech, pauses and recordings; a pause is as long as it says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-line-'));
  const file = join(folder, 'tail.wav');
  const tone = Int16Array.from({ length: 16_000 }, (_, n) => 6000 * Math.sin(n / 4));
  writeFileSync(file, writeWav({ pcm: tone, sampleRate: 16_000 }));
  // An engine's speech has quiet at its edges.
  const speak = async () => {
    const pcm = new Int16Array(RATE);
    for (let n = 2000; n < 6000; n++) pcm[n] = n % 16 < 8 ? 5000 : -5000;
    return pcm;
  };
  const pieces = [
    { kind: 'text', text: 'I am' },
    { kind: 'pause', ms: 600 },
    { kind: 'text', text: 'here.' },
    { kind: 'pause', ms: 500 },
    { kind: 'wav', file },
  ] as const;
  const line = await prepareLine(pieces, speak, RATE);
  rmSync(folder, { recursive: true });
  expect(line.said).toBe('I am here. [tail.wav]');
  const meter = new SoundMeter(RATE);
  meter.push(line.pcm);
  const gaps = meter.spurts.slice(1).map(({ start }, n) => ((start - meter.spurts[n]!.end) * 1000) / RATE);
  // 20 ms stay on each side of speech.
  expect(gaps[0]).toBeCloseTo(640, 0);
  expect(gaps[1]).toBeGreaterThan(515);
  expect(gaps[1]).toBeLessThan(530);
  expect(line.span.start).toBe(160);
  await expect(prepareLine([{ kind: 'wav', file }], speak, RATE)).rejects.toMatchObject({
    code: 'PARLEY_ERR_CONFIG_FILE',
  });
});
