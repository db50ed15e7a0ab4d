import { createHmac, timingSafeEqual } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { crc32 } from './crc32.js';

/*
 * STUN (RFC 8489, 5):
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |0 0|     STUN Message Type     |         Message Length        |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                         Magic Cookie                          |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                     Transaction ID (96 bits)                  |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

const HEADER = 20;
const COOKIE = 0x2112a442;
/** XORed over the checksum, so that it is not taken for another protocol's (RFC 8489, 14.7). */
const FINGERPRINT_XOR = 0x5354554e;
const INTEGRITY_BYTES = 20;

/** Message types of the Binding method. */
export const BINDING = { request: 0x0001, success: 0x0101, error: 0x0111 } as const;

/** Attribute types that checks of ICE use (RFC 8489, 18.3; RFC 8445, 20.1). */
export const ATTRIBUTE = {
  username: 0x0006,
  integrity: 0x0008,
  errorCode: 0x0009,
  unknown: 0x000a,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  controlled: 0x8029,
  controlling: 0x802a,
} as const;

/** A STUN message that was read; attributes by type, the first of each. */
export interface StunMessage {
  type: number;
  /** 12 octets. */
  transaction: Buffer;
  attributes: ReadonlyMap<number, Buffer>;
  /** Whether MESSAGE-INTEGRITY is there and was made with this password. */
  hasIntegrity(password: string): boolean;
}

/** Reads a message; undefined when it is none, or its FINGERPRINT is wrong. */
export function parseStun(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < HEADER || bytes.length % 4 !== 0 || bytes[0]! > 3) return undefined;
  if (bytes.readUInt32BE(4) !== COOKIE || bytes.readUInt16BE(2) !== bytes.length - HEADER) return undefined;
  const attributes = new Map<number, Buffer>();
  let integrityAt = -1;
  for (let at = HEADER; at < bytes.length; ) {
    const type = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2);
    if (at + 4 + length > bytes.length) return undefined;
    if (type === ATTRIBUTE.fingerprint && !isFingerprint(bytes, at)) return undefined;
    // What follows the integrity is not covered by it (RFC 8489, 14.5), but for the fingerprint.
    if (integrityAt < 0 && !attributes.has(type)) attributes.set(type, bytes.subarray(at + 4, at + 4 + length));
    if (type === ATTRIBUTE.integrity && integrityAt < 0) integrityAt = at;
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return {
    type: bytes.readUInt16BE(0),
    transaction: bytes.subarray(8, HEADER),
    attributes,
    hasIntegrity: (password) => {
      const given = attributes.get(ATTRIBUTE.integrity);
      return given?.length === INTEGRITY_BYTES && timingSafeEqual(given, integrityOf(bytes, integrityAt, password));
    },
  };
}

function isFingerprint(bytes: Buffer, at: number): boolean {
  return at + 8 === bytes.length && bytes.readUInt32BE(at + 4) === (crc32(bytes, at) ^ FINGERPRINT_XOR) >>> 0;
}

/** Of what stands before `at`, with a length as if the message ended behind the attribute. */
function integrityOf(bytes: Buffer, at: number, password: string): Buffer {
  const covered = Buffer.from(bytes.subarray(0, at));
  covered.writeUInt16BE(at + 4 + INTEGRITY_BYTES - HEADER, 2);
  return createHmac('sha1', password).update(covered).digest();
}

/** Writes a message with FINGERPRINT, and with MESSAGE-INTEGRITY before it when there is a password. */
export function writeStun(
  type: number,
  transaction: Uint8Array,
  attributes: readonly (readonly [type: number, value: Uint8Array])[],
  password?: string,
): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(type);
  header.writeUInt32BE(COOKIE, 4);
  header.set(transaction, 8);
  let message = Buffer.concat([header, ...attributes.map(([kind, value]) => attribute(kind, value))]);
  if (password !== undefined) {
    const integrity = integrityOf(message, message.length, password);
    message = Buffer.concat([message, attribute(ATTRIBUTE.integrity, integrity)]);
  }
  const whole = Buffer.concat([message, attribute(ATTRIBUTE.fingerprint, Buffer.alloc(4))]);
  whole.writeUInt16BE(whole.length - HEADER, 2);
  whole.writeUInt32BE((crc32(whole, message.length) ^ FINGERPRINT_XOR) >>> 0, message.length + 4);
  return whole;
}

function attribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16BE(type);
  bytes.writeUInt16BE(value.length, 2);
  bytes.set(value, 4);
  return bytes;
}

/** Value of XOR-MAPPED-ADDRESS (RFC 8489, 14.2). */
export function xorMappedAddress(address: string, port: number, transaction: Uint8Array): Buffer {
  const octets = addressOctets(address);
  const value = Buffer.alloc(4 + octets.length);
  value[1] = octets.length === 4 ? 1 : 2;
  value.writeUInt16BE(port ^ (COOKIE >>> 16), 2);
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(COOKIE);
  mask.set(transaction, 4);
  for (let n = 0; n < octets.length; n++) value[4 + n] = octets[n]! ^ mask[n]!;
  return value;
}

function addressOctets(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  const plain = address.split('%')[0] ?? '';
  const octets = new Uint8Array(16);
  if (!isIPv6(plain)) return octets;
  const [head = '', tail] = plain.split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  octets.set(before);
  octets.set(after, 16 - after.length);
  return octets;
}

/** Octets of colon-separated groups; the last may be an IPv4 address. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
