import { type Cipher, createCipheriv, timingSafeEqual } from 'node:crypto';
import { HmacSha1 } from './hmac-sha1.js';
import type { SessionKeys } from './key-derivation.js';
import type { PacketCipher } from './packet-cipher.js';

const BLOCK = 16;
/** Enough for any datagram of 1500 octets. */
const MAX_BLOCKS = 94;

/**
 * AES counter mode with HMAC-SHA1 (RFC 3711, 4.1.1 and 4.2.1). A cipher object of node:crypto cannot be given another
 * counter, and making one for each packet costs more than the packet; so the counter blocks are written here and
 * encrypted by one AES-ECB object that lives as long as the key: one update per packet.
 */
export class AesCmCipher implements PacketCipher {
  private readonly ecb: Cipher;
  private readonly auth: HmacSha1;
  private readonly salt: Buffer;
  private readonly counters = Buffer.alloc(MAX_BLOCKS * BLOCK);
  /** The first n blocks of `counters`, so that no packet needs a view of its own. */
  private readonly firstCounters: readonly Buffer[];
  private readonly tag = Buffer.alloc(20);
  private readonly expected: Buffer;
  private readonly received: Buffer;

  constructor(
    keys: SessionKeys,
    private readonly tagBytes: number,
    private readonly rtcp: boolean,
  ) {
    this.ecb = createCipheriv(`aes-${keys.cipher.length * 8}-ecb`, keys.cipher, null).setAutoPadding(false);
    this.auth = new HmacSha1(keys.auth);
    this.salt = keys.salt;
    this.firstCounters = Array.from({ length: MAX_BLOCKS + 1 }, (_, n) => this.counters.subarray(0, n * BLOCK));
    for (let n = 0; n < MAX_BLOCKS; n++) {
      this.salt.copy(this.counters, n * BLOCK, 0, 4);
      this.counters[n * BLOCK + BLOCK - 1] = n;
    }
    this.expected = this.tag.subarray(0, tagBytes);
    this.received = Buffer.alloc(tagBytes);
  }

  seal(bytes: Buffer, start: number, end: number, ssrc: number, index: number, extra: number): void {
    this.crypt(bytes, start, end, ssrc, index);
    this.auth.sign(bytes, end, extra, this.tag);
    this.tag.copy(bytes, this.rtcp ? end + 4 : end, 0, this.tagBytes);
  }

  open(bytes: Buffer, start: number, end: number, ssrc: number, index: number, extra: number): boolean {
    const at = this.rtcp ? end + 4 : end;
    bytes.copy(this.received, 0, at, at + this.tagBytes);
    this.auth.sign(bytes, end, extra, this.tag);
    if (!timingSafeEqual(this.expected, this.received)) return false;
    this.crypt(bytes, start, end, ssrc, index);
    return true;
  }

  private crypt(bytes: Buffer, start: number, end: number, ssrc: number, index: number): void {
    const blocks = Math.ceil((end - start) / BLOCK);
    if (blocks === 0) return;
    this.count(blocks, ssrc, index);
    const stream = this.ecb.update(this.firstCounters[blocks]!);
    for (let n = start, k = 0; n < end; n++, k++) bytes[n] = bytes[n]! ^ stream[k]!;
  }

  /** Writes the initial value into each block: salt, SSRC and index, each in its place (RFC 3711, 4.1.1). */
  private count(blocks: number, ssrc: number, index: number): void {
    const { counters, salt } = this;
    counters.writeUInt32BE((salt.readUInt32BE(4) ^ ssrc) >>> 0, 4);
    counters.writeUInt16BE(salt.readUInt16BE(8) ^ Math.floor(index / 0x1_0000_0000), 8);
    counters.writeUInt32BE((salt.readUInt32BE(10) ^ (index % 0x1_0000_0000)) >>> 0, 10);
    for (let n = 1; n < blocks; n++) {
      for (let k = 4; k < BLOCK - 2; k++) counters[n * BLOCK + k] = counters[k]!;
    }
  }
}
