import { ParleyError } from '../../errors.js';
import type { Records } from '../../store/store.js';
import { parseUri } from '../edge/message/uri.js';

/** Where a registered user can be reached. */
export interface Binding {
  /** The Contact's URI: what goes into the Request-URI. */
  contact: string;
  /**
   * Where the REGISTER came from, as a SIP URI: requests are sent there, since a Contact behind NAT leads nowhere.
   * `createUAC(contact, { proxy: received })`.
   */
  received: string;
  /** ms since 1970. */
  expiresAt: number;
  /** Preference, 0 to 1. */
  q: number;
  userAgent: string | undefined;
  /** Of the REGISTER that made it: a later one has a higher CSeq (RFC 3261 10.3). */
  callId: string;
  cseq: number;
}

/** What a REGISTER changes: bindings to set, or (`expiresAt` not in the future) to remove; or all of them are removed. */
export type BindingChange = { set: readonly Binding[] } | { removeAll: { callId: string; cseq: number } };

const TRIES = 10;

/** The bindings of all users, in the store: every node sees them. */
export class Bindings {
  /** As last seen, for while the store is away. */
  private readonly seen = new Map<string, readonly Binding[]>();

  constructor(
    private readonly records: Records,
    /** Most that one user may have. */
    private readonly most: number,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Where this user can be reached now, the preferred first; while the store is away, as this node knew it last.
   *
   * @throws ParleyError PARLEY_ERR_STORE_UNAVAILABLE when it never knew
   */
  async of(user: string): Promise<Binding[]> {
    try {
      const record = await this.records.get(keyOf(user));
      return this.#see(user, record ? this.#read(record.value) : []);
    } catch (error) {
      const seen = this.seen.get(user);
      if (!seen) throw error;
      return this.#current(seen);
    }
  }

  /** Names of the users who are registered now, sorted. */
  async users(): Promise<string[]> {
    const keys = await this.records.list(PREFIX);
    return keys.map((key) => key.slice(PREFIX.length));
  }

  /**
   * Carries out a REGISTER as a whole, or not at all.
   *
   * @returns the bindings there are then; `old` for a request that a later one has overtaken, `many` beyond the limit
   */
  async change(user: string, change: BindingChange): Promise<Binding[] | 'old' | 'many'> {
    for (let tries = 0; tries < TRIES; tries++) {
      const record = await this.records.get(keyOf(user));
      const before = record ? this.#current(this.#read(record.value)) : [];
      const after = applied(before, change, this.now());
      if (after === 'old') return 'old';
      if (after.length > this.most) return 'many';
      if (await this.#write(keyOf(user), after, record?.version ?? 0)) return this.#see(user, after);
    }
    throw new ParleyError('PARLEY_ERR_STORE_UNAVAILABLE', { reason: `bindings of ${user} change all the time` });
  }

  async #write(key: string, bindings: readonly Binding[], ifVersion: number): Promise<boolean> {
    if (bindings.length === 0 && ifVersion === 0) return true;
    // A record that is over in a moment, not a deletion: that could not be tied to the version.
    const end = Math.max(this.now() + 1, ...bindings.map(({ expiresAt }) => expiresAt));
    const options = { ifVersion, ttlMs: end - this.now() };
    return (await this.records.set(key, JSON.stringify(bindings), options)) !== undefined;
  }

  #read(value: string): Binding[] {
    return JSON.parse(value) as Binding[];
  }

  #see(user: string, bindings: readonly Binding[]): Binding[] {
    this.seen.set(user, bindings);
    return this.#current(bindings);
  }

  #current(bindings: readonly Binding[]): Binding[] {
    const current = bindings.filter(({ expiresAt }) => expiresAt > this.now());
    return current.sort((a, b) => b.q - a.q || b.expiresAt - a.expiresAt);
  }
}

const PREFIX = 'sip-user:';

function keyOf(user: string): string {
  return `${PREFIX}${user}`;
}

function applied(before: readonly Binding[], change: BindingChange, now: number): Binding[] | 'old' {
  if ('removeAll' in change) return before.some((one) => isLater(one, change.removeAll)) ? 'old' : [];
  let after = [...before];
  for (const binding of change.set) {
    const known = after.find((one) => isSameUri(one.contact, binding.contact));
    if (known && isLater(known, binding)) return 'old';
    after = after.filter((one) => one !== known);
    if (binding.expiresAt > now) after.push(binding);
  }
  return after;
}

function isLater(known: Binding, { callId, cseq }: { callId: string; cseq: number }): boolean {
  return known.callId === callId && known.cseq >= cseq;
}

/** RFC 3261 19.1.4, as far as phones write it: user, host, port and transport. */
function isSameUri(a: string, b: string): boolean {
  const [x, y] = [parseUri(a), parseUri(b)];
  if (!x || !y) return a === b;
  const transport = (uri: typeof x) => (uri.params.get('transport') ?? '').toLowerCase();
  return (
    x.secure === y.secure &&
    x.user === y.user &&
    x.host.toLowerCase() === y.host.toLowerCase() &&
    x.port === y.port &&
    transport(x) === transport(y)
  );
}
