import { monotonicMs } from '../../../telemetry/clock.js';
import type { Logger } from '../../../telemetry/log.js';
import type { Peer } from './transport.js';

const WINDOW_MS = 10_000;
const LINES = 20;
const EXCERPT = 80;

/** Logs input that could not be used, in so many lines as help and no more: a flood must not fill a disk. */
export class LogThrottle {
  readonly #log: Logger;
  #windowStart = 0;
  #lines = 0;
  #suppressed = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  malformed(reason: string, source: Peer, text: string): void {
    const now = monotonicMs();
    if (now - this.#windowStart >= WINDOW_MS) {
      if (this.#suppressed > 0) this.#log.warn({ count: this.#suppressed }, 'more unusable SIP input, not logged');
      this.#windowStart = now;
      this.#lines = 0;
      this.#suppressed = 0;
    }
    if (++this.#lines > LINES) {
      this.#suppressed++;
      return;
    }
    const from = `${source.protocol}:${source.host}:${source.port}`;
    this.#log.warn({ reason, from, bytes: text.length, begins: text.slice(0, EXCERPT) }, 'unusable SIP input');
  }
}
