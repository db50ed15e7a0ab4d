import { RESP_TYPES } from 'redis';
import type { Blobs } from '../store.js';
import type { Connection } from './connection.js';

/** Each blob is a string value with Redis's own time to live. */
export class RedisBlobs implements Blobs {
  constructor(
    private readonly connection: Connection,
    private readonly prefix: string,
  ) {}

  async get(key: string): Promise<Uint8Array | undefined> {
    const binary = { [RESP_TYPES.BLOB_STRING]: Buffer };
    const bytes = await this.connection.run((client) => client.withTypeMapping(binary).get(this.#name(key)));
    return bytes ?? undefined;
  }

  async put(key: string, bytes: Uint8Array, options: { ttlMs?: number } = {}): Promise<void> {
    const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { ttlMs } = options;
    if (ttlMs !== undefined && ttlMs <= 0) return this.delete(key);
    const expiration = ttlMs === undefined ? {} : { expiration: { type: 'PX', value: Math.ceil(ttlMs) } as const };
    await this.connection.run((client) => client.set(this.#name(key), value, expiration));
  }

  async delete(key: string): Promise<void> {
    await this.connection.run((client) => client.del(this.#name(key)));
  }

  #name(key: string): string {
    return `${this.prefix}blob:${key}`;
  }
}
