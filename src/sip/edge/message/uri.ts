import { parseHostPort } from './headers.js';

/** A `sip:` or `sips:` URI (RFC 3261 19.1), as far as routing needs it. */
export interface SipUri {
  readonly secure: boolean;
  /** User part as written (escaped, with password); empty when there is none. */
  readonly user: string;
  /** Without brackets when an IPv6 reference. */
  readonly host: string;
  readonly port: number | undefined;
  /** Names in lower case. */
  readonly params: ReadonlyMap<string, string>;
  /** What follows `?`, empty when nothing does. */
  readonly headers: string;
}

/** The scheme in lower case; empty when the text has none. */
export function schemeOf(uri: string): string {
  const colon = uri.indexOf(':');
  const scheme = colon < 0 ? '' : uri.slice(0, colon).toLowerCase();
  return /^[a-z][a-z0-9+.-]*$/.test(scheme) ? scheme : '';
}

export function parseUri(text: string): SipUri | undefined {
  const scheme = schemeOf(text);
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  const rest = text.slice(scheme.length + 1);
  // A user part may hold ';' and '?', so the last '@' before any of the host's own parts is the one: '@' is always
  // escaped elsewhere.
  const at = rest.lastIndexOf('@');
  const user = at < 0 ? '' : rest.slice(0, at);
  const afterUser = rest.slice(at + 1);
  const question = afterUser.indexOf('?');
  const [hostPort = '', ...pieces] = (question < 0 ? afterUser : afterUser.slice(0, question)).split(';');
  const where = parseHostPort(hostPort);
  if (!where) return undefined;
  const params = new Map<string, string>();
  for (const piece of pieces) {
    const equals = piece.indexOf('=');
    params.set((equals < 0 ? piece : piece.slice(0, equals)).toLowerCase(), equals < 0 ? '' : piece.slice(equals + 1));
  }
  return {
    secure: scheme === 'sips',
    user,
    ...where,
    params,
    headers: question < 0 ? '' : afterUser.slice(question + 1),
  };
}

/** A URI without what may not stand in a Request-URI: headers and a method parameter (RFC 3261 19.1.5). */
export function requestUri(text: string): string {
  if (!/^sips?:/i.test(text)) return text;
  const host = text.lastIndexOf('@') + 1;
  const [rest = ''] = text.slice(host).split('?');
  const kept = rest.split(';').filter((piece) => !/^method=/i.test(piece));
  return text.slice(0, host) + kept.join(';');
}

/** A host for use in a URI or Via: IPv6 addresses in brackets. */
export function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
