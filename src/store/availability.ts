import { ParleyError, reasonOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';

/** Whether a store answers, and who wants to know when it does again. Both adapters report what they meet to it. */
export class Availability {
  readonly #listeners = new Set<() => void>();
  #lost = false;

  constructor(
    private readonly name: string,
    private readonly logger: Logger,
  ) {}

  /** Notes a failure. Only the first of an outage is logged. */
  failed(error: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    this.logger.warn({ store: this.name, reason: reasonOf(error) }, 'store lost; retrying until it is back');
  }

  /** Notes that the store answers; tells the listeners when it had been lost. */
  answered(): void {
    if (!this.#lost) return;
    this.#lost = false;
    this.logger.info({ store: this.name }, 'store is back');
    for (const listener of this.#listeners) this.#tell(listener);
  }

  onRecovered(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.logger.error({ err: error }, 'a listener for the store being back failed');
    }
  }
}

/** The error of a store that does not answer. */
export function unavailable(error: unknown): ParleyError {
  return new ParleyError('PARLEY_ERR_STORE_UNAVAILABLE', { reason: reasonOf(error) }, { cause: error });
}

/** The error of an entry that does not follow the last stored one. */
export function gap(stream: string, last: number, seq: number | string): ParleyError {
  return new ParleyError('PARLEY_ERR_STORE_GAP', { stream, last, seq });
}
