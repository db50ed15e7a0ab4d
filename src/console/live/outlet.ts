import type { WebSocket } from 'ws';

/** Bytes that may wait for a reader; then nothing more is fetched for it. */
const HIGH_BYTES = 262_144;
/** A reader that takes nothing for so long is closed, ms. */
const PATIENCE_MS = 30_000;

/** Close codes of the live socket (RFC 6455 7.4.2, IANA). */
export const CLOSE = { done: 1000, away: 1001, policy: 1008, failed: 1011, slow: 1013 } as const;

/**
 * Writes to one WebSocket no faster than its reader reads: whoever has something waits, so that a slow reader costs a
 * bounded buffer and nothing else.
 */
export class Outlet {
  #unsent = 0;
  #waiting: (() => void)[] = [];
  #patience: NodeJS.Timeout | undefined;

  constructor(private readonly socket: WebSocket) {
    socket.once('close', () => {
      clearTimeout(this.#patience);
      this.#release();
    });
  }

  /** Whether something that may as well be left out can be sent. */
  get isKeepingUp(): boolean {
    return this.#unsent < HIGH_BYTES / 4;
  }

  /** Sends text; resolves when there is room for more, or the socket is closed. */
  async send(text: string): Promise<void> {
    while (this.#unsent > HIGH_BYTES && this.socket.readyState === this.socket.OPEN) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.socket.readyState !== this.socket.OPEN) return;
    const bytes = Buffer.byteLength(text);
    this.#unsent += bytes;
    this.socket.send(text, () => {
      this.#unsent -= bytes;
      this.#watch(true);
      this.#release();
    });
    this.#watch(false);
  }

  /** @param progress something was taken */
  #watch(progress: boolean): void {
    if (progress || this.#unsent === 0) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
    if (this.#unsent === 0) return;
    this.#patience ??= setTimeout(() => {
      // A close frame would wait behind what is not read; the reader may be gone for good.
      this.socket.close(CLOSE.slow, 'too slow');
      setTimeout(() => this.socket.terminate(), 1000).unref();
      this.#release();
    }, PATIENCE_MS).unref();
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
