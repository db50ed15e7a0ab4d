/**
 * SIP messages as the edge holds them. All text, bodies included, is kept with one character per byte (latin1), so
 * that what is not understood passes through byte for byte and a string's length is its length on the wire.
 */

/** One header line, unfolded. Compact names are expanded; known names have their usual spelling. */
export interface Header {
  readonly name: string;
  /** `name` in lower case. */
  readonly key: string;
  readonly value: string;
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

export interface SipResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

export type SipMessage = SipRequest | SipResponse;

/** RFC 3261 7.3.3 and the extensions that registered one-letter forms. */
const COMPACT = table({
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
});

/** Usual spellings of the names in lower case. */
const SPELLING = table({
  ...spelled(
    'accept accept-encoding accept-language alert-info allow allow-events authorization contact content-disposition',
    'content-encoding content-language content-length content-type date diversion event expires from in-reply-to',
    'max-forwards min-expires min-se organization p-asserted-identity path priority privacy proxy-authenticate',
    'proxy-authorization proxy-require reason record-route refer-to referred-by replaces reply-to require retry-after',
    'route server session-expires subject subscription-state supported timestamp to unsupported user-agent via warning',
  ),
  'call-id': 'Call-ID',
  cseq: 'CSeq',
  'content-id': 'Content-ID',
  rseq: 'RSeq',
  rack: 'RAck',
  'mime-version': 'MIME-Version',
  'www-authenticate': 'WWW-Authenticate',
});

/** Names come off the wire: a map, unlike an object, has no entry for "constructor". */
function table(rows: Record<string, string>): ReadonlyMap<string, string> {
  return new Map(Object.entries(rows));
}

/** A header under its usual name. */
export function header(name: string, value: string): Header {
  const lower = name.toLowerCase();
  const expanded = COMPACT.get(lower);
  if (expanded !== undefined) return { name: expanded, key: expanded.toLowerCase(), value };
  return { name: SPELLING.get(lower) ?? name, key: lower, value };
}

/** Every word of a name with a capital. */
function spelled(...lists: string[]): Record<string, string> {
  const names = lists.join(' ').split(' ');
  return Object.fromEntries(names.map((name) => [name, name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())]));
}

/** The first value of a header; `key` in lower case. */
export function fieldOf(message: SipMessage, key: string): string | undefined {
  for (const line of message.headers) if (line.key === key) return line.value;
  return undefined;
}

/** The values of all lines of a header, in order; comma lists are not taken apart. */
export function fieldsOf(message: SipMessage, key: string): string[] {
  const values: string[] = [];
  for (const line of message.headers) if (line.key === key) values.push(line.value);
  return values;
}
