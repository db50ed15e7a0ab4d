import type { Records, VersionedRecord } from '../store.js';
import type { Connection } from './connection.js';
import { Keys, ttlArgument } from './keys.js';
import { EXPIRE, INCREMENT, SET } from './scripts.js';

/** Each record is a hash of `value` and `version`; every change is one script, hence atomic. */
export class RedisRecords implements Records {
  readonly #keys: Keys;

  constructor(
    private readonly connection: Connection,
    prefix: string,
  ) {
    this.#keys = new Keys(prefix, 'record');
  }

  async get(key: string): Promise<VersionedRecord | undefined> {
    const name = this.#keys.value(key);
    const [value, version] = await this.connection.run((client) => client.hmGet(name, ['value', 'version']));
    return value == null ? undefined : { value, version: Number(version) };
  }

  async set(
    key: string,
    value: string,
    options: { ttlMs?: number; ifVersion?: number; keepTtl?: boolean } = {},
  ): Promise<number | undefined> {
    const ifVersion = options.ifVersion === undefined ? '' : String(options.ifVersion);
    const args = [key, value, options.keepTtl ? 'keep' : ttlArgument(options.ttlMs), ifVersion];
    const version = await SET.run(this.connection, this.#keys.of(key), args);
    return version === null ? undefined : Number(version);
  }

  async delete(key: string): Promise<void> {
    await EXPIRE.run(this.connection, this.#keys.of(key), [key, '0']);
  }

  async increment(key: string, by = 1, options: { ttlMs?: number } = {}): Promise<number> {
    const args = [key, String(by), ttlArgument(options.ttlMs)];
    return Number(await INCREMENT.run(this.connection, this.#keys.of(key), args));
  }

  list(prefix: string): Promise<string[]> {
    return this.#keys.list(this.connection, prefix);
  }
}
