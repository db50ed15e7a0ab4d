import type { Logger } from '../../telemetry/log.js';
import { ChannelListeners } from '../listeners.js';
import type { Fanout } from '../store.js';

/** Reaches the listeners in this process. They are told after `publish` has returned, as with Redis. */
export class FilesFanout implements Fanout {
  readonly #listeners: ChannelListeners;

  constructor(logger: Logger) {
    this.#listeners = new ChannelListeners(logger);
  }

  async publish(channel: string, message: string): Promise<void> {
    setImmediate(() => this.#listeners.tell(channel, message));
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    const own = (message: string) => listener(message);
    this.#listeners.add(channel, own);
    return async () => {
      this.#listeners.remove(channel, own);
    };
  }

  close(): void {
    this.#listeners.clear();
  }
}
