import { open, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Keyring } from '../../store/sealing/keyring.js';
import { openFile, type RandomFile } from './block-writer.js';
import { listRecordings, type Recorded, readInfo, writeInfo } from './layout.js';
import { callOf } from './prune.js';
import { SEALED, SealedFile } from './sealed-file.js';

const CHUNK_BYTES = 1 << 16;
const KEY_ID_AT = 8;

/** Recordings of a call that are finished. */
export async function recordingsOf(folder: string, call: string): Promise<Recorded[]> {
  const all = await listRecordings(folder);
  return all.filter(({ sidecar, hasSound, isPart }) => hasSound && !isPart && callOf(sidecar) === call);
}

/** What a recording is called when it is not encrypted. */
export function plainName(path: string): string {
  const name = basename(path);
  return name.endsWith(SEALED) ? name.slice(0, -SEALED.length) : name;
}

/**
 * A finished recording, decrypted, piece by piece; the whole of it is to be read, or the generator ended.
 *
 * @throws ParleyError PARLEY_ERR_KEY_MISSING, PARLEY_ERR_SEAL_BROKEN
 */
export async function readRecording(path: string, keys: Keyring): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
  return chunksOf(path.endsWith(SEALED) ? await SealedFile.open(path, keys) : await openFile(path, 'r'));
}

async function* chunksOf(file: RandomFile): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let at = 0; ; ) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const length = await file.read(chunk, chunk.length, at);
      if (length === 0) return;
      at += length;
      yield chunk.subarray(0, length);
    }
  } finally {
    await file.close();
  }
}

/**
 * Encrypts finished recordings with the first key that are plain, or encrypted with another. Each is replaced as a whole; its
 * age stays.
 *
 * @returns how many, and which could not be
 */
export async function rekeyRecordings(
  folder: string,
  keys: Keyring,
): Promise<{ recordings: number; failed: { name: string; error: unknown }[] }> {
  const done = { recordings: 0, failed: [] as { name: string; error: unknown }[] };
  for (const recorded of await listRecordings(folder)) {
    if (!recorded.hasSound || recorded.isPart) continue;
    try {
      if (await rekey(recorded, keys)) done.recordings++;
    } catch (error) {
      done.failed.push({ name: recorded.sound, error });
    }
  }
  return done;
}

async function rekey({ sound, sidecar }: Recorded, keys: Keyring): Promise<boolean> {
  const { current } = keys;
  if (!current || (await keyIdOf(sound)) === current.id) return false;
  const { atime, mtime } = await stat(sound);
  const draft = `${sound}.rekey.tmp`;
  await rm(draft, { force: true });
  const anew = await SealedFile.create(draft, current);
  try {
    let at = 0;
    for await (const chunk of await readRecording(sound, keys)) {
      await anew.write(chunk, chunk.length, at);
      at += chunk.length;
    }
  } finally {
    await anew.close();
  }
  const place = sound.endsWith(SEALED) ? sound : sound + SEALED;
  await rename(draft, place);
  const info = await readInfo(sidecar);
  if (info) await writeInfo(sidecar, { ...info, file: basename(place) });
  if (place !== sound) await rm(sound, { force: true });
  for (const path of [place, sidecar]) await utimes(path, atime, mtime).catch(() => undefined);
  return true;
}

/** Undefined for one that is not encrypted. */
async function keyIdOf(path: string): Promise<string | undefined> {
  if (!path.endsWith(SEALED)) return undefined;
  const file = await open(path, 'r');
  try {
    const id = Buffer.alloc(8);
    await file.read(id, 0, id.length, KEY_ID_AT);
    return id.toString('hex');
  } finally {
    await file.close();
  }
}
