/*
 * Pages of an Ogg bitstream (RFC 3533). All numbers are little-endian.
 *
 *   0 "OggS" | 4 version 0 | 5 flags | 6 granule position, 64 bits | 14 serial | 18 page number | 22 CRC
 *   26 number of segments | 27 their lengths, one octet each | the packets
 *
 * A packet is laid out in segments of 255 octets and a last one that is shorter.
 */

const HEADER_BYTES = 27;
const MAX_SEGMENTS = 255;
const SEGMENT_BYTES = 255;
/** The longest page there can be. */
export const MAX_OGG_PAGE_BYTES = HEADER_BYTES + MAX_SEGMENTS + MAX_SEGMENTS * SEGMENT_BYTES;
const CAPTURE = [0x4f, 0x67, 0x67, 0x53];
const FLAGS_AT = 5;
const CRC_AT = 22;
const CRC_POLYNOMIAL = 0x04c11db7;
const CRC_TABLE = crcTable();

/** Flags of a page. */
export const OGG_FIRST = 2;
export const OGG_LAST = 4;

/** Lays packets out in pages of one logical bitstream. No packet goes over the end of a page. */
export class OggPages {
  private readonly lengths = new Uint8Array(MAX_SEGMENTS);
  private readonly payload: Uint8Array;
  private segments = 0;
  private filled = 0;
  private number = 0;

  /** @param maxPayload octets of packets that a page holds at most */
  constructor(
    private readonly serial: number,
    maxPayload: number,
  ) {
    this.payload = new Uint8Array(maxPayload);
  }

  /** Most octets that {@link finish} writes. */
  get maxBytes(): number {
    return HEADER_BYTES + MAX_SEGMENTS + this.payload.length;
  }

  /** Whether a packet of so many octets fits on the page. */
  fits(length: number): boolean {
    const segments = Math.floor(length / SEGMENT_BYTES) + 1;
    return this.segments + segments <= MAX_SEGMENTS && this.filled + length <= this.payload.length;
  }

  /** Appends the first `length` octets, which must fit. */
  add(packet: Uint8Array, length: number): void {
    for (let n = 0; n < length; n++) this.payload[this.filled + n] = packet[n]!;
    this.filled += length;
    let rest = length;
    for (; rest >= SEGMENT_BYTES; rest -= SEGMENT_BYTES) this.lengths[this.segments++] = SEGMENT_BYTES;
    this.lengths[this.segments++] = rest;
  }

  /** Forgets the packets of the page. */
  clear(): void {
    this.segments = this.filled = 0;
  }

  /** Writes the page to the beginning of `out` and begins the next; returns its octets. @param granule position at its end */
  finish(out: Uint8Array, granule: number, flags: number): number {
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    out.set(CAPTURE);
    out[4] = 0;
    out[FLAGS_AT] = flags;
    view.setUint32(6, granule % 2 ** 32, true);
    view.setUint32(10, Math.floor(granule / 2 ** 32), true);
    view.setUint32(14, this.serial, true);
    view.setUint32(18, this.number++, true);
    out[26] = this.segments;
    const begin = HEADER_BYTES + this.segments;
    for (let n = 0; n < this.segments; n++) out[HEADER_BYTES + n] = this.lengths[n]!;
    for (let n = 0; n < this.filled; n++) out[begin + n] = this.payload[n]!;
    const length = begin + this.filled;
    seal(out, length);
    this.clear();
    return length;
  }
}

/** A whole page found in a file. */
export interface OggPage {
  /** Octets of its header and packets. */
  length: number;
  granule: number;
  flags: number;
}

/** The page that begins at `start`; undefined when there is none, or not all of it, or it is damaged. */
export function readOggPage(bytes: Uint8Array, start: number): OggPage | undefined {
  if (start + HEADER_BYTES > bytes.length || CAPTURE.some((octet, n) => bytes[start + n] !== octet)) return undefined;
  const segments = bytes[start + 26]!;
  let length = HEADER_BYTES + segments;
  if (start + length > bytes.length) return undefined;
  for (let n = 0; n < segments; n++) length += bytes[start + HEADER_BYTES + n]!;
  if (start + length > bytes.length) return undefined;
  const page = bytes.slice(start, start + length);
  const view = new DataView(page.buffer);
  const crc = view.getUint32(CRC_AT, true);
  seal(page, length);
  if (view.getUint32(CRC_AT, true) !== crc) return undefined;
  return { length, granule: view.getUint32(6, true) + view.getUint32(10, true) * 2 ** 32, flags: page[FLAGS_AT]! };
}

/** Marks a whole page as the last one. */
export function markLastOggPage(page: Uint8Array): void {
  page[FLAGS_AT] = page[FLAGS_AT]! | OGG_LAST;
  seal(page, page.length);
}

/** Writes the checksum of a page, which counts itself as 0. */
function seal(page: Uint8Array, length: number): void {
  for (let n = 0; n < 4; n++) page[CRC_AT + n] = 0;
  let crc = 0;
  for (let n = 0; n < length; n++) crc = (crc << 8) ^ CRC_TABLE[(crc >>> 24) ^ page[n]!]!;
  for (let n = 0; n < 4; n++) page[CRC_AT + n] = crc >>> (8 * n);
}

function crcTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, octet) => {
    let crc = octet << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ CRC_POLYNOMIAL : crc << 1;
    return crc;
  });
}
