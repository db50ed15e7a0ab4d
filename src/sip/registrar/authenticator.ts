import { reasonOf } from '../../errors.js';
import type { Records } from '../../store/store.js';
import type { Logger } from '../../telemetry/log.js';
import { parseUri } from '../edge/message/uri.js';
import type { HeaderOf } from '../header-of.js';
import { ALGORITHMS, type Algorithm, type Credentials, ha1, isSame, parseCredentials, responseOf } from './digest.js';
import type { Nonces } from './nonces.js';
import type { SipUser } from './users.js';

/** A request as it is judged. */
export interface Asking {
  method: string;
  uri: string;
  source: string;
  header: HeaderOf;
}

/** Who asks, or what to answer. */
export type Verdict = { user: string } | { status: number; headers: Record<string, string>; reason: string };

/** Failures of one name from one address, and of one address, before it is locked out for a while. */
const LIMITS = { pair: 5, source: 30 };
const LOCK_MS = 300_000;

/** Says by digest who sends a request (RFC 3261 22, RFC 8760). */
export class Authenticator {
  constructor(
    private readonly realm: string,
    private readonly users: ReadonlyMap<string, SipUser>,
    private readonly nonces: Nonces,
    private readonly records: Records,
    private readonly logger: Logger,
  ) {}

  /** @param claimed who the request says that it is from: decides what is asked for */
  async judge(asking: Asking, claimed: string): Promise<Verdict> {
    const { source } = asking;
    const value = asking.header('Authorization');
    const given = value === undefined ? undefined : parseCredentials(value);
    if (given && (await this.#locked(source, given.username))) {
      return refusal(403, 'locked out', { 'Retry-After': String(LOCK_MS / 1000) });
    }
    if (!given) return this.#challenge(claimed, false, value === undefined ? 'no credentials' : 'unusable credentials');
    const right = this.#isRight(asking, given);
    // A count is used up only by who knows the password: nobody else may spoil it.
    const state = right ? await this.nonces.use(given.nonce, Number.parseInt(given.nc, 16)) : 'foreign';
    if (state === 'stale') return this.#challenge(claimed, true, 'stale nonce');
    if (state === 'fresh' && right) return { user: given.username };
    if (right) return this.#challenge(claimed, false, 'foreign nonce');
    await this.#failed(source, given.username);
    return this.#challenge(claimed, false, 'wrong credentials');
  }

  #isRight(asking: Asking, given: Credentials): boolean {
    const known = this.users.get(given.username)?.secrets.get(given.algorithm);
    // Someone who does not exist takes as long as someone who does.
    const secret = known ?? ha1(given.algorithm, given.username, this.realm, 'nobody');
    const same = isSame(responseOf(secret, asking.method, given), given.response);
    return same && known !== undefined && given.realm === this.realm && isUriOf(given.uri, asking.uri);
  }

  async #challenge(claimed: string, stale: boolean, reason: string): Promise<Verdict> {
    const nonce = await this.nonces.issue();
    const offered: readonly Algorithm[] = [...(this.users.get(claimed)?.secrets.keys() ?? ALGORITHMS)];
    const values = offered.map(
      (algorithm) =>
        `Digest realm="${this.realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale ? ', stale=true' : ''}`,
    );
    // A header each (RFC 8760 2.4), the strongest first: drachtio-srf would join a list by commas, which phones can't tell
    // from those inside a challenge.
    return refusal(401, reason, { 'WWW-Authenticate': values.join('\r\nWWW-Authenticate: ') });
  }

  async #locked(source: string, name: string): Promise<boolean> {
    try {
      const [pair, all] = await Promise.all([
        this.records.get(pairKey(source, name)),
        this.records.get(sourceKey(source)),
      ]);
      return Number(pair?.value ?? 0) >= LIMITS.pair || Number(all?.value ?? 0) >= LIMITS.source;
    } catch {
      return false;
    }
  }

  async #failed(source: string, name: string): Promise<void> {
    this.logger.warn({ source, user: name.slice(0, 64) }, 'wrong SIP credentials');
    try {
      await this.records.increment(pairKey(source, name), 1, { ttlMs: LOCK_MS });
      await this.records.increment(sourceKey(source), 1, { ttlMs: LOCK_MS });
    } catch (error) {
      this.logger.warn({ reason: reasonOf(error) }, 'failures can not be counted');
    }
  }
}

function refusal(status: number, reason: string, headers: Record<string, string>): Verdict {
  return { status, reason, headers };
}

function pairKey(source: string, name: string): string {
  return `sip-failures:${source}|${name.slice(0, 64)}`;
}

function sourceKey(source: string): string {
  return `sip-failures:${source}`;
}

/** Proxies on the way change port and parameters of the Request-URI, never whom it is for (RFC 7616 3.4.6). */
function isUriOf(written: string, requested: string): boolean {
  if (written === requested) return true;
  const [a, b] = [parseUri(written), parseUri(requested)];
  return a !== undefined && b !== undefined && a.user === b.user && a.host.toLowerCase() === b.host.toLowerCase();
}
