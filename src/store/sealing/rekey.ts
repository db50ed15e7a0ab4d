import type { Store } from '../store.js';
import type { Keyring } from './keyring.js';
import { isSealedText, keyIdOf } from './seal.js';
import { openedEntry, sealedEntry, sealedStore } from './sealed-store.js';

/** What was encrypted anew, and what could not be read. */
export interface Rekeyed {
  streams: number;
  records: number;
  /** Names, and why. */
  failed: { name: string; error: unknown }[];
}

/** A stream that grows meanwhile is tried again so often. */
const TRIES = 5;
/** Counters, and what was used up. */
const NOT_SEALED = /^-?\d*$/;

/**
 * Encrypts with the first key what is plain or encrypted with another one: journals, traces and records, one after another.
 * Calls may go on meanwhile. Clips are not touched: they are made again when their key is gone.
 *
 * @param plain the store as it lies on the disk
 * @throws ParleyError PARLEY_ERR_STORE_UNAVAILABLE; what was done until then is done
 */
export async function rekeyStore(plain: Store, keys: Keyring): Promise<Rekeyed> {
  const done: Rekeyed = { streams: 0, records: 0, failed: [] };
  const sealed = sealedStore(plain, keys);
  for (const stream of await plain.streams.list('')) {
    try {
      if (await rekeyStream(plain, keys, stream)) done.streams++;
    } catch (error) {
      done.failed.push({ name: stream, error });
    }
  }
  for (const key of await plain.records.list('')) {
    const kept = await plain.records.get(key);
    if (!kept || NOT_SEALED.test(kept.value) || hasCurrentKey(keys, kept.value)) continue;
    try {
      const opened = await sealed.records.get(key);
      // Changed meanwhile: whoever did it has encrypted it with the first key.
      if (opened) await sealed.records.set(key, opened.value, { ifVersion: opened.version, keepTtl: true });
      done.records++;
    } catch (error) {
      done.failed.push({ name: key, error });
    }
  }
  return done;
}

async function rekeyStream(plain: Store, keys: Keyring, stream: string): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries++) {
    const entries = await plain.streams.read(stream);
    if (entries.every(({ data }) => hasCurrentKey(keys, data.startsWith('"') ? data.slice(1) : data))) return false;
    const anew = entries.map((entry) => sealedEntry(keys, stream, openedEntry(keys, stream, entry)));
    if (await plain.streams.replace(stream, anew)) return true;
  }
  throw new Error('it changed all the time');
}

function hasCurrentKey({ current }: Keyring, text: string): boolean {
  return current ? isSealedText(text) && keyIdOf(text) === current.id : !isSealedText(text);
}
