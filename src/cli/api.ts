import { isIPv6 } from 'node:net';
import { ParleyError, reasonOf } from '../errors.js';
import type { Settings } from '../settings.js';

/** Which server is asked, and as whom. */
export interface ApiOptions {
  url?: string;
  token?: string;
}

/** The HTTP API of a running server. */
export interface Api {
  readonly url: string;
  /** @throws ParleyError PARLEY_ERR_API */
  get(path: string): Promise<unknown>;
  /** @throws ParleyError PARLEY_ERR_API */
  send(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
}

const TIMEOUT_MS = 10_000;

/** The server that the configuration is of, or the one named. Who asks: `--token`, `PARLEY_TOKEN`, `http.token`. */
export function apiOf({ http }: Pick<Settings, 'http'>, options: ApiOptions = {}): Api {
  // An address that takes all is reached by the one of this machine.
  const host = http.host === '0.0.0.0' ? '127.0.0.1' : http.host === '::' ? '::1' : http.host;
  const url = (options.url ?? `http://${isIPv6(host) ? `[${host}]` : host}:${http.port}`).replace(/\/$/, '');
  const token = options.token ?? process.env.PARLEY_TOKEN ?? http.token;
  const ask = async (method: string, path: string, body?: unknown) => {
    try {
      const response = await fetch(url + path, {
        method,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body !== undefined && JSON_BODY) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const answer: unknown = await response.json();
      if (response.ok) return answer;
      const { message, reason } = Object(answer) as { message?: unknown; reason?: unknown };
      throw new Error(String(message ?? reason ?? `status ${response.status}`));
    } catch (error) {
      const cause = error instanceof Error && error.cause ? `: ${reasonOf(error.cause)}` : '';
      throw new ParleyError('PARLEY_ERR_API', { url, reason: reasonOf(error) + cause }, { cause: error });
    }
  };
  return { url, get: (path) => ask('GET', path), send: ask };
}

const JSON_BODY = { 'Content-Type': 'application/json' };

/** Whether an error of {@link Api} says that nothing listens there. */
export function nobodyThere(error: unknown): boolean {
  const cause = error instanceof ParleyError ? error.cause : undefined;
  const system: unknown = cause instanceof Error ? cause.cause : undefined;
  return Reflect.get(Object(system), 'code') === 'ECONNREFUSED';
}
