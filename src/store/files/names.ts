import { createHash } from 'node:crypto';
import { ParleyError } from '../../errors.js';

/** File systems take 255 bytes; the rest is for endings. */
const MAX_BYTES = 200;

/**
 * A key as a file name, reversibly: everything but letters, digits, `-` and `_` as `%XX`, the dot too, so that what
 * follows the first dot of a file name is ours.
 *
 * @throws ParleyError `PARLEY_ERR_STORE_NAME` when the file name would be longer than file systems take
 */
export function fileName(key: string): string {
  const name = escaped(key);
  if (name.length > MAX_BYTES || name === '') throw new ParleyError('PARLEY_ERR_STORE_NAME', { name: key });
  return name;
}

/** The key of a file name that {@link fileName} made. */
export function keyOf(name: string): string {
  return decodeURIComponent(name);
}

/** A file name for a key of any length; the end of a long one is replaced by a digest. */
export function digestedName(key: string): string {
  const name = escaped(key);
  if (name.length <= MAX_BYTES && name !== '') return name;
  return `${name.slice(0, 100)}-${createHash('sha256').update(key).digest('hex')}`;
}

function escaped(key: string): string {
  return encodeURIComponent(key).replace(/[.!~*'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
