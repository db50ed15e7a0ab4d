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

/** Files whose time comes before the next sweep, by what this process has set and seen. */
export class Expiries {
  readonly #due = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #at = Number.POSITIVE_INFINITY;

  /**
   * @param horizonMs files due later are left to the next sweep
   * @param remove deletes a file whose time has come
   */
  constructor(
    private readonly horizonMs: number,
    private readonly remove: (path: string) => Promise<void>,
  ) {}

  /** @param at ms since 1970 */
  note(path: string, at: number): void {
    if (at > Date.now() + this.horizonMs) return void this.#due.delete(path);
    this.#due.set(path, at);
    if (at < this.#at) this.#wakeAt(at);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#at = Number.NEGATIVE_INFINITY;
  }

  #wakeAt(at: number): void {
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(() => void this.#removeDue(), Math.max(0, at - Date.now())).unref();
  }

  /** One after another: however many are due, the disk serves calls in between. */
  async #removeDue(): Promise<void> {
    for (const [path, at] of this.#due) {
      if (at > Date.now()) continue;
      this.#due.delete(path);
      // What can't be deleted now is found by the next sweep.
      await this.remove(path).catch(() => undefined);
    }
    if (this.#at === Number.NEGATIVE_INFINITY) return;
    this.#at = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const at of this.#due.values()) next = Math.min(next, at);
    if (next < Number.POSITIVE_INFINITY) this.#wakeAt(next);
  }
}

/**
 * Deletes what is due in a folder and its subfolders, and what dead processes left, one file after another.
 *
 * @param later told of files that are due later
 */
export async function sweep(folder: string, disk: Disk, later: (path: string, at: number) => void): Promise<void> {
  for (const entry of (await ifThere(readdir(folder, { withFileTypes: true }))) ?? []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await sweep(path, disk, later);
    else if (entry.name.endsWith(ENDING)) await sweepOne(path.slice(0, -ENDING.length), disk, later);
    else if (/\.(tmp|lock)$/.test(entry.name)) await removeLeftover(path);
  }
}

/** Deletes a file whose time is over. */
export async function removeExpired(path: string, disk: Disk): Promise<void> {
  await disk.exclusively(path, async () => {
    if (await isExpired(path)) await removeFile(path);
  });
}

async function sweepOne(path: string, disk: Disk, later: (path: string, at: number) => void): Promise<void> {
  const at = Number((await ifThere(readFile(path + ENDING, 'utf8'))) ?? Number.POSITIVE_INFINITY);
  if (at > Date.now()) later(path, at);
  else await removeExpired(path, disk);
}

async function removeLeftover(path: string): Promise<void> {
  const made = await ifThere(stat(path));
  if (made && Date.now() - made.mtimeMs > LEFTOVER_MS) await rm(path, { force: true });
}
