import { createCipheriv } from 'node:crypto';
import { type SrtpKey, SUITE_FACTS } from './suites.js';

/** Keys of one kind of packets, from one master key. */
export interface SessionKeys {
  cipher: Buffer;
  /** Of no use to an AEAD suite. */
  auth: Buffer;
  salt: Buffer;
}

const RTP_LABELS = { cipher: 0, auth: 1, salt: 2 };
const RTCP_LABELS = { cipher: 3, auth: 4, salt: 5 };
const AUTH_BYTES = 20;
/** A salt of the AEAD suites counts as one of this length (RFC 7714, erratum 4938). */
const KDF_SALT_BYTES = 14;

/** Session keys of RTP and RTCP (RFC 3711, 4.3 with a key derivation rate of 0; RFC 6188 for AES-256). */
export function deriveKeys({ suite, inline }: SrtpKey): { rtp: SessionKeys; rtcp: SessionKeys } {
  const { key, salt } = SUITE_FACTS[suite];
  const master = Buffer.from(inline, 'base64');
  const derive = (labels: typeof RTP_LABELS): SessionKeys => ({
    cipher: pseudoRandom(master.subarray(0, key), master.subarray(key), labels.cipher, key),
    auth: pseudoRandom(master.subarray(0, key), master.subarray(key), labels.auth, AUTH_BYTES),
    salt: pseudoRandom(master.subarray(0, key), master.subarray(key), labels.salt, salt),
  });
  return { rtp: derive(RTP_LABELS), rtcp: derive(RTCP_LABELS) };
}

/** AES-CM as a generator (RFC 3711, 4.3.3). */
function pseudoRandom(key: Buffer, salt: Buffer, label: number, octets: number): Buffer {
  const counter = Buffer.alloc(16);
  salt.copy(counter, 0, 0, KDF_SALT_BYTES);
  counter[7] = counter[7]! ^ label;
  return createCipheriv(`aes-${key.length * 8}-ctr`, key, counter).update(Buffer.alloc(octets));
}
