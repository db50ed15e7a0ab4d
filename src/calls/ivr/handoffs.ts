import { createHash, randomBytes } from 'node:crypto';
import { ParleyError } from '../../errors.js';
import type { Store } from '../../store/store.js';
import { handoffDocument, type KeptHandoff, sealed } from './handoff.js';

/** What a token looks like: 160 random bits in letters and digits that survive URIs, hex, and a change of case. */
export const TOKEN = /ho-[0-9a-hjkmnp-tv-z]{32}(?![0-9a-z])/gi;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** How often a change of a pair's list is tried against other nodes. */
const TRIES = 8;
/** A used token is told apart from an unknown one for so long, ms. */
const USED_MS = 3_600_000;

/** What is found of a token or a pair of numbers. */
export type Found = KeptHandoff | 'unknown' | 'used' | 'ambiguous';

interface Waiting {
  key: string;
  until: number;
}

/** What IVRs have handed over and no call has taken yet, in the store: any node finds it. */
export class Handoffs {
  /** @param maxTtlMs longest that one is kept, whatever its document says, ms */
  constructor(
    private readonly store: Pick<Store, 'records'>,
    private readonly maxTtlMs = Number.POSITIVE_INFINITY,
  ) {}

  /**
   * Keeps a hand-off until its call comes.
   *
   * @param document what {@link handoffDocument} takes
   * @returns the token that the IVR puts into a header of the call
   * @throws ZodError; ParleyError PARLEY_ERR_STORE_UNAVAILABLE
   */
  async create(document: unknown, now = Date.now()): Promise<{ token: string; expiresAt: string }> {
    const read = handoffDocument.parse(document);
    const ttlMs = Math.min(read.ttlMs, this.maxTtlMs);
    const token = newToken();
    const key = keyOf(token);
    const kept: KeptHandoff = { document: sealed(read), createdAt: now };
    await this.store.records.set(key, JSON.stringify(kept), { ttlMs });
    const pair = pairOf(read.ani, read.dnis);
    if (pair) await this.#enlist(pair, { key, until: now + Math.min(read.windowMs, ttlMs) }, now);
    return { token, expiresAt: new Date(now + ttlMs).toISOString() };
  }

  /** Takes what belongs to a token; whoever comes second finds it used. */
  take(token: string): Promise<Found> {
    return this.#take(keyOf(token));
  }

  /**
   * Takes what waits for a call of this number to that one. Where several wait, nobody can tell whose call this is, and
   * none is given: a caller must never hear of another's.
   */
  async takeFor(ani: string, dnis: string, now = Date.now()): Promise<Found> {
    const pair = pairOf(ani, dnis);
    if (!pair) return 'unknown';
    const record = await this.store.records.get(pair);
    if (!record) return 'unknown';
    const waiting = (JSON.parse(record.value) as Waiting[]).filter(({ until }) => until > now);
    const unused: string[] = [];
    for (const { key } of waiting) if ((await this.#state(key)) !== 'gone') unused.push(key);
    if (unused.length > 1) return 'ambiguous';
    return unused[0] === undefined ? 'unknown' : this.#take(unused[0]);
  }

  async #state(key: string): Promise<'waits' | 'gone'> {
    const record = await this.store.records.get(key);
    return record && record.value !== '' ? 'waits' : 'gone';
  }

  async #take(key: string): Promise<Found> {
    const record = await this.store.records.get(key);
    if (!record) return 'unknown';
    if (record.value === '') return 'used';
    const won = await this.store.records.set(key, '', { ifVersion: record.version, ttlMs: USED_MS });
    return won === undefined ? 'used' : (JSON.parse(record.value) as KeptHandoff);
  }

  async #enlist(pair: string, entry: Waiting, now: number): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const record = await this.store.records.get(pair);
      const others = record ? (JSON.parse(record.value) as Waiting[]).filter(({ until }) => until > now) : [];
      const list = [...others.slice(-19), entry];
      const ttlMs = Math.max(...list.map(({ until }) => until)) - now;
      const written = await this.store.records.set(pair, JSON.stringify(list), {
        ttlMs,
        ifVersion: record?.version ?? 0,
      });
      if (written !== undefined) return;
    }
    throw new ParleyError('PARLEY_ERR_STORE_UNAVAILABLE', { reason: 'too many hand-offs for one pair of numbers' });
  }
}

function newToken(): string {
  return `ho-${[...randomBytes(32)].map((byte) => ALPHABET[byte & 31]).join('')}`;
}

/** The store never has the token itself. */
function keyOf(token: string): string {
  return `handoff:${createHash('sha256').update(token.toLowerCase()).digest('hex')}`;
}

function pairOf(ani: string | undefined, dnis: string | undefined): string | undefined {
  const from = plain(ani);
  const to = plain(dnis);
  return from === '' || to === '' || !/\d/.test(from) ? undefined : `handoff-for:${from}>${to}`;
}

/** `+49 (30) 123-4`, `004930 1234` and `49301234` are one number. */
function plain(number: string | undefined): string {
  const kept = (number ?? '').toLowerCase().replace(/[\s().\-/]/g, '');
  return kept.replace(/^(?:\+|00)(?=\d)/, '').slice(0, 100);
}
