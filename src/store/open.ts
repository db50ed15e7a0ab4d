import type { Logger } from '../telemetry/log.js';
import type { StoreConfig } from './config.js';
import { FilesStore } from './files/files-store.js';
import { RedisStore } from './redis/redis-store.js';
import { Keyring } from './sealing/keyring.js';
import { sealedStore } from './sealing/sealed-store.js';
import type { Store } from './store.js';

/**
 * Opens the configured store. A store that does not answer is no error: it is tried again in the background, `healthy()`
 * says false meanwhile and calls are answered without it.
 *
 * @param dataDir directory of the files adapter; made when it is not there
 * @throws ParleyError PARLEY_ERR_KEY_FILE
 */
export async function openStore(config: StoreConfig, dataDir: string, logger: Logger): Promise<Store> {
  // Before anything is opened: with wrong keys nothing starts.
  const keys = Keyring.read(config.encryption.keysFile);
  return sealedStore(await openPlainStore(config, dataDir, logger), keys);
}

/** The configured store as it lies there, for whoever sees to the encryption itself. */
export function openPlainStore(config: StoreConfig, dataDir: string, logger: Logger): Promise<Store> {
  return config.kind === 'redis' ? RedisStore.open(config.redis, logger) : FilesStore.open(dataDir, logger);
}
