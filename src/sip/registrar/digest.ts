/** Digest access authentication (RFC 7616, in SIP RFC 3261 22 and RFC 8760): what both sides compute. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { split } from '../edge/message/headers.js';
import { unquoted } from '../headers/address.js';

/** Hash functions that are offered, by the names of RFC 8760. */
export const ALGORITHMS = ['SHA-256', 'MD5'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

const HASHES = { 'SHA-256': 'sha256', MD5: 'md5' } as const;

/** `Authorization`, as far as it is used. */
export interface Credentials {
  username: string;
  realm: string;
  nonce: string;
  uri: string;
  /** Lower-case hex. */
  response: string;
  algorithm: Algorithm;
  cnonce: string;
  /** The nonce count as written, 8 hex digits. */
  nc: string;
}

/**
 * Reads the credentials of an `Authorization` value; undefined when they are not of the kind that is asked for: Digest
 * with `qop=auth` and a known algorithm (without any: MD5).
 */
export function parseCredentials(value: string): Credentials | undefined {
  const blank = value.search(/\s/);
  if (blank < 0 || value.slice(0, blank).toLowerCase() !== 'digest') return undefined;
  const params = new Map<string, string>();
  for (const part of split(value.slice(blank), ',')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(0, equals)).trim().toLowerCase();
    // A parameter that comes twice is an attempt to be read in two ways.
    if (name === '' || params.has(name)) return undefined;
    params.set(name, unquoted(part.slice(equals + 1).trim()));
  }
  const text = (name: string) => params.get(name) ?? '';
  const wanted = (text('algorithm') || 'MD5').toUpperCase();
  const algorithm = ALGORITHMS.find((known) => known === wanted);
  const nc = text('nc');
  const response = text('response').toLowerCase();
  if (!algorithm || text('qop').toLowerCase() !== 'auth' || !/^[0-9a-f]{8}$/i.test(nc)) return undefined;
  const given = { username: text('username'), realm: text('realm'), nonce: text('nonce'), uri: text('uri') };
  if (Object.values(given).includes('') || text('cnonce') === '' || !/^[0-9a-f]+$/.test(response)) return undefined;
  return { ...given, response, algorithm, cnonce: text('cnonce'), nc };
}

/** H(username:realm:password) in hex (RFC 7616 3.4.2): what is kept instead of a password. */
export function ha1(algorithm: Algorithm, username: string, realm: string, password: string): string {
  return hash(algorithm, `${username}:${realm}:${password}`);
}

/** The response that credentials have to show (RFC 7616 3.4.1). */
export function responseOf(secret: string, method: string, given: Omit<Credentials, 'response'>): string {
  const { algorithm, nonce, nc, cnonce, uri } = given;
  return hash(algorithm, `${secret}:${nonce}:${nc}:${cnonce}:auth:${hash(algorithm, `${method}:${uri}`)}`);
}

/** Whether two hashes are the same, in a time that tells nothing of where they differ. */
export function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function hash(algorithm: Algorithm, text: string): string {
  return createHash(HASHES[algorithm]).update(text).digest('hex');
}
