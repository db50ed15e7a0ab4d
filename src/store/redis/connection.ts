import { createClient } from 'redis';
import { ParleyError } from '../../errors.js';
import type { Logger } from '../../telemetry/log.js';
import { within } from '../../telemetry/within.js';
import { type Availability, unavailable } from '../availability.js';

/** A command without an answer for this long, ms, counts as a lost store. */
const COMMAND_TIMEOUT_MS = 2000;
/** Silence on a connection for this long, ms, ends it; pings at a third of it keep a healthy one open. */
const SILENCE_MS = 6000;

type Client = ReturnType<typeof newClient>;

/** Commands that Redis refuses for a state of its own (loading, replica, out of memory...), as opposed to a bad call. */
const REFUSALS =
  /^(LOADING|READONLY|OOM|MISCONF|BUSY|CLUSTERDOWN|MASTERDOWN|NOAUTH|NOPERM|NOREPLICAS|TRYAGAIN|ERR max)/;

/** One connection to Redis that comes back by itself. Commands fail at once while it is away; nothing is queued. */
export class Connection {
  readonly #client: Client;
  #closed = false;

  constructor(
    readonly url: string,
    private readonly logger: Logger,
    private readonly availability?: Availability,
  ) {
    this.#client = newClient(url);
    // Without an 'error' listener each failed attempt to reconnect would end the process.
    this.#client.on('error', (error: Error) => {
      if (!this.#closed) this.availability?.failed(error);
    });
    this.#client.on('ready', () => this.availability?.answered());
  }

  get ready(): boolean {
    return this.#client.isReady;
  }

  /** Begins to connect and resolves when connected or after `waitMs`, whichever is first; goes on trying afterwards. */
  async start(waitMs: number): Promise<void> {
    const connected = this.#client.connect().catch((error: unknown) => {
      if (!this.#closed) this.logger.error({ err: error }, 'the connection to Redis has ended for good');
    });
    await within(waitMs, connected);
  }

  /** Another connection of the same settings, not started; it does not report to the store's availability. */
  another(): Connection {
    return new Connection(this.url, this.logger);
  }

  /**
   * Runs commands on the client.
   *
   * @param timeoutMs how long an answer may take
   * @throws ParleyError `PARLEY_ERR_STORE_UNAVAILABLE` when there is no connection, no answer in time, or a refusal
   */
  async run<T>(work: (client: Client) => Promise<T>, timeoutMs = COMMAND_TIMEOUT_MS): Promise<T> {
    if (!this.#client.isReady) throw unavailable('no connection to Redis');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unavailable(`no answer from Redis in ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([work(this.#client), late]);
    } catch (error) {
      throw coded(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the connection at once; commands without an answer are rejected. */
  close(): void {
    this.#closed = true;
    this.#client.destroy();
  }
}

function newClient(url: string) {
  return createClient({
    url,
    name: 'parley',
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    pingInterval: SILENCE_MS / 3,
    socket: {
      connectTimeout: 3000,
      socketTimeout: SILENCE_MS,
      // Jitter keeps many nodes from coming back in one moment.
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 2000) * (0.75 + Math.random() / 2),
    },
  });
}

/** A reply that the script or command itself is wrong stays an error of its own; all else is an unavailable store. */
function coded(error: unknown): Error {
  if (error instanceof ParleyError) return error;
  const isReply = error instanceof Error && /^[A-Z]+ /.test(error.message) && !REFUSALS.test(error.message);
  return isReply ? error : unavailable(error);
}
