/*
 * RTP packets (RFC 3550, 5.1):
 *
 *  0                   1                   2                   3
 *  |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *  |                           timestamp                           |
 *  |             synchronisation source (SSRC) identifier          |
 *  |          contributing sources (CC of them), extension         |
 */

/** Octets of a header without contributing sources and extension: all that we ever send. */
export const RTP_HEADER_BYTES = 12;
/** Payload type of comfort noise, the same everywhere (RFC 3389, 4), agreed or not. */
export const COMFORT_NOISE = 13;

/** The fields of one packet, reused from packet to packet; the payload is `datagram[payloadStart..payloadEnd)`. */
export interface RtpFields {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payloadStart: number;
  payloadEnd: number;
}

/** Empty fields to parse into. */
export function rtpFields(): RtpFields {
  return { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 0, payloadStart: 0, payloadEnd: 0 };
}

/** Reads a datagram into `fields`; false when it is not a valid RTP packet. Never throws. */
export function parseRtp(datagram: Uint8Array, fields: RtpFields): boolean {
  const length = datagram.length;
  if (length < RTP_HEADER_BYTES || datagram[0]! >> 6 !== 2) return false;
  const first = datagram[0]!;
  let start = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (start + 4 > length) return false;
    start += 4 + 4 * read16(datagram, start + 2);
  }
  let end = length;
  if (first & 0x20) {
    const padding = datagram[length - 1]!;
    if (padding === 0) return false;
    end -= padding;
  }
  if (start > end) return false;
  fields.payloadType = datagram[1]! & 0x7f;
  fields.marker = (datagram[1]! & 0x80) !== 0;
  fields.sequence = read16(datagram, 2);
  fields.timestamp = read32(datagram, 4);
  fields.ssrc = read32(datagram, 8);
  fields.payloadStart = start;
  fields.payloadEnd = end;
  return true;
}

/** Whether a datagram on the RTP port is RTCP (RFC 5761, 4: packet types 192 to 223). */
export function isRtcp(datagram: Uint8Array): boolean {
  return datagram.length >= 8 && datagram[0]! >> 6 === 2 && datagram[1]! >= 192 && datagram[1]! <= 223;
}

/** Writes a header of {@link RTP_HEADER_BYTES} octets to the beginning of `out`. */
export function writeRtpHeader(
  out: Uint8Array,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  out[0] = 0x80;
  out[1] = (marker ? 0x80 : 0) | payloadType;
  out[2] = sequence >>> 8;
  out[3] = sequence;
  write32(out, 4, timestamp);
  write32(out, 8, ssrc);
}

function read16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function read32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
