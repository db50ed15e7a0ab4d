import { createHmac, randomBytes } from 'node:crypto';
import { reasonOf } from '../../errors.js';
import type { Records } from '../../store/store.js';
import type { Logger } from '../../telemetry/log.js';
import { isSame } from './digest.js';

/** How long a nonce can be used, ms. */
const LIFETIME_MS = 300_000;
const SECRET_KEY = 'sip-nonce-secret';
const TRIES = 5;

/**
 * The server's nonces (RFC 7616 3.3): they carry their end and are signed by a secret that all nodes share, so that none
 * is kept and any node knows them. What is kept is the highest count seen with each (3.4.5): no request comes twice.
 */
export class Nonces {
  #secret: Buffer | undefined;
  /** Highest count by nonce; also where the store is away. */
  readonly #seen = new Map<string, { nc: number; end: number }>();

  constructor(
    private readonly records: Records,
    private readonly logger: Logger,
    private readonly now: () => number = Date.now,
  ) {}

  /** A new nonce. */
  async issue(): Promise<string> {
    const body = Buffer.concat([uint48(this.now() + LIFETIME_MS), randomBytes(9)]).toString('base64url');
    return body + this.#sign(await this.#key(), body);
  }

  /**
   * Whether this nonce may be used with this count now: `stale` means that the client should try again with a new one,
   * `foreign` that it is none of ours.
   */
  async use(nonce: string, nc: number): Promise<'fresh' | 'stale' | 'foreign'> {
    const body = nonce.slice(0, 20);
    if (nonce.length !== 40 || !isSame(this.#sign(await this.#key(), body), nonce.slice(20))) return 'foreign';
    const end = Buffer.from(body, 'base64url').readUIntBE(0, 6);
    if (end <= this.now()) return 'stale';
    const seen = this.#seen.get(nonce)?.nc ?? 0;
    if (nc <= seen) return 'stale';
    this.#note(nonce, nc, end);
    return (await this.#isHigher(nonce, nc, end)) ? 'fresh' : 'stale';
  }

  async #isHigher(nonce: string, nc: number, end: number): Promise<boolean> {
    const key = `sip-nonce:${nonce}`;
    try {
      for (let tries = 0; tries < TRIES; tries++) {
        const record = await this.records.get(key);
        if (record && Number(record.value) >= nc) return false;
        const ttlMs = Math.max(1, end - this.now());
        if ((await this.records.set(key, String(nc), { ifVersion: record?.version ?? 0, ttlMs })) !== undefined)
          return true;
      }
      return false;
    } catch (error) {
      this.logger.warn(
        { reason: reasonOf(error) },
        'nonce counts of other nodes are not known: the store does not answer',
      );
      return true;
    }
  }

  #note(nonce: string, nc: number, end: number): void {
    for (const [old, { end: over }] of this.#seen) {
      // In the order of their making, nearly: the first that still holds ends the search.
      if (over > this.now()) break;
      this.#seen.delete(old);
    }
    this.#seen.set(nonce, { nc, end });
  }

  #sign(secret: Buffer, body: string): string {
    return createHmac('sha256', secret).update(body).digest('base64url').slice(0, 20);
  }

  /** Made by the first node that needs it; a node without store has its own until then. */
  async #key(): Promise<Buffer> {
    if (this.#secret) return this.#secret;
    const own = randomBytes(32);
    try {
      await this.records.set(SECRET_KEY, own.toString('base64'), { ifVersion: 0 });
      const record = await this.records.get(SECRET_KEY);
      this.#secret = record ? Buffer.from(record.value, 'base64') : own;
    } catch (error) {
      this.logger.warn({ reason: reasonOf(error) }, 'nonces are good on this node only: the store does not answer');
      this.#secret = own;
    }
    return this.#secret;
  }
}

function uint48(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}
