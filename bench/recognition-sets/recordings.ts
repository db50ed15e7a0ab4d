import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWav } from '../../src/audio/wav.js';
import { ROOT } from '../../test/kit/server.js';
import { overThePhone } from './speakers.js';

const DECODER = 'flac';

/** Recordings of people over the phone, with what they say; none when they are not there. */
export function recordings(most?: number): { text: string; pcm: Float32Array }[] {
  const folder = join(process.env.PARLEY_TEST_DATA ?? join(ROOT, '../shared/data'), 'speech');
  if (!existsSync(folder) || spawnSync(DECODER, ['--version']).status !== 0) return [];
  const listed: { file: string; text: string }[] = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  return listed.slice(0, most).map(({ file, text }) => {
    const wav = execFileSync(DECODER, ['-d', '-s', '-c', join(folder, file)], { maxBuffer: 1 << 28 });
    const { pcm, sampleRate } = readWav(wav, file);
    return { text, pcm: overThePhone(pcm, sampleRate) };
  });
}
