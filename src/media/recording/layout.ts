import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What is written beside a recording, as JSON. */
export interface RecordingInfo {
  /** Parley's id of the call. */
  call: string;
  /** Name of the sound file, in the same folder. */
  file: string;
  format: RecordingFormat;
  /** Wall clock of the first sample, ISO 8601, UTC. */
  startedAt: string;
  /** Hz */
  rate: number;
  /** Left and right. */
  channels: ['caller', 'agent'];
  seconds: number;
  /** Where there is silence in place of what was said: seconds from the beginning; `to` is missing while it lasts. */
  silences: { reason: 'paused' | 'masked'; from: number; to?: number }[];
  /** False while it is being made, and for good when sound is missing: a disk that failed or did not keep up, a crash. */
  complete: boolean;
}

export type RecordingFormat = 'wav' | 'opus';

/** A recording that is being made. */
export const PART = '.part';
const SIDECAR = '.json';
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const SOUND = /\.(wav|opus)(\.enc)?(\.part)?$/;
/** Recordings of one call. */
const MAX_SAME = 1000;

/** A place for a new recording. */
export interface Place {
  /** Where the sound is to lie in the end; with {@link PART} behind it until then. */
  sound: string;
  sidecar: string;
}

/** The files of one recording. */
export interface Recorded extends Place {
  /** Bytes of all its files. */
  bytes: number;
  /** When it was last written to, ms since 1970. */
  at: number;
  /** Whether there is sound, and whether it isn't finished. */
  hasSound: boolean;
  isPart: boolean;
}

/** Reserves `<folder>/<yyyy-mm-dd>/<call>.<format>` (a further one of the same call gets a number) by making its sidecar. @param ending of the sound's name */
export async function reserve(folder: string, info: RecordingInfo, ending = ''): Promise<Place> {
  const day = join(folder, info.startedAt.slice(0, 10));
  const call = info.call
    .replace(/[^\w.@-]/g, '_')
    .replace(/^\./, '_')
    .slice(0, 150);
  for (let n = 1; n <= MAX_SAME; n++) {
    const name = n === 1 ? call : `${call}-${n}`;
    const sidecar = join(day, name + SIDECAR);
    await mkdir(day, { recursive: true });
    try {
      await (await open(sidecar, 'wx')).close();
    } catch (error) {
      if (hasCode(error, 'EEXIST')) continue;
      throw error;
    }
    return { sidecar, sound: join(day, `${name}.${info.format}${ending}`) };
  }
  throw new Error(`${MAX_SAME} recordings of one call`);
}

/** Writes a sidecar such that readers see the old or the new one. */
export async function writeInfo(sidecar: string, info: RecordingInfo): Promise<void> {
  const draft = `${sidecar}.tmp`;
  await writeFile(draft, `${JSON.stringify(info, undefined, 2)}\n`);
  await rename(draft, sidecar);
}

/** What stands beside a recording; undefined when that can't be read: without it the sound is still worth keeping. */
export async function readInfo(sidecar: string): Promise<RecordingInfo | undefined> {
  try {
    const info: unknown = JSON.parse(await readFile(sidecar, 'utf8'));
    return isInfo(info) ? info : undefined;
  } catch {
    return undefined;
  }
}

/** We wrote it ourselves: it is enough to see that it is not something else. */
function isInfo(info: unknown): info is RecordingInfo {
  return (
    typeof info === 'object' && info !== null && 'call' in info && 'silences' in info && Array.isArray(info.silences)
  );
}

/** All recordings of a folder, in no order; files of other names are not looked at. None where there is no folder. */
export async function listRecordings(folder: string): Promise<Recorded[]> {
  const found: Recorded[] = [];
  for (const day of await names(folder)) {
    if (!DAY.test(day)) continue;
    const bases = new Map<string, Recorded>();
    for (const name of await names(join(folder, day))) await addFile(bases, join(folder, day), name);
    found.push(...bases.values());
  }
  return found;
}

/** Deletes the files of a recording; one that is gone already is no error. */
export async function removeRecording({ sound, sidecar }: Place): Promise<void> {
  for (const path of [sound, sidecar, `${sidecar}.tmp`]) await rm(path, { force: true });
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

async function addFile(bases: Map<string, Recorded>, day: string, name: string): Promise<void> {
  const isSound = SOUND.test(name);
  if (!isSound && !name.endsWith(SIDECAR)) return;
  const base = name.replace(isSound ? SOUND : SIDECAR, '');
  const status = await ifThere(stat(join(day, name)));
  if (!status?.isFile()) return;
  const entry: Recorded = bases.get(base) ?? {
    sound: '',
    sidecar: join(day, base + SIDECAR),
    bytes: 0,
    at: 0,
    hasSound: false,
    isPart: false,
  };
  entry.bytes += status.size;
  entry.at = Math.max(entry.at, status.mtimeMs);
  if (isSound) {
    entry.isPart = name.endsWith(PART);
    entry.hasSound = true;
    entry.sound = join(day, entry.isPart ? name.slice(0, -PART.length) : name);
  }
  bases.set(base, entry);
}

async function names(folder: string): Promise<string[]> {
  return (await ifThere(readdir(folder))) ?? [];
}

async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
