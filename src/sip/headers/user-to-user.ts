/**
 * User-to-User (RFC 7433): what a call's other end wants to be known, opaque to the network. Values come as `hex` (the
 * default of ISDN, RFC 7434), and from SBCs and contact centres also as `base64`, as text with percent escapes, quoted.
 */
import { split } from '../edge/message/headers.js';
import { unescaped, unquoted, valuesOf } from './address.js';

/** One value of the header. */
export interface UserToUser {
  readonly bytes: Uint8Array;
  /** The bytes as text, without the protocol discriminator of ISDN; undefined when they are none. */
  readonly text: string | undefined;
  readonly encoding: string;
  readonly purpose: string | undefined;
  readonly content: string | undefined;
}

/** The values that can be read, in their order. */
export function parseUserToUser(value: string): UserToUser[] {
  return valuesOf(value).flatMap((one) => parseOne(one) ?? []);
}

function parseOne(value: string): UserToUser | undefined {
  const [written = '', ...rest] = split(value, ';');
  const params = new Map<string, string>();
  const data: string[] = [written];
  for (const part of rest) {
    const [name = '', ...given] = part.split('=');
    const key = name.trim().toLowerCase();
    // Text of `key=value;key=value` is not quoted by all who send it: what is no parameter of the RFC belongs to it.
    if (['encoding', 'purpose', 'content'].includes(key)) params.set(key, unquoted(given.join('=').trim()));
    else data.push(part);
  }
  const text = data.join(';');
  if (text === '') return undefined;
  const encoding = (params.get('encoding') ?? guessed(text)).toLowerCase();
  const bytes = decode(text, encoding);
  if (!bytes) return undefined;
  return {
    bytes,
    text: textOf(bytes, encoding),
    encoding,
    purpose: params.get('purpose'),
    content: params.get('content'),
  };
}

/** RFC 7433 has no default of its own; hex is what ISDN's package uses. */
function guessed(data: string): string {
  return isHex(data) ? 'hex' : 'text';
}

function isHex(data: string): boolean {
  return data.length % 2 === 0 && /^[0-9A-Fa-f]+$/.test(data);
}

function decode(written: string, encoding: string): Uint8Array | undefined {
  const data = unquoted(written);
  if (encoding === 'hex') return isHex(data) ? Buffer.from(data, 'hex') : undefined;
  if (encoding === 'base64') {
    return /^[A-Za-z0-9+/_-]+={0,2}$/.test(data) ? Buffer.from(data, 'base64') : undefined;
  }
  return Buffer.from(unescaped(data), 'utf8');
}

/** First octet of ISDN's user-user information (Q.931 4.5.30): user-specific protocol, or IA5 characters. */
const DISCRIMINATORS = new Set([0x00, 0x04]);

function textOf(bytes: Uint8Array, encoding: string): string | undefined {
  const isdn = encoding === 'hex' && DISCRIMINATORS.has(bytes[0] ?? -1);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(isdn ? bytes.subarray(1) : bytes);
    return /\p{Cc}/u.test(text.replace(/[\t\r\n]/g, '')) ? undefined : text;
  } catch {
    return undefined;
  }
}
