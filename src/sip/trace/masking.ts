import { withoutSecrets } from '../../telemetry/redact.js';

/** In place of what is not kept. */
const HIDDEN = '***';
/** Credentials, whatever is configured. */
const CREDENTIALS = ['authorization', 'proxy-authorization', 'authentication-info', 'proxy-authentication-info'];
/** Attributes of SDP that are keys: RFC 4568 6.1, RFC 8839 5.4, RFC 4567. */
const SDP_KEYS = /^(a=(?:crypto:\d+ \S+ inline:|ice-pwd:|key-mgmt:\S+ )|k=\S+?:)(.*)$/gim;

/**
 * Takes out of a SIP message what nobody is to read: credentials, keys of the media, the values of the headers named, and
 * every body that is no SDP (keys that were pressed, what an IVR hands over).
 *
 * @param headers lower case; a `*` at the end stands for all that begin so
 */
export function maskMessage(text: string, headers: readonly string[]): string {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const body = end < 0 ? '' : text.slice(end + 4);
  // Unfolded: a masked value must not go on in the next line (RFC 3261 7.3.1).
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const type = lines.map((line) => /^(?:content-type|c)[ \t]*:[ \t]*([^;\s]+)/i.exec(line)?.[1]).find(Boolean) ?? '';
  const masked = lines.map((line, n) => (n === 0 ? line : maskHeader(line, headers)));
  return withoutSecrets(`${masked.join('\r\n')}\r\n\r\n${maskBody(body, type.toLowerCase())}`);
}

function maskHeader(line: string, hidden: readonly string[]): string {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon).trim().toLowerCase();
  if (CREDENTIALS.includes(name)) return `${line.slice(0, colon)}: ${HIDDEN}`;
  const hit = hidden.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one));
  return hit ? `${line.slice(0, colon)}: ${HIDDEN}` : line;
}

function maskBody(body: string, type: string): string {
  if (body === '') return '';
  if (type === 'application/sdp') return body.replace(SDP_KEYS, `$1${HIDDEN}`);
  const sdp = type.startsWith('multipart/') ? /^v=0\r?\n(?:[a-z]=.*\r?\n?)+/m.exec(body)?.[0] : undefined;
  const note = `[${body.length} bytes of ${type || 'no type'}: not kept]`;
  return sdp ? `${sdp.replace(SDP_KEYS, `$1${HIDDEN}`)}${note}` : note;
}
