import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ParleyError } from '../../errors.js';
import type { Records, VersionedRecord } from '../store.js';
import { type Disk, ifThere, writeWhole } from './disk.js';
import { digestedName } from './names.js';

const ENDING = '.json';

const recordFile = z.object({
  key: z.string(),
  value: z.string(),
  version: z.number(),
  /** ms since 1970; absent: never. */
  expiresAt: z.number().optional(),
});
type RecordFile = z.output<typeof recordFile>;

/** Each record is a JSON file, replaced as a whole. */
export class FilesRecords implements Records {
  constructor(
    private readonly folder: string,
    private readonly disk: Disk,
  ) {}

  async get(key: string): Promise<VersionedRecord | undefined> {
    const record = await this.disk.run(() => load(this.#path(key)));
    return record && { value: record.value, version: record.version };
  }

  set(
    key: string,
    value: string,
    options: { ttlMs?: number; ifVersion?: number; keepTtl?: boolean } = {},
  ): Promise<number | undefined> {
    return this.#change(key, async (path, before) => {
      if (options.ifVersion !== undefined && options.ifVersion !== (before?.version ?? 0)) return undefined;
      const version = nextVersion(before);
      const expiresAt = options.keepTtl ? before?.expiresAt : expiryAt(options.ttlMs);
      await save(path, { key, value, version, expiresAt });
      return version;
    });
  }

  async delete(key: string): Promise<void> {
    await this.#change(key, (path) => rm(path, { force: true }));
  }

  increment(key: string, by = 1, options: { ttlMs?: number } = {}): Promise<number> {
    return this.#change(key, async (path, before) => {
      const value = Number(before?.value ?? 0) + by;
      if (!Number.isSafeInteger(value)) {
        throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: `record ${key} is not a counter` });
      }
      const expiresAt = before ? before.expiresAt : expiryAt(options.ttlMs);
      await save(path, { key, value: String(value), version: nextVersion(before), expiresAt });
      return value;
    });
  }

  async list(prefix: string): Promise<string[]> {
    const records = await this.disk.run(async () => {
      const names = await this.#files();
      return Promise.all(names.map((name) => load(join(this.folder, name))));
    });
    return records.flatMap((record) => (record?.key.startsWith(prefix) ? [record.key] : [])).sort();
  }

  /** Deletes the records whose time is over. */
  async sweep(): Promise<void> {
    for (const name of await this.#files()) {
      const path = join(this.folder, name);
      if (await load(path)) continue;
      await this.disk.exclusively(path, async () => {
        if (!(await load(path))) await rm(path, { force: true });
      });
    }
  }

  #change<T>(key: string, work: (path: string, before: RecordFile | undefined) => Promise<T>): Promise<T> {
    const path = this.#path(key);
    return this.disk.exclusively(path, async () => work(path, await load(path)));
  }

  async #files(): Promise<string[]> {
    return ((await ifThere(readdir(this.folder))) ?? []).filter((name) => name.endsWith(ENDING));
  }

  #path(key: string): string {
    return join(this.folder, `${digestedName(key)}${ENDING}`);
  }
}

/** The record in a file: undefined when there is none, its time is over, or it is no record. */
async function load(path: string): Promise<RecordFile | undefined> {
  const text = await ifThere(readFile(path, 'utf8'));
  if (text === undefined) return undefined;
  const record = recordFile.safeParse(parsed(text));
  if (!record.success || (record.data.expiresAt ?? Number.POSITIVE_INFINITY) <= Date.now()) return undefined;
  return record.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function save(path: string, record: RecordFile): Promise<void> {
  return writeWhole(path, JSON.stringify(record));
}

function nextVersion(before: RecordFile | undefined): number {
  return before ? before.version + 1 : Date.now() * 1000 + Math.floor(Math.random() * 1000);
}

function expiryAt(ttlMs: number | undefined): number | undefined {
  return ttlMs === undefined ? undefined : Date.now() + Math.ceil(ttlMs);
}
