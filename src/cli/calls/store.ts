import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { ParleyError } from '../../errors.js';
import { JournalBook } from '../../journal/journal.js';
import { loadSettings, type Settings } from '../../settings.js';
import { openStore } from '../../store/open.js';
import type { Store } from '../../store/store.js';
import { createLogger } from '../../telemetry/log.js';

/** Which store is read. */
export interface StoreOptions {
  config?: string;
  data?: string;
}

/** Many; a stored call costs two small reads. */
const ALL = 100_000;

/** The options that name a store. */
export function withStore(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration file')
    .option('--data <dir>', 'folder of the files store, instead of the configured one');
}

/** Opens the configured store, and closes it whatever happens. */
export async function reading(
  options: StoreOptions,
  read: (book: JournalBook, where: string, store: Store, settings: Settings) => Promise<void>,
): Promise<void> {
  const settings = loadSettings(options.config);
  const data = options.data ?? settings.data;
  const { kind, redis } = settings.store;
  const where = kind === 'redis' ? redis.url.replace(/\/\/[^@/]*@/, '//') : data;
  // Looking must not make a folder.
  if (kind === 'files' && !existsSync(data))
    throw unknown('of any id', where, 'Is this the folder that `parley serve` uses? See --data.');
  const logger = createLogger(process.env.PARLEY_LOG === 'debug' ? 'debug' : 'error');
  const store = await openStore(settings.store, data, logger);
  const book = new JournalBook(store, logger, { retentionMs: retentionOf(settings) });
  try {
    await read(book, where, store, settings);
  } finally {
    await book.close();
    await store.close();
  }
}

/** The call whose id this is, or begins with, or the last one. */
export async function findCall(book: JournalBook, id: string, store: string): Promise<string> {
  const calls = (await book.list(ALL)).map(({ call }) => call);
  const last = calls.at(-1);
  if (id === 'last' && last !== undefined) return last;
  const wanted = id.toUpperCase();
  const found = calls.filter((call) => call.startsWith(wanted));
  if (found[0] !== undefined && found.length === 1) return found[0];
  if (found.length > 1) throw unknown(id, store, `${found.length} calls begin so: write more of the id.`);
  throw unknown(id, store, 'See `parley calls list`.');
}

function unknown(id: string, store: string, hint: string): ParleyError {
  return new ParleyError('PARLEY_ERR_CALL_UNKNOWN', { id, store, hint });
}

function retentionOf({ store }: Settings): number {
  return store.retention.journalMs;
}
