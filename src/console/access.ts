import { createHash, timingSafeEqual } from 'node:crypto';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, MiddlewareHandler } from 'hono';
import { ParleyError } from '../errors.js';

/**
 * Lets those in who show the token as `Authorization: Bearer`; without a token, programs of this machine only.
 *
 * @param address of who asks
 */
export function access(
  token: string | undefined,
  address: (c: Context) => string | undefined = remote,
): MiddlewareHandler {
  return async (c, next) => {
    if (token === undefined) {
      if (isLoopback(address(c))) return next();
      return c.json(shown(new ParleyError('PARLEY_ERR_HTTP_FORBIDDEN')), 403);
    }
    const given = /^Bearer +(\S+)$/i.exec(c.req.header('Authorization') ?? '')?.[1];
    if (given !== undefined && isSame(given, token)) return next();
    c.header('WWW-Authenticate', 'Bearer');
    return c.json(shown(new ParleyError('PARLEY_ERR_HTTP_UNAUTHORIZED')), 401);
  };
}

function shown({ code, message }: ParleyError): { code: string; message: string } {
  return { code, message };
}

function remote(c: Context): string | undefined {
  return getConnInfo(c).remote.address;
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/.test(address);
}

/** In a time that tells nothing of where they differ. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
