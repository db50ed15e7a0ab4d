import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Keyring } from '../../store/sealing/keyring.js';
import { createLogger } from '../../telemetry/log.js';
import { readRecording, rekeyRecordings } from './read.js';
import { Recorder } from './recorder.js';
import { recoverRecordings } from './recover.js';

const logger = createLogger('silent');
const startedAt = Date.UTC(2025, 4, 6);

let folder: string;
let keysFile: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-sealed-'));
  keysFile = join(folder, 'keys');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function keys(...lines: string[]): Promise<Keyring> {
  await writeFile(keysFile, lines.join('\n'));
  return Keyring.read(keysFile);
}

const newKey = () => randomBytes(32).toString('base64');

/** Twenty milliseconds after another, each of a value of its own. */
async function recorded(call: string, seconds: number, key?: Keyring): Promise<string> {
  const recorder = new Recorder({
    folder,
    call,
    rate: 8000,
    format: 'wav',
    startedAt,
    key: key?.current,
    failed: (error) => {
      throw error;
    },
  });
  for (let n = 0; n < seconds * 50; n++) recorder.frame(new Int16Array(160).fill(n), new Int16Array(160).fill(-n));
  const { path } = await recorder.close();
  return path ?? '';
}

async function opened(path: string, ring: Keyring): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await readRecording(path, ring)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('encrypted recordings', () => {
  it('hold what a plain one does, and none of it can be read without the key', async () => {
    const ring = await keys(newKey());
    const sealed = await recorded('c1', 9, ring);
    const plain = await readFile(await recorded('c2', 9));
    expect(sealed).toMatch(/c1\.wav\.enc$/);
    expect((await opened(sealed, ring)).equals(plain)).toBe(true);
    const bytes = await readFile(sealed);
    expect(bytes.includes('RIFF')).toBe(false);
    expect(bytes.includes(Buffer.alloc(16, plain.subarray(50_000, 50_004)))).toBe(false);
    await expect(readRecording(sealed, await keys(newKey()))).rejects.toMatchObject({ code: 'PARLEY_ERR_KEY_MISSING' });
  });

  it('notice a changed byte anywhere, and a part that was cut off', async () => {
    const ring = await keys(newKey());
    const path = await recorded('c1', 2, ring);
    const whole = await readFile(path);
    const broken = { code: 'PARLEY_ERR_SEAL_BROKEN' };
    for (const at of [20, 40, 48, 5000, whole.length - 5]) {
      const changed = Buffer.from(whole);
      changed[at] = changed[at]! ^ 1;
      await writeFile(path, changed);
      await expect(opened(path, ring), `byte ${at}`).rejects.toMatchObject(broken);
    }
    // At the end of a record: all that is left is whole.
    await writeFile(path, whole.subarray(0, whole.length - 32));
    await expect(opened(path, ring)).rejects.toMatchObject(broken);
  });

  it('lose at most what was being written when a crash cuts them off anywhere', async () => {
    const ring = await keys(newKey());
    const path = await recorded('c1', 10, ring);
    const whole = await readFile(path);
    const plain = await opened(path, ring);
    for (const lost of [1, 31, 32, 100, 700, 7000, 20_000]) {
      await rm(path, { force: true });
      await writeFile(`${path}.part`, Buffer.concat([whole.subarray(0, whole.length - lost), Buffer.alloc(9)]));
      expect(await recoverRecordings(folder, logger, 0, ring)).toEqual([path]);
      const repaired = await opened(path, ring);
      // A block is 0.4 s of 32 kB a second.
      expect(plain.length - repaired.length).toBeLessThan(lost + 12_800 + 1);
      expect(repaired.readUInt32LE(40)).toBe(repaired.length - 44);
      expect(repaired.subarray(44).equals(plain.subarray(44, repaired.length))).toBe(true);
      await rename(path, `${path}.part`);
    }
  });

  it('change their key, also those that were plain, and keep their age', async () => {
    const [old, next] = [newKey(), newKey()];
    const first = await recorded('c1', 1, await keys(old));
    const second = await recorded('c2', 1);
    const plain = await readFile(second);
    const { mtimeMs } = await stat(first);
    const both = await keys(next, old);
    expect(await rekeyRecordings(folder, both)).toEqual({ recordings: 2, failed: [] });
    expect(await rekeyRecordings(folder, both)).toEqual({ recordings: 0, failed: [] });
    const ring = await keys(next);
    expect(await opened(first, ring)).toHaveLength(plain.length);
    expect((await opened(`${second}.enc`, ring)).equals(plain)).toBe(true);
    await expect(stat(second)).rejects.toThrow();
    expect(Math.abs((await stat(first)).mtimeMs - mtimeMs)).toBeLessThan(1000);
    expect(JSON.parse(await readFile(second.replace('.wav', '.json'), 'utf8')).file).toBe('c2.wav.enc');
  });
});
