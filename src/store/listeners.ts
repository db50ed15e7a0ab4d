import type { Logger } from '../telemetry/log.js';

type Listener = (message: string) => void;

/** Listeners by channel. A listener that throws is logged and harms nobody. */
export class ChannelListeners {
  readonly #channels = new Map<string, Set<Listener>>();

  constructor(private readonly logger: Logger) {}

  /** @returns whether it is the channel's first listener */
  add(channel: string, listener: Listener): boolean {
    const listeners = this.#channels.get(channel);
    if (listeners) {
      listeners.add(listener);
      return false;
    }
    this.#channels.set(channel, new Set([listener]));
    return true;
  }

  /** @returns whether it was the channel's last listener */
  remove(channel: string, listener: Listener): boolean {
    const listeners = this.#channels.get(channel);
    if (!listeners?.delete(listener) || listeners.size > 0) return false;
    return this.#channels.delete(channel);
  }

  tell(channel: string, message: string): void {
    for (const listener of this.#channels.get(channel) ?? []) {
      try {
        listener(message);
      } catch (error) {
        this.logger.error({ err: error, channel }, 'a listener of a channel failed');
      }
    }
  }

  clear(): void {
    this.#channels.clear();
  }
}
