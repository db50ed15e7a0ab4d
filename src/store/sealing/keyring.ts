import { createHash, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ParleyError, reasonOf } from '../../errors.js';

/** A key of 256 bits. Plain data: it is sent to the threads that write. */
export interface SealingKey {
  /** 16 hexadecimal digits that tell keys apart; nothing of the key can be learnt from them. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

const KEY_BYTES = 32;
const SALT = Buffer.alloc(0);

/** The keys of an installation: the first encrypts, all decrypt. Without any, nothing is encrypted. */
export class Keyring {
  constructor(private readonly keys: readonly SealingKey[]) {}

  /**
   * Reads a key file: 32 bytes a line, in base64 or hexadecimal; empty lines and lines that begin with # do not count.
   *
   * @throws ParleyError PARLEY_ERR_KEY_FILE
   */
  static read(file: string | undefined): Keyring {
    if (file === undefined) return new Keyring([]);
    const fail = (reason: string) => new ParleyError('PARLEY_ERR_KEY_FILE', { file, reason });
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw fail(reasonOf(error));
    }
    const lines = text.split('\n').map((line) => line.trim());
    const keys = lines.flatMap((line, n) => {
      if (line === '' || line.startsWith('#')) return [];
      const bytes = /^[0-9a-f]{64}$/i.test(line) ? Buffer.from(line, 'hex') : Buffer.from(line, 'base64');
      if (bytes.length !== KEY_BYTES) throw fail(`line ${n + 1} is not ${KEY_BYTES} bytes in base64 or hexadecimal`);
      return [{ id: keyId(bytes), bytes }];
    });
    if (keys.length === 0) throw fail('there is no key in it');
    return new Keyring(keys);
  }

  /** What is written is encrypted with this one. */
  get current(): SealingKey | undefined {
    return this.keys[0];
  }

  /**
   * @param what is to be read, for the error
   * @throws ParleyError PARLEY_ERR_KEY_MISSING
   */
  find(id: string, what: string): SealingKey {
    const key = this.keys.find((one) => one.id === id);
    if (!key) throw new ParleyError('PARLEY_ERR_KEY_MISSING', { what, key: id });
    return key;
  }
}

/** The key for one purpose, so that none of them seals so much that nonces could meet (RFC 5869; NIST SP 800-38D 8.3). */
export function derivedKey({ bytes }: Pick<SealingKey, 'bytes'>, purpose: string | Uint8Array): Uint8Array {
  const info = Buffer.concat([Buffer.from('parley '), typeof purpose === 'string' ? Buffer.from(purpose) : purpose]);
  return new Uint8Array(hkdfSync('sha256', bytes, SALT, info, KEY_BYTES));
}

function keyId(bytes: Uint8Array): string {
  return createHash('sha256').update('parley key id ').update(bytes).digest('hex').slice(0, 16);
}
