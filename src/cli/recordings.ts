import { createWriteStream, existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { ParleyError, reasonOf } from '../errors.js';
import { listRecordings } from '../media/recording/layout.js';
import { plainName, readRecording, recordingsOf } from '../media/recording/read.js';
import { loadSettings, recordingsFolder } from '../settings.js';
import { Keyring } from '../store/sealing/keyring.js';
import { withStore } from './calls/store.js';
import { print, tableLines } from './output.js';

interface Options {
  config?: string;
  data?: string;
}

/** `parley recordings`: what was recorded, and what is in an encrypted one. */
export function register(program: Command): void {
  const recordings = program.command('recordings').description('Lists recordings, and decrypts them.');
  withStore(recordings.command('list').description('Lists the recordings of this machine, oldest first.')).action(
    (options: Options) => list(options),
  );
  withStore(
    recordings
      .command('decrypt <recording>')
      .description('Writes what is in an encrypted recording: a file, or the id of a call.')
      .option('-o, --output <file>', 'where to; otherwise beside this, without .enc'),
  ).action((recording: string, options: Options & { output?: string }) => decrypt(recording, options));
}

async function list(options: Options): Promise<void> {
  const all = (await listRecordings(folderOf(options))).sort((a, b) => a.at - b.at);
  const rows = all
    .filter(({ hasSound }) => hasSound)
    .map(({ sound, bytes, at, isPart }) => [
      new Date(at).toLocaleString('sv-SE'),
      `${(bytes / 1e6).toFixed(1)} MB`,
      isPart ? `${sound} (is being made)` : sound,
    ]);
  for (const line of tableLines([['TIME', 'SIZE', 'FILE'], ...rows])) print(line);
}

async function decrypt(recording: string, options: Options & { output?: string }): Promise<void> {
  const { store } = loadSettings(options.config);
  const keys = Keyring.read(store.encryption.keysFile);
  const found = existsSync(recording)
    ? [recording]
    : (await recordingsOf(folderOf(options), recording.toUpperCase())).map(({ sound }) => sound);
  if (found.length === 0) {
    const hint = 'See `parley recordings list`.';
    throw new ParleyError('PARLEY_ERR_CALL_UNKNOWN', { id: recording, store: folderOf(options), hint });
  }
  for (const [n, path] of found.entries()) {
    const output = n === 0 && options.output ? options.output : plainName(path);
    // Nothing that is there is overwritten.
    const to = createWriteStream(output, { flags: 'wx', mode: 0o600 });
    const sound = Readable.from(await readRecording(path, keys));
    await pipeline(sound, to).catch((error) => {
      if (error instanceof ParleyError) throw error;
      throw new ParleyError('PARLEY_ERR_FILE_WRITE', { file: output, reason: reasonOf(error) });
    });
    print(output);
  }
}

function folderOf(options: Options): string {
  const settings = loadSettings(options.config);
  return recordingsFolder({ ...settings, data: options.data ?? settings.data });
}
