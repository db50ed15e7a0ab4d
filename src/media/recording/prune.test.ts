import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { wavHeader } from '../../audio/wav.js';
import { createLogger } from '../../telemetry/log.js';
import { pruneRecordings } from './prune.js';
import { recoverRecordings } from './recover.js';

const logger = createLogger('silent');
const now = Date.UTC(2025, 4, 20);
const DAY_MS = 24 * 60 * 60 * 1000;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-prune-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A recording of so many bytes, so many days old. */
async function made(name: string, daysAgo: number, bytes: number, end = '.wav'): Promise<string> {
  const at = new Date(now - daysAgo * DAY_MS);
  const day = join(folder, at.toISOString().slice(0, 10));
  await mkdir(day, { recursive: true });
  for (const path of [join(day, name + end), join(day, `${name}.json`)]) {
    await writeFile(path, path.endsWith('.json') ? '' : new Uint8Array(bytes));
    await utimes(path, at, at);
  }
  return join(day, name + end);
}

describe('pruneRecordings', () => {
  it('deletes what is too old, then the oldest of what is too much, and never what is being made', async () => {
    const old = await made('old', 12, 100);
    const part = await made('live', 11, 5000, '.wav.part');
    const first = await made('first', 5, 1000);
    const second = await made('second', 4, 1000, '.opus');
    await writeFile(join(folder, 'notes.txt'), 'not ours');
    const [a, b] = await Promise.all([
      pruneRecordings(folder, 10, 6500, logger, now),
      pruneRecordings(folder, 10, 6500, logger, now),
    ]);
    expect(new Set([...a, ...b])).toEqual(new Set([old, first]));
    expect((await readdir(folder)).sort()).toEqual(['2025-05-09', '2025-05-16', 'notes.txt']);
    expect(await pruneRecordings(folder, 0, 0, logger, now)).toEqual([]);
    expect(await readdir(join(part, '..'))).toContain('live.wav.part');
    expect(await readdir(join(second, '..'))).toEqual(['second.json', 'second.opus']);
    expect(await pruneRecordings(join(folder, 'nowhere'), 1, 1, logger, now)).toEqual([]);
  });
});

describe('recoverRecordings', () => {
  it('finishes what a crash left, removes what holds nothing, and leaves what is no recording', async () => {
    const left = await made('left', 1, 0, '.wav.part');
    await writeFile(left, Buffer.concat([wavHeader(2, 8000), Buffer.alloc(3203, 1)]));
    await made('empty', 1, 10, '.wav.part');
    const bad = await made('bad', 1, 500, '.wav.part');
    const final = left.slice(0, -'.part'.length);
    expect(await recoverRecordings(folder, logger, 0)).toEqual([final]);
    const wav = new wavefile.WaveFile(await readFile(final));
    expect(wav.getSamples(true, Int16Array)).toHaveLength(1600);
    expect((await readdir(join(bad, '..'))).sort()).toEqual(['bad.json', 'bad.wav.part', 'left.json', 'left.wav']);
  });
});
