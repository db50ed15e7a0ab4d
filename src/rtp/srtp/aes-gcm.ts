import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import type { SessionKeys } from './key-derivation.js';
import type { PacketCipher } from './packet-cipher.js';

const TAG = 16;
const OPTIONS = { authTagLength: TAG };

/** AES in Galois/counter mode (RFC 7714): the tag stands right behind what is encrypted, before the word of SRTCP. */
export class AesGcmCipher implements PacketCipher {
  private readonly key: KeyObject;
  private readonly algorithm: 'aes-128-gcm' | 'aes-256-gcm';
  private readonly salt: Buffer;
  private readonly iv = Buffer.alloc(12);
  private readonly word = Buffer.alloc(4);

  constructor(
    keys: SessionKeys,
    private readonly rtcp: boolean,
  ) {
    this.key = createSecretKey(keys.cipher);
    this.algorithm = keys.cipher.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm';
    this.salt = keys.salt;
  }

  seal(bytes: Buffer, start: number, end: number, ssrc: number, index: number, extra: number): void {
    const cipher = createCipheriv(this.algorithm, this.key, this.nonce(ssrc, index), OPTIONS);
    cipher.setAAD(this.associated(bytes, start, extra));
    cipher.update(bytes.subarray(start, end)).copy(bytes, start);
    cipher.final();
    cipher.getAuthTag().copy(bytes, end);
  }

  open(bytes: Buffer, start: number, end: number, ssrc: number, index: number, extra: number): boolean {
    const decipher = createDecipheriv(this.algorithm, this.key, this.nonce(ssrc, index), OPTIONS);
    decipher.setAAD(this.associated(bytes, start, extra));
    decipher.setAuthTag(bytes.subarray(end, end + TAG));
    const plain = decipher.update(bytes.subarray(start, end));
    try {
      decipher.final();
    } catch {
      return false;
    }
    plain.copy(bytes, start);
    return true;
  }

  /** Zeros, SSRC and index over the salt (RFC 7714, 8.1 and 9.1); the index of SRTCP has 31 bits. */
  private nonce(ssrc: number, index: number): Buffer {
    const { iv, salt } = this;
    salt.copy(iv);
    iv.writeUInt32BE((salt.readUInt32BE(2) ^ ssrc) >>> 0, 2);
    iv.writeUInt16BE(salt.readUInt16BE(6) ^ Math.floor(index / 0x1_0000_0000), 6);
    iv.writeUInt32BE((salt.readUInt32BE(8) ^ (index % 0x1_0000_0000)) >>> 0, 8);
    return iv;
  }

  private associated(bytes: Buffer, start: number, extra: number): Buffer {
    const header = bytes.subarray(0, start);
    if (!this.rtcp) return header;
    this.word.writeUInt32BE(extra);
    return Buffer.concat([header, this.word]);
  }
}
