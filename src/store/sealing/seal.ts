import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ParleyError } from '../../errors.js';
import { derivedKey, type Keyring, type SealingKey } from './keyring.js';

/*
 * A sealed value, AES-256-GCM (NIST SP 800-38D): as bytes
 *
 *   0 "PLY1" | 4 key id, 8 bytes | 12 nonce, 12 bytes | 24 ciphertext | tag, 16 bytes
 *
 * and as text "parley1." and these bytes from the key id on in base64url. The key is derived from the configured one for the value's
 * place (a stream, a record, a blob), which is authenticated along with it: a value that is moved, or changed, is refused.
 */

const MAGIC = Buffer.from('PLY1');
const TEXT = 'parley1.';
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where a value lies: the key is made for `place`; `part` tells values of one place apart. */
export interface Place {
  place: string;
  part?: string | number;
}

export function sealBytes(key: SealingKey, where: Place, bytes: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', derivedKey(key, where.place), nonce);
  cipher.setAAD(aadOf(where));
  return Buffer.concat([
    MAGIC,
    Buffer.from(key.id, 'hex'),
    nonce,
    cipher.update(bytes),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

export function sealText(key: SealingKey, where: Place, text: string): string {
  return TEXT + sealBytes(key, where, Buffer.from(text)).toString('base64url', MAGIC.length);
}

export function isSealedText(text: string): boolean {
  return text.startsWith(TEXT);
}

export function isSealedBytes(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, n) => bytes[n] === byte);
}

/** Which key a sealed text needs. */
export function keyIdOf(text: string): string {
  return Buffer.from(text.slice(TEXT.length, TEXT.length + 11), 'base64url').toString('hex', 0, ID_BYTES);
}

/** @throws ParleyError PARLEY_ERR_KEY_MISSING, PARLEY_ERR_SEAL_BROKEN */
export function openBytes(keys: Keyring, where: Place, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const what = where.part === undefined ? where.place : `${where.place}, ${where.part}`;
  const from = MAGIC.length + ID_BYTES;
  const end = bytes.length - TAG_BYTES;
  if (end < from + NONCE_BYTES) throw new ParleyError('PARLEY_ERR_SEAL_BROKEN', { what });
  const key = keys.find(bytes.toString('hex', MAGIC.length, from), what);
  const nonce = bytes.subarray(from, from + NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', derivedKey(key, where.place), nonce);
  decipher.setAAD(aadOf(where));
  decipher.setAuthTag(bytes.subarray(end));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(from + NONCE_BYTES, end)), decipher.final()]);
  } catch (error) {
    throw new ParleyError('PARLEY_ERR_SEAL_BROKEN', { what }, { cause: error });
  }
}

/** @throws ParleyError PARLEY_ERR_KEY_MISSING, PARLEY_ERR_SEAL_BROKEN */
export function openText(keys: Keyring, where: Place, sealed: string): string {
  return openBytes(keys, where, Buffer.concat([MAGIC, Buffer.from(sealed.slice(TEXT.length), 'base64url')])).toString();
}

function aadOf({ place, part = '' }: Place): Buffer {
  return Buffer.from(`${place}\0${part}`);
}
