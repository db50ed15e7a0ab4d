/** Messages as a proxy passes them on (RFC 3261 16.6, 16.7): all that is not its own to change stays as it came. */

import { viaLine } from '../compose.js';
import { listOf, parseNameAddress, split } from '../message/headers.js';
import { fieldOf, type Header, header, type SipRequest, type SipResponse } from '../message/message.js';
import { parseUri } from '../message/uri.js';
import type { LocalEnd } from '../transport/local-address.js';

/** What the proxy decides about a request it passes on. */
export interface Forwarding {
  readonly uri: string;
  /** URI of this edge, for the requests to come to pass it again. */
  readonly recordRoute: string | undefined;
  /** Set by the application, instead of what came. */
  readonly headers: readonly Header[];
  readonly routes: readonly string[];
}

export function forwardedRequest(request: SipRequest, forwarding: Forwarding, local: LocalEnd): SipRequest {
  const replaced = new Set(['route', 'max-forwards', ...forwarding.headers.map((line) => line.key)]);
  const kept = request.headers.filter((line) => !replaced.has(line.key));
  const hops = Number(fieldOf(request, 'max-forwards') ?? 71) - 1;
  const headers = [
    viaLine(local),
    ...recordRouteOf(request.method, forwarding.recordRoute),
    ...forwarding.routes.map((value) => header('Route', value)),
    header('Max-Forwards', String(Math.max(0, hops))),
    ...kept,
    ...forwarding.headers,
  ];
  return { ...request, uri: forwarding.uri, headers };
}

/** A registration stays on the way by Path (RFC 3327) instead of Record-Route. */
function recordRouteOf(method: string, uri: string | undefined): Header[] {
  if (uri === undefined) return [];
  if (method !== 'REGISTER') return [header('Record-Route', `<${uri}>`)];
  return [header('Path', `<${uri}>`), header('Require', 'path')];
}

/** A response on its way back: the top Via was ours. */
export function forwardedResponse(response: SipResponse): SipResponse {
  const at = response.headers.findIndex((line) => line.key === 'via');
  const [, ...others] = split(response.headers[at]?.value ?? '', ',');
  const rest = others.length > 0 ? [header('Via', others.join(', '))] : [];
  return { ...response, headers: response.headers.toSpliced(at, 1, ...rest) };
}

/** The challenges of other branches join those of the response that is passed on (RFC 3261 16.7 step 7). */
export function withChallenges(best: SipResponse, others: readonly SipResponse[]): SipResponse {
  if (best.status !== 401 && best.status !== 407) return best;
  const more = others
    .filter((other) => other !== best && (other.status === 401 || other.status === 407))
    .flatMap((other) => other.headers.filter((line) => line.key.endsWith('-authenticate')));
  return more.length > 0 ? { ...best, headers: [...best.headers, ...more] } : best;
}

/** Client errors that tell the caller something to do: better than any other of the 4xx (RFC 3261 16.7 step 6). */
const TELLING = new Set([401, 407, 415, 420, 484]);

/** The best of the final responses: a 6xx, else the lowest class. */
export function bestOf(responses: readonly SipResponse[]): SipResponse | undefined {
  const rank = ({ status }: SipResponse) =>
    status >= 600 ? 0 : Math.floor(status / 100) * 2 - (TELLING.has(status) ? 1 : 0);
  return responses.toSorted((a, b) => rank(a) - rank(b))[0];
}

/** `1500ms`, `2s`; anything else is no limit. @returns ms */
export function milliseconds(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})(ms|s)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (unit === 's' ? 1000 : 1);
}

/** Where a request goes that carries this edge's own Record-Route (RFC 3261 16.4, 16.12). */
export function routeOnwards(
  request: SipRequest,
  isOwn: (uri: string) => boolean,
): { uri: string; routes: string[]; next: string } | undefined {
  const uriOf = (value: string | undefined) => (value === undefined ? undefined : parseNameAddress(value)?.uri);
  let { uri } = request;
  let routes = listOf(request, 'route');
  if (isOwn(uri)) {
    // A strict router before us: the Request-URI is ours, the last Route the target.
    uri = uriOf(routes.at(-1)) ?? uri;
    routes = routes.slice(0, -1);
  } else {
    const first = uriOf(routes[0]);
    if (first === undefined || !isOwn(first)) return undefined;
    routes = routes.slice(1);
  }
  const next = uriOf(routes[0]);
  if (next === undefined) return { uri, routes, next: uri };
  if (parseUri(next)?.params.has('lr')) return { uri, routes, next };
  return { uri: next, routes: [...routes.slice(1), `<${uri}>`], next };
}
