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
  /** When it came, ms monotonic: {@link parseRtp} leaves it alone. Handed on in here, since a number a call would be garbage. */
  at: number;
}

/** Empty fields to parse into. */
export function rtpFields(): RtpFields {
  return { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 0, payloadStart: 0, payloadEnd: 0, at: 0 };
}

/** Reads the first `length` octets of a datagram into `fields`; false when they are not a valid RTP packet. Never throws. */
export function parseRtp(datagram: Uint8Array, fields: RtpFields, length = datagram.length): boolean {
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
  // Written out: what a function returns above 2^31 would be garbage a packet.
  fields.timestamp = ((datagram[4]! << 24) | (datagram[5]! << 16) | (datagram[6]! << 8) | datagram[7]!) >>> 0;
  fields.ssrc = ((datagram[8]! << 24) | (datagram[9]! << 16) | (datagram[10]! << 8) | datagram[11]!) >>> 0;
  fields.payloadStart = start;
  fields.payloadEnd = end;
  return true;
}

/** Whether a datagram on the RTP port is RTCP (RFC 5761, 4: packet types 192 to 223). */
export function isRtcp(datagram: Uint8Array): boolean {
  return datagram.length >= 8 && datagram[0]! >> 6 === 2 && datagram[1]! >= 192 && datagram[1]! <= 223;
}

/** What a header of ours says. */
export type RtpHeader = Pick<RtpFields, 'payloadType' | 'marker' | 'sequence' | 'timestamp' | 'ssrc'>;

/** Writes a header of {@link RTP_HEADER_BYTES} octets to the beginning of `out`. */
export function writeRtp(out: Uint8Array, header: RtpHeader): void {
  const { timestamp, ssrc } = header;
  out[0] = 0x80;
  out[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  out[2] = header.sequence >>> 8;
  out[3] = header.sequence;
  out[4] = timestamp >>> 24;
  out[5] = timestamp >>> 16;
  out[6] = timestamp >>> 8;
  out[7] = timestamp;
  out[8] = ssrc >>> 24;
  out[9] = ssrc >>> 16;
  out[10] = ssrc >>> 8;
  out[11] = ssrc;
}

/** {@link writeRtp} of fields that lie nowhere together. */
export function writeRtpHeader(
  out: Uint8Array,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  writeRtp(out, { payloadType, marker, sequence, timestamp, ssrc });
}

function read16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
