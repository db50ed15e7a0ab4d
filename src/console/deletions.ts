import { reasonOf } from '../errors.js';
import type { Store } from '../store/store.js';
import type { Logger } from '../telemetry/log.js';

const PREFIX = 'deleted-';
const CHANNEL = 'calls.deleted';

/** What a node deletes of its own. */
export interface LocalFiles {
  /** Recordings of this call. Returns how many. */
  recordings(call: string): Promise<number>;
}

/**
 * Recordings lie on the node that had the call: which calls were deleted is noted in the store, and every node deletes
 * what it has of them, at once where it is up, else when it sweeps.
 */
export class Deletions {
  private stop: (() => Promise<void>) | undefined;

  constructor(
    private readonly store: Pick<Store, 'records' | 'fanout'>,
    private readonly files: LocalFiles,
    /** How long a node may be away, ms. */
    private readonly keptMs: number,
    private readonly logger: Logger,
  ) {}

  /** From now on what other nodes delete is deleted here, too. */
  listen(): this {
    this.subscribe().catch((error) => this.complain(error));
    return this;
  }

  /**
   * Deletes what is here, and has the other nodes do so.
   *
   * @returns recordings deleted here
   * @throws ParleyError PARLEY_ERR_STORE_UNAVAILABLE: nothing is forgotten, the request can be made again
   */
  async delete(call: string): Promise<number> {
    await this.store.records.set(PREFIX + call, new Date().toISOString(), { ttlMs: this.keptMs });
    const deleted = await this.files.recordings(call);
    await this.store.fanout.publish(CHANNEL, call);
    return deleted;
  }

  /** Deletes what is here of all calls that were deleted anywhere. */
  async sweep(): Promise<void> {
    try {
      for (const key of await this.store.records.list(PREFIX)) await this.local(key.slice(PREFIX.length));
    } catch (error) {
      this.complain(error);
    }
  }

  async close(): Promise<void> {
    await this.stop?.().catch(() => undefined);
  }

  private async subscribe(): Promise<void> {
    this.stop = await this.store.fanout.subscribe(
      CHANNEL,
      (call) => void this.local(call).catch((e) => this.complain(e)),
    );
  }

  private async local(call: string): Promise<void> {
    const recordings = await this.files.recordings(call);
    if (recordings > 0) this.logger.info({ call, recordings }, 'deleted');
  }

  private complain(error: unknown): void {
    this.logger.warn({ reason: reasonOf(error) }, 'records of deleted calls: trying again within an hour');
  }
}
