import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../../errors.js';
import type { Logger } from '../../telemetry/log.js';
import { Availability } from '../availability.js';
import type { Store } from '../store.js';
import { Disk, writeWhole } from './disk.js';
import { Expiries, removeExpired, sweep } from './expiry.js';
import { FilesBlobs } from './files-blobs.js';
import { FilesFanout } from './files-fanout.js';
import { FilesRecords } from './files-records.js';
import { FilesStreams } from './files-streams.js';

const PROBE = new Uint8Array(4096);
const SWEEP_MS = 60 * 60 * 1000;

/** The store in a directory, for one node. Other processes may read and follow it, and write to it too. */
export class FilesStore implements Store {
  readonly streams: FilesStreams;
  readonly records: FilesRecords;
  readonly blobs: FilesBlobs;
  readonly fanout: FilesFanout;
  readonly #availability: Availability;
  readonly #disk: Disk;
  readonly #hourly: NodeJS.Timeout;
  readonly #expiries: Expiries;
  #sweeping: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(
    private readonly root: string,
    private readonly logger: Logger,
  ) {
    this.#availability = new Availability(`files in ${root}`, logger);
    this.#disk = new Disk(this.#availability);
    this.#expiries = new Expiries(SWEEP_MS, async (path) => {
      this.streams.forget(path);
      await removeExpired(path, this.#disk);
    });
    const onExpiry = (path: string, at: number) => this.#expiries.note(path, at);
    this.streams = new FilesStreams(join(root, 'streams'), this.#disk, onExpiry);
    this.records = new FilesRecords(join(root, 'records'), this.#disk);
    this.blobs = new FilesBlobs(join(root, 'blobs'), this.#disk, onExpiry);
    this.fanout = new FilesFanout(logger);
    this.#hourly = setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** Makes the directories; a disk that can't be written is waited for, as a lost store is. */
  static async open(root: string, logger: Logger): Promise<FilesStore> {
    const store = new FilesStore(root, logger);
    await store.#disk.run(() => store.#makeFolders()).catch(() => {});
    store.#sweep();
    return store;
  }

  async healthy(): Promise<boolean> {
    const probe = join(this.root, 'streams', `${process.pid}.probe`);
    try {
      await this.#disk.run(async () => {
        await this.#makeFolders();
        // More than a name: a full disk still takes those.
        await writeWhole(probe, PROBE);
        await rm(probe, { force: true });
      });
      return true;
    } catch {
      return false;
    }
  }

  onRecovered(listener: () => void): () => void {
    return this.#availability.onRecovered(listener);
  }

  /** Resolves when what was begun is written. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#hourly);
    this.#expiries.close();
    this.streams.close();
    this.fanout.close();
    await this.#sweeping;
    await this.#disk.idle();
  }

  async #makeFolders(): Promise<void> {
    for (const folder of ['streams', 'records', 'blobs']) await mkdir(join(this.root, folder), { recursive: true });
  }

  #sweep(): void {
    this.#sweeping = this.#sweeping.then(async () => {
      if (this.#closed) return;
      const later = (path: string, at: number) => this.#expiries.note(path, at);
      try {
        await sweep(join(this.root, 'streams'), this.#disk, later);
        this.streams.forget();
        await sweep(join(this.root, 'blobs'), this.#disk, later);
        await this.records.sweep();
      } catch (error) {
        this.logger.warn({ reason: reasonOf(error) }, 'expired files could not be deleted; tried again in an hour');
      }
    });
  }
}
