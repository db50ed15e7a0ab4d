import { createHash, timingSafeEqual } from 'node:crypto';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, MiddlewareHandler } from 'hono';
import { ParleyError } from '../errors.js';
import { refused } from './refusal.js';
import { type Principal, ROLES, type Role, type TokenBook } from './tokens.js';

/** What hono carries along with a request that was let in. */
export interface Env {
  Variables: { principal: Principal };
}

/** What of a request says who asks. */
export interface Asking {
  authorization: string | undefined;
  /** Of who asks. */
  address: string | undefined;
  origin: string | undefined;
  host: string | undefined;
}

/** Says who asks, by the token that they show, and whether they may. */
export class Access {
  /**
   * @param token `http.token`: it may do everything
   * @param tokens those of the store
   */
  constructor(
    private readonly token: string | undefined,
    private readonly tokens: Pick<TokenBook, 'find'> | undefined,
    private readonly address: (c: Context) => string | undefined = (c) => getConnInfo(c).remote.address,
  ) {}

  /**
   * Who asks. Without any token it is whoever works on this machine, unless `http.token` is set.
   *
   * @throws ParleyError PARLEY_ERR_HTTP_UNAUTHORIZED, PARLEY_ERR_HTTP_FORBIDDEN, PARLEY_ERR_STORE_UNAVAILABLE
   */
  async identify(asking: Asking): Promise<Principal> {
    const given = /^Bearer +(\S+)$/i.exec(asking.authorization ?? '')?.[1];
    if (given !== undefined) {
      if (this.token !== undefined && isSame(given, this.token)) return { name: 'http.token', role: 'admin' };
      const entry = await this.tokens?.find(given);
      if (entry) return { name: entry.name, role: entry.role };
      throw new ParleyError('PARLEY_ERR_HTTP_UNAUTHORIZED');
    }
    if (this.token !== undefined || asking.authorization !== undefined) {
      throw new ParleyError('PARLEY_ERR_HTTP_UNAUTHORIZED');
    }
    if (!isLoopback(asking.address) || !isOwnPage(asking)) throw new ParleyError('PARLEY_ERR_HTTP_FORBIDDEN');
    return { name: 'this machine', role: 'admin' };
  }

  /** Lets in who has this role or a higher one. */
  requires(role: Role): MiddlewareHandler<Env> {
    return async (c, next) => {
      try {
        const asking = {
          authorization: c.req.header('Authorization'),
          address: this.address(c),
          origin: c.req.header('Origin'),
          host: c.req.header('Host'),
        };
        const principal = await this.identify(asking);
        mustBe(principal, role);
        c.set('principal', principal);
      } catch (error) {
        if (error instanceof ParleyError && error.code === 'PARLEY_ERR_HTTP_UNAUTHORIZED') {
          c.header('WWW-Authenticate', 'Bearer');
        }
        return refused(c, error);
      }
      return next();
    };
  }
}

/** @throws ParleyError PARLEY_ERR_HTTP_ROLE */
export function mustBe(principal: Principal, role: Role): void {
  if (ROLES.indexOf(principal.role) >= ROLES.indexOf(role)) return;
  throw new ParleyError('PARLEY_ERR_HTTP_ROLE', { role: principal.role, needed: role });
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/.test(address);
}

/**
 * A page of another site that somebody has open must not act in their name, neither by its own origin nor under a name
 * that it lets point here.
 */
function isOwnPage({ origin, host }: Asking): boolean {
  const name = (host ?? 'localhost').replace(/:\d+$/, '').toLowerCase();
  if (!/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(name)) return false;
  return origin === undefined || origin.toLowerCase() === `http://${host?.toLowerCase()}`;
}

/** In a time that tells nothing of where they differ. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
