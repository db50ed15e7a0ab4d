import type { Logger } from '../../telemetry/log.js';
import { Availability } from '../availability.js';
import type { StoreConfig } from '../config.js';
import type { Store } from '../store.js';
import { Connection } from './connection.js';
import { RedisBlobs } from './redis-blobs.js';
import { RedisFanout } from './redis-fanout.js';
import { RedisRecords } from './redis-records.js';
import { RedisStreams } from './redis-streams.js';

/** How long the start waits for Redis before it goes on without, ms. */
const START_WAIT_MS = 1500;

/** The store in Redis (6 or newer, for RESP3), shared by any number of nodes. */
export class RedisStore implements Store {
  readonly streams: RedisStreams;
  readonly records: RedisRecords;
  readonly blobs: RedisBlobs;
  readonly fanout: RedisFanout;

  private constructor(
    private readonly connection: Connection,
    private readonly availability: Availability,
    prefix: string,
    logger: Logger,
  ) {
    this.streams = new RedisStreams(connection, prefix);
    this.records = new RedisRecords(connection, prefix);
    this.blobs = new RedisBlobs(connection, prefix);
    this.fanout = new RedisFanout(connection, prefix, logger);
  }

  /** Connects; a server that does not answer yet is waited for in the background. */
  static async open(config: StoreConfig['redis'], logger: Logger): Promise<RedisStore> {
    const availability = new Availability(`redis at ${withoutPassword(config.url)}`, logger);
    const connection = new Connection(config.url, logger, availability);
    await connection.start(START_WAIT_MS);
    // A server that never answers gives no error for a while; writers are to be told when it comes all the same.
    if (!connection.ready) availability.failed('no connection yet');
    return new RedisStore(connection, availability, config.prefix, logger);
  }

  async healthy(): Promise<boolean> {
    try {
      await this.connection.run((client) => client.exists('parley'));
      return true;
    } catch {
      return false;
    }
  }

  onRecovered(listener: () => void): () => void {
    return this.availability.onRecovered(listener);
  }

  async close(): Promise<void> {
    this.streams.close();
    this.fanout.close();
    this.connection.close();
  }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
