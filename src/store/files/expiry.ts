import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Disk, ifThere, writeWhole } from './disk.js';

/*
 * When a file is to go is in a file beside it, `<name>.expiry`, as ms since 1970. A file without one stays: what is
 * lost in copying a data directory then is a deletion, never a recording.
 */

const ENDING = '.expiry';
/** Drafts and locks older than this, ms, were left by a process that died. */
const LEFTOVER_MS = 60 * 60 * 1000;

/** @param at ms since 1970, undefined: never */
export async function setExpiry(path: string, at: number | undefined): Promise<void> {
  if (at === undefined) await rm(path + ENDING, { force: true });
  else await writeWhole(path + ENDING, String(at));
}

export async function isExpired(path: string): Promise<boolean> {
  const at = await ifThere(readFile(path + ENDING, 'utf8'));
  return at !== undefined && Number(at) <= Date.now();
}

/** Deletes a file and its expiry, in this order: half done, the sweep does the rest. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(path + ENDING, { force: true });
}

/**
 * Deletes what is due in a folder and its subfolders, and what dead processes left.
 *
 * @returns the earliest time, ms since 1970, at which the next file is due; Infinity when none is
 */
export async function sweep(folder: string, disk: Disk): Promise<number> {
  let next = Number.POSITIVE_INFINITY;
  for (const entry of (await ifThere(readdir(folder, { withFileTypes: true }))) ?? []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) next = Math.min(next, await sweep(path, disk));
    else if (entry.name.endsWith(ENDING)) next = Math.min(next, await sweepOne(path.slice(0, -ENDING.length), disk));
    else if (/\.(tmp|lock)$/.test(entry.name)) await removeLeftover(path);
  }
  return next;
}

async function sweepOne(path: string, disk: Disk): Promise<number> {
  const at = Number((await ifThere(readFile(path + ENDING, 'utf8'))) ?? Number.POSITIVE_INFINITY);
  if (at > Date.now()) return at;
  await disk.exclusively(path, async () => {
    if (await isExpired(path)) await removeFile(path);
  });
  return Number.POSITIVE_INFINITY;
}

async function removeLeftover(path: string): Promise<void> {
  const made = await ifThere(stat(path));
  if (made && Date.now() - made.mtimeMs > LEFTOVER_MS) await rm(path, { force: true });
}
