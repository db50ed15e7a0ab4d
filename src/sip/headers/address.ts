/** What the headers that name somebody have in common: a list of addresses with parameters (RFC 3261 25.1). */
import { parseNameAddress, split } from '../edge/message/headers.js';

/** Somebody, or some place, that a header names. */
export interface Party {
  /** As written; `sip:`, `sips:`, `tel:` or another. */
  readonly uri: string;
  /** Number or name: the user part of a SIP URI, the number of a tel URI, decoded; empty when there is none. */
  readonly user: string;
  /** Display name, quotes removed; empty when there is none. */
  readonly display: string;
  /** Header parameters; names in lower case, quotes removed. */
  readonly params: ReadonlyMap<string, string>;
}

/** Most values of one header that are read. */
const VALUES_MAX = 64;

/** The values of a list header that can be read, in their order; what is malformed is left out. */
export function parties(value: string): Party[] {
  return valuesOf(value).flatMap((text) => partyOf(text) ?? []);
}

/** One name-addr or addr-spec. */
export function partyOf(text: string): Party | undefined {
  const address = parseNameAddress(text);
  if (!address) return undefined;
  const params = new Map([...address.params].map(([name, given]) => [name, unquoted(given)]));
  return { uri: address.uri, user: userOf(address.uri), display: unquoted(address.display), params };
}

/** The values of a comma list. */
export function valuesOf(value: string): string[] {
  return split(value, ',')
    .filter((text) => text !== '')
    .slice(0, VALUES_MAX);
}

/** A quoted-string without its quotes and escapes; anything else as it is. */
export function unquoted(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/gs, '$1');
}

/** Percent escapes decoded; what is no UTF-8 stays as it is. */
export function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Number or name that a `sip:` or `tel:` URI has, decoded; empty when there is none. */
export function userOf(uri: string): string {
  const colon = uri.indexOf(':');
  const scheme = uri.slice(0, colon).toLowerCase();
  const rest = uri.slice(colon + 1);
  if (scheme === 'tel') return unescaped(rest.split(/[;?]/, 1)[0] ?? '');
  if (scheme !== 'sip' && scheme !== 'sips') return '';
  const at = rest.lastIndexOf('@');
  // Parameters of a user part (`;ext=`, `;phone-context=`) and a password are not the number.
  return at < 0 ? '' : unescaped(rest.slice(0, at).split(/[;:]/, 1)[0] ?? '');
}
