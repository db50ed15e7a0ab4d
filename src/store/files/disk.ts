import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Availability, unavailable } from '../availability.js';

/** A lock file older than this, ms, was left by a process that died. */
const STALE_LOCK_MS = 10_000;
const LOCK_WAIT_MS = 5000;

/** What the parts of the files adapter do on the disk: coded errors, whole writes, one writer of a file at a time. */
export class Disk {
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(private readonly availability: Availability) {}

  /** Runs a disk operation; an error of the system becomes `PARLEY_ERR_STORE_UNAVAILABLE`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.availability.answered();
      return result;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.availability.failed(error);
      throw unavailable(error);
    }
  }

  /** Runs work on a file while nobody else does: in this process by a queue, in others by a lock file beside it. Makes its folder. */
  exclusively<T>(path: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(path) ?? Promise.resolve();
    const mine = before.then(() => this.run(() => locked(`${path}.lock`, work)));
    const settled = mine.catch(() => {});
    this.#queues.set(path, settled);
    void settled.then(() => {
      if (this.#queues.get(path) === settled) this.#queues.delete(path);
    });
    return mine;
  }

  /** Resolves when no work is waiting or running. */
  async idle(): Promise<void> {
    while (this.#queues.size > 0) await Promise.all(this.#queues.values());
  }
}

/** Writes a whole file such that readers see the old content or the new, never a part. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const draft = `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(draft, 'wx');
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}

/** What a promise gives, undefined where the file is not there. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function locked<T>(lock: string, work: () => Promise<T>): Promise<T> {
  await acquire(lock);
  try {
    return await work();
  } finally {
    await rm(lock, { force: true }).catch(() => {});
  }
}

async function acquire(lock: string): Promise<void> {
  for (let waited = 0; ; waited += 5) {
    try {
      const file = await open(lock, 'wx');
      return await file.close();
    } catch (error) {
      if (waited > LOCK_WAIT_MS) throw error;
      if (hasCode(error, 'ENOENT')) await mkdir(dirname(lock), { recursive: true });
      else if (!hasCode(error, 'EEXIST')) throw error;
    }
    const made = await ifThere(stat(lock));
    if (made && Date.now() - made.mtimeMs > STALE_LOCK_MS) await rm(lock, { force: true });
    else await delay(1 + Math.random() * 8);
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && 'syscall' in error;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
