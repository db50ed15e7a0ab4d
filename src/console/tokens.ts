import { createHash, randomBytes } from 'node:crypto';
import type { Records } from '../store/store.js';

/** What a token lets its holder do, the least first: watch; control calls and hand over; everything. */
export const ROLES = ['viewer', 'supervisor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** A token as it is listed; the token itself is kept nowhere. */
export interface TokenEntry {
  id: string;
  /** Who uses it, for people and the audit log. */
  name: string;
  role: Role;
  /** ISO 8601. */
  createdAt: string;
  expiresAt?: string | undefined;
}

/** Who asks. */
export interface Principal {
  name: string;
  role: Role;
}

const PREFIX = 'token:';
/** A revoked token may be used on another node for so long, ms. */
const CACHE_MS = 2000;
const CACHED_MAX = 1000;

/**
 * API tokens, in the store. A token has 256 random bits, so that a plain hash of it can't be searched through; only that
 * is kept.
 */
export class TokenBook {
  readonly #cache = new Map<string, { found: Promise<TokenEntry | undefined>; until: number }>();

  constructor(private readonly records: Records) {}

  /** Makes a token; it is shown this once. @param ttlMs how long it is good for; for ever when left out */
  async create(name: string, role: Role, ttlMs?: number): Promise<{ token: string; entry: TokenEntry }> {
    const token = `parley_${randomBytes(32).toString('base64url')}`;
    const now = Date.now();
    const entry: TokenEntry = {
      id: randomBytes(5).toString('hex'),
      name,
      role,
      createdAt: new Date(now).toISOString(),
      ...(ttlMs === undefined ? {} : { expiresAt: new Date(now + ttlMs).toISOString() }),
    };
    await this.records.set(keyOf(token), JSON.stringify(entry), ttlMs === undefined ? {} : { ttlMs });
    return { token, entry };
  }

  /** All tokens, the oldest first. */
  async list(): Promise<TokenEntry[]> {
    const all = await Promise.all((await this.records.list(PREFIX)).map((key) => this.#read(key)));
    return all.filter((entry) => entry !== undefined).sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  /** @param id as listed @returns what was revoked */
  async revoke(id: string): Promise<TokenEntry | undefined> {
    for (const key of await this.records.list(PREFIX)) {
      const entry = await this.#read(key);
      if (entry?.id !== id) continue;
      await this.records.delete(key);
      this.#cache.delete(key);
      return entry;
    }
    return undefined;
  }

  /** Whose token this is. @throws ParleyError PARLEY_ERR_STORE_UNAVAILABLE */
  find(token: string): Promise<TokenEntry | undefined> {
    const key = keyOf(token);
    const now = Date.now();
    const known = this.#cache.get(key);
    if (known && known.until > now) return known.found;
    const found = this.#read(key);
    found.catch(() => this.#cache.delete(key));
    this.#cache.delete(key);
    this.#cache.set(key, { found, until: now + CACHE_MS });
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > CACHED_MAX && oldest !== undefined) this.#cache.delete(oldest);
    return found;
  }

  async #read(key: string): Promise<TokenEntry | undefined> {
    const record = await this.records.get(key);
    return record && (JSON.parse(record.value) as TokenEntry);
  }
}

function keyOf(token: string): string {
  return PREFIX + createHash('sha256').update(token).digest('hex');
}
