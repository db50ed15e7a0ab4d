import { rmdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { reasonOf } from '../../errors.js';
import type { Logger } from '../../telemetry/log.js';
import { hasCode, listRecordings, type Recorded, removeRecording } from './layout.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A sidecar without sound is of a recording that begins, or never did; ms. */
const BEGINNING_MS = 60 * 60 * 1000;

/**
 * Deletes recordings that ended more than `maxAgeDays` ago (0: none for its age), and then the oldest until all
 * together take at most `maxBytes` (0: any). What is being recorded is never touched. May run in several processes at once.
 *
 * @param now ms since 1970
 * @returns paths of the sound files deleted
 */
export async function pruneRecordings(
  folder: string,
  maxAgeDays: number,
  maxBytes: number,
  logger: Logger,
  now = Date.now(),
): Promise<string[]> {
  const recordings = (await listRecordings(folder)).sort((a, b) => a.at - b.at);
  let bytes = recordings.reduce((sum, recorded) => sum + recorded.bytes, 0);
  const deleted: string[] = [];
  for (const recorded of recordings) {
    const isOld = maxAgeDays > 0 && recorded.at < now - maxAgeDays * DAY_MS;
    const isTooMuch = maxBytes > 0 && bytes > maxBytes;
    if (!(isOld || isTooMuch) || isBeingMade(recorded, now)) continue;
    if (!(await remove(recorded, logger))) continue;
    bytes -= recorded.bytes;
    deleted.push(recorded.sound || recorded.sidecar);
  }
  if (deleted.length > 0)
    logger.info({ files: deleted }, 'recordings were deleted: recording.retentionDays or maxGigabytes');
  return deleted;
}

/**
 * Deletes the recordings of one call.
 *
 * @returns how many there were
 * @throws when one can't be deleted
 */
export async function deleteRecordings(folder: string, call: string): Promise<number> {
  const own = (await listRecordings(folder)).filter(({ sidecar }) => callOf(sidecar) === call);
  for (const recorded of own) {
    await removeRecording(recorded);
    await removeEmpty(dirname(recorded.sidecar));
  }
  return own.length;
}

/** `<call>.json`, or `<call>-2.json` for a second one. */
export function callOf(sidecar: string): string {
  return basename(sidecar).replace(/(?:-\d{1,3})?\.[^.]*$/, '');
}

function isBeingMade({ isPart, hasSound, at }: Recorded, now: number): boolean {
  return isPart || (!hasSound && at > now - BEGINNING_MS);
}

async function remove(recorded: Recorded, logger: Logger): Promise<boolean> {
  try {
    await removeRecording(recorded);
    await removeEmpty(dirname(recorded.sidecar));
    return true;
  } catch (error) {
    logger.warn({ file: recorded.sound, reason: reasonOf(error) }, 'recording cannot be deleted');
    return false;
  }
}

/** A day's folder, once nothing is left in it. */
async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].some((code) => hasCode(error, code))) throw error;
  }
}
