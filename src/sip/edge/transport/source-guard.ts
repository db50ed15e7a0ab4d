/** What one source may ask for: bounds that callers never meet, and scanners and floods do. */
import { parseNameAddress } from '../message/headers.js';
import { fieldOf } from '../message/message.js';
import { NetworkFilter } from './network-filter.js';
import type { ReceivedRequest } from './received.js';

export interface Defence {
  /** New requests outside dialogs that one source may send, per second, and at once after a pause. */
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Refused targets within 10 s that make a source a scanner, when little else of it succeeds. */
  readonly scannerTargets: number;
  /** How long a scanner is not answered, ms. */
  readonly blockMs: number;
  /** INVITEs over UDP taken at once, and one more per second, from a source that never proved to get our answers. */
  readonly unconfirmed: number;
  /** Transactions of all sources together. */
  readonly transactions: number;
  /** CIDR blocks to which nothing of this applies, except the last. */
  readonly exempt: readonly string[];
}

export const DEFENCE: Defence = {
  requestsPerSecond: 100,
  burst: 500,
  scannerTargets: 20,
  blockMs: 300_000,
  unconfirmed: 30,
  transactions: 50_000,
  exempt: ['127.0.0.0/8', '::1/128'],
};

export type Verdict = 'take' | 'rate' | 'blocked' | 'unconfirmed' | 'overload';

/** Sources that are remembered; the one longest silent is forgotten first. */
const SOURCES = 10_000;

/** Span in which refused targets are counted, ms. */
const SCAN_MS = 10_000;

/** How long a source counts as one that gets our answers, ms. */
const CONFIRMED_MS = 600_000;

/** Answers that tell a scanner something about a number or an account. */
const TELLING = new Set([401, 403, 404, 407, 484, 485, 604]);

class Bucket {
  readonly #perSecond: number;
  readonly #size: number;
  #level: number;
  #at: number;

  constructor(perSecond: number, size: number, now: number) {
    this.#perSecond = perSecond;
    this.#size = size;
    this.#level = size;
    this.#at = now;
  }

  take(now: number): boolean {
    this.#level = Math.min(this.#size, this.#level + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#level < 1) return false;
    this.#level--;
    return true;
  }
}

interface Source {
  readonly requests: Bucket;
  readonly invites: Bucket;
  blockedUntil: number;
  confirmedUntil: number;
  /** Counting since then: targets refused, and requests that went well. */
  since: number;
  refused: Set<string>;
  welcome: number;
}

/** Decides by how a source has behaved whether a new request of it is looked at. */
export class SourceGuard {
  readonly #defence: Defence;
  readonly #exempt: NetworkFilter;
  readonly #sources = new Map<string, Source>();
  readonly #now: () => number;

  /** @throws ParleyError `PARLEY_ERR_EDGE_NETWORK` */
  constructor(defence: Defence, now: () => number = Date.now) {
    this.#defence = defence;
    this.#exempt = new NetworkFilter(defence.exempt);
    this.#now = now;
  }

  /**
   * A new request outside any dialog.
   *
   * @param open transactions going on
   */
  admit(received: ReceivedRequest, open: number): Verdict {
    if (open >= this.#defence.transactions) return 'overload';
    const { host, protocol } = received.source;
    if (this.#exempt.allows(host)) return 'take';
    const now = this.#now();
    const source = this.#sourceOf(host, now);
    if (source.blockedUntil > now) return 'blocked';
    if (fieldOf(received.message, 'authorization') !== undefined) source.refused.delete(targetOf(received));
    if (!source.requests.take(now)) return 'rate';
    const unproven = protocol === 'udp' && received.message.method === 'INVITE' && source.confirmedUntil < now;
    return unproven && !source.invites.take(now) ? 'unconfirmed' : 'take';
  }

  /** Whether an unusable message of this source may be answered. */
  mayAnswer(host: string): boolean {
    if (this.#exempt.allows(host)) return true;
    const now = this.#now();
    const source = this.#sourceOf(host, now);
    return source.blockedUntil <= now && source.requests.take(now);
  }

  /** The source sent something that it can only know from an answer of ours: its address is not made up. */
  confirm(host: string): void {
    if (this.#exempt.allows(host)) return;
    const now = this.#now();
    this.#sourceOf(host, now).confirmedUntil = now + CONFIRMED_MS;
  }

  /** The final answer to a new request. @returns whether its source is a scanner from now on */
  answered(received: ReceivedRequest, status: number): boolean {
    const { host } = received.source;
    if (this.#exempt.allows(host)) return false;
    const now = this.#now();
    const source = this.#sourceOf(host, now);
    if (now - source.since > SCAN_MS) {
      source.since = now;
      source.refused.clear();
      source.welcome = 0;
    }
    if (!TELLING.has(status)) {
      source.welcome++;
      source.refused.delete(targetOf(received));
      return false;
    }
    source.refused.add(targetOf(received));
    // A busy trunk has wrong numbers too, but mostly right ones.
    const scanning = source.refused.size >= this.#defence.scannerTargets && source.welcome * 4 < source.refused.size;
    if (!scanning) return false;
    source.blockedUntil = now + this.#defence.blockMs;
    source.refused.clear();
    return true;
  }

  #sourceOf(host: string, now: number): Source {
    const key = sourceKey(host);
    const known = this.#sources.get(key);
    this.#sources.delete(key);
    const source = known ?? this.#fresh(now);
    this.#sources.set(key, source);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > SOURCES && oldest !== undefined) this.#sources.delete(oldest);
    return source;
  }

  #fresh(now: number): Source {
    const { requestsPerSecond, burst, unconfirmed } = this.#defence;
    return {
      requests: new Bucket(requestsPerSecond, burst, now),
      invites: new Bucket(1, unconfirmed, now),
      blockedUntil: 0,
      confirmedUntil: 0,
      since: now,
      refused: new Set(),
      welcome: 0,
    };
  }
}

/** An IPv6 host has as many addresses as it likes within its network. */
function sourceKey(host: string): string {
  return host.includes(':') ? host.split(':').slice(0, 4).join(':') : host;
}

/** What a scanner varies: the number called, or the account that registers. */
function targetOf({ message }: ReceivedRequest): string {
  if (message.method !== 'REGISTER') return message.uri;
  return parseNameAddress(fieldOf(message, 'to') ?? '')?.uri ?? '';
}
