import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Blobs } from '../store.js';
import { type Disk, ifThere, writeWhole } from './disk.js';
import { isExpired, removeFile, setExpiry } from './expiry.js';
import { digestedName } from './names.js';

/** Each blob is a file, spread over 256 folders. */
export class FilesBlobs implements Blobs {
  constructor(
    private readonly folder: string,
    private readonly disk: Disk,
    private readonly onExpiry: (path: string, at: number) => void,
  ) {}

  get(key: string): Promise<Uint8Array | undefined> {
    const path = this.#path(key);
    return this.disk.run(async () => ((await isExpired(path)) ? undefined : ifThere(readFile(path))));
  }

  async put(key: string, bytes: Uint8Array, options: { ttlMs?: number } = {}): Promise<void> {
    const path = this.#path(key);
    const at = options.ttlMs === undefined ? undefined : Date.now() + Math.ceil(options.ttlMs);
    await this.disk.exclusively(path, async () => {
      // The expiry first: broken off between the two, a new blob never goes by an old blob's time.
      await setExpiry(path, at);
      await writeWhole(path, bytes);
    });
    if (at !== undefined) this.onExpiry(path, at);
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    await this.disk.exclusively(path, () => removeFile(path));
  }

  #path(key: string): string {
    const shard = createHash('sha256').update(key).digest('hex').slice(0, 2);
    return join(this.folder, shard, digestedName(key));
  }
}
