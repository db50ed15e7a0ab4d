import type { Logger } from '../../telemetry/log.js';
import { ChannelListeners } from '../listeners.js';
import type { Fanout } from '../store.js';
import type { Connection } from './connection.js';

/**
 * Redis publish and subscribe. A subscribed connection is for that alone, so there is a second one; it is made at the
 * first subscription, and what is subscribed is subscribed again whenever it is back.
 */
export class RedisFanout implements Fanout {
  readonly #listeners: ChannelListeners;
  readonly #subscribed = new Map<string, Promise<void>>();
  #subscriber: Connection | undefined;
  #starting: Promise<void> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly prefix: string,
    logger: Logger,
  ) {
    this.#listeners = new ChannelListeners(logger);
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.connection.run((client) => client.publish(this.#name(channel), message));
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    // A function of its own for each subscription: the same listener may be subscribed twice.
    const own = (message: string) => listener(message);
    const subscriber = await this.#connected();
    if (this.#listeners.add(channel, own)) {
      const subscribed = subscriber.run((client) => client.subscribe(this.#name(channel), this.#receive));
      this.#subscribed.set(channel, subscribed);
    }
    try {
      await this.#subscribed.get(channel);
    } catch (error) {
      if (this.#listeners.remove(channel, own)) this.#subscribed.delete(channel);
      throw error;
    }
    return () => this.#unsubscribe(channel, own);
  }

  close(): void {
    this.#listeners.clear();
    this.#subscriber?.close();
  }

  readonly #receive = (message: string, name: string): void =>
    this.#listeners.tell(name.slice(this.#name('').length), message);

  async #unsubscribe(channel: string, listener: (message: string) => void): Promise<void> {
    if (!this.#listeners.remove(channel, listener)) return;
    this.#subscribed.delete(channel);
    // A lost connection has no subscriptions; what it renews has no listener here, which is harmless.
    await this.#subscriber?.run((client) => client.unsubscribe(this.#name(channel), this.#receive)).catch(() => {});
  }

  async #connected(): Promise<Connection> {
    this.#subscriber ??= this.connection.another();
    this.#starting ??= this.#subscriber.start(2000);
    await this.#starting;
    return this.#subscriber;
  }

  #name(channel: string): string {
    return `${this.prefix}fanout:${channel}`;
  }
}
