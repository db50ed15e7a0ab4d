import { rename, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { setWavLength, WAV_HEADER_BYTES } from '../../audio/wav.js';
import { reasonOf } from '../../errors.js';
import { Keyring } from '../../store/sealing/keyring.js';
import type { Logger } from '../../telemetry/log.js';
import { openFile, type RandomFile } from './block-writer.js';
import {
  listRecordings,
  PART,
  type Recorded,
  type RecordingInfo,
  readInfo,
  removeRecording,
  writeInfo,
} from './layout.js';
import { MAX_OGG_PAGE_BYTES, markLastOggPage, readOggPage } from './ogg.js';
import { SEALED, SealedFile } from './sealed-file.js';

/** A file that is being made is written to several times a second; one that rests for so long was left behind, ms. */
const REST_MS = 10_000;
/** Read at a time of an Ogg file. */
const WINDOW_BYTES = 1 << 20;
/** Samples at 48 kHz that a player leaves out of an Opus file (RFC 7845, 4.2) lie here in the file's first packet. */
const PRE_SKIP_AT = 28 + 10;

/**
 * Repairs what a crash left behind: each unfinished recording gets its length, and its name. To be run at start; it waits
 * to see that nobody writes to a file any more. Files that can't be repaired are left as they are, and logged.
 *
 * @param folder of all recordings
 * @param keys of those that are encrypted
 * @returns paths of the sound files that were finished
 */
export async function recoverRecordings(
  folder: string,
  logger: Logger,
  restMs = REST_MS,
  keys = new Keyring([]),
): Promise<string[]> {
  const left = (await listRecordings(folder)).filter(({ isPart }) => isPart);
  if (left.length === 0) return [];
  await delay(restMs);
  const finished: string[] = [];
  for (const recorded of left) {
    try {
      if ((await stat(recorded.sound + PART)).mtimeMs > Date.now() - restMs) continue;
      if (await finish(recorded, keys)) finished.push(recorded.sound);
    } catch (error) {
      logger.warn({ file: recorded.sound + PART, reason: reasonOf(error) }, 'recording cannot be repaired');
    }
  }
  if (finished.length > 0) logger.info({ files: finished }, 'recordings that a crash left unfinished were repaired');
  return finished;
}

async function finish(recorded: Recorded, keys: Keyring): Promise<boolean> {
  const { sound, sidecar } = recorded;
  const sealed = sound.endsWith(SEALED);
  const file = await (sealed ? SealedFile.open(sound + PART, keys, true) : openFile(sound + PART, 'r+'));
  let seconds: number;
  try {
    seconds = await (/\.wav(?:\.enc)?$/.test(sound) ? repairWav(file) : repairOgg(file));
    await file.sync();
  } finally {
    await file.close();
  }
  if (seconds === 0) {
    await removeRecording({ sound: sound + PART, sidecar });
    return false;
  }
  const info = await readInfo(sidecar);
  if (info) await writeInfo(sidecar, { ...info, seconds, silences: ended(info.silences, seconds), complete: false });
  await rename(sound + PART, sound);
  return true;
}

function ended(silences: RecordingInfo['silences'], seconds: number): RecordingInfo['silences'] {
  return silences.map((silence) => ({ ...silence, to: silence.to ?? seconds }));
}

/** Writes the length of the file into its header; returns its seconds. */
async function repairWav(file: RandomFile): Promise<number> {
  const header = new Uint8Array(WAV_HEADER_BYTES);
  const bytesRead = await file.read(header, header.length, 0);
  if (bytesRead < header.length) return 0;
  const view = new DataView(header.buffer);
  const bytesPerSecond = view.getUint32(28, true);
  const align = view.getUint16(32, true);
  if (view.getUint32(0) !== 0x52494646 || bytesPerSecond === 0 || align === 0) throw new Error('its header is damaged');
  const bytes = Math.floor(((await file.size()) - header.length) / align) * align;
  await file.truncate(header.length + bytes);
  setWavLength(header, bytes);
  await file.write(header, header.length, 0);
  return bytes / bytesPerSecond;
}

/** Cuts off a page that is not whole and marks the one before as the last; returns the seconds. */
async function repairOgg(file: RandomFile): Promise<number> {
  const window = new Uint8Array(WINDOW_BYTES);
  let [from, held] = [0, 0];
  let [position, last, granule, preSkip] = [0, 0, 0, 0];
  for (;;) {
    if (position + MAX_OGG_PAGE_BYTES > from + held) {
      from = position;
      held = await file.read(window, window.length, from);
    }
    const page = readOggPage(window.subarray(0, held), position - from);
    if (!page) break;
    if (position === 0) preSkip = new DataView(window.buffer).getUint16(PRE_SKIP_AT, true);
    last = position;
    position += page.length;
    granule = page.granule;
  }
  await file.truncate(position);
  if (granule <= preSkip) return 0;
  const page = new Uint8Array(position - last);
  await file.read(page, page.length, last);
  markLastOggPage(page);
  await file.write(page, page.length, last);
  return (granule - preSkip) / 48_000;
}
