import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Niceness of speech workers: below media, whose packets have to leave on time. */
const NICE = 5;

/**
 * Lowers the priority of the calling thread alone. On Linux a niceness belongs to a thread, and /proc tells its id;
 * elsewhere it belongs to the process and nothing is done.
 */
export function lowerThreadPriority(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (Number.isInteger(thread) && thread !== process.pid) setPriority(thread, NICE);
  } catch {
    // No /proc, or forbidden: speech then has the same priority as media.
  }
}
