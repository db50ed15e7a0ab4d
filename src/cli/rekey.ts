import type { Command } from 'commander';
import { ParleyError, reasonOf } from '../errors.js';
import { rekeyRecordings } from '../media/recording/read.js';
import { loadSettings, recordingsFolder } from '../settings.js';
import { openPlainStore } from '../store/open.js';
import { Keyring } from '../store/sealing/keyring.js';
import { rekeyStore } from '../store/sealing/rekey.js';
import { createLogger } from '../telemetry/log.js';
import { withStore } from './calls/store.js';
import { EXIT, print, printError } from './output.js';

/** `parley rekey`: encrypts what is kept with the first key. */
export function register(program: Command): void {
  withStore(
    program
      .command('rekey')
      .description(
        'Encrypts with the first key what is plain, or encrypted with an older one. Calls may go on meanwhile.',
      ),
  ).action((options: { config?: string; data?: string }) => rekey(options));
}

async function rekey(options: { config?: string; data?: string }): Promise<void> {
  const loaded = loadSettings(options.config);
  const settings = { ...loaded, data: options.data ?? loaded.data };
  const file = settings.store.encryption.keysFile;
  const keys = Keyring.read(file);
  if (!keys.current) throw new ParleyError('PARLEY_ERR_KEY_FILE', { file: '(none)', reason: 'no file is configured' });
  const store = await openPlainStore(settings.store, settings.data, createLogger('error'));
  try {
    const kept = await rekeyStore(store, keys);
    const recorded = await rekeyRecordings(recordingsFolder(settings), keys);
    print(
      `key ${keys.current.id}: ${kept.streams} streams, ${kept.records} records, ${recorded.recordings} recordings`,
    );
    for (const { name, error } of [...kept.failed, ...recorded.failed]) {
      process.exitCode = EXIT.failed;
      printError(`${name}: ${reasonOf(error)}`);
    }
  } finally {
    await store.close();
  }
}
