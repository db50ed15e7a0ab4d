/*
 * RTCP packets (RFC 3550, 6). A datagram holds one or several, each of whole 32-bit words:
 *
 *  |V=2|P| count   |      PT       |   length in words, minus one  |
 *
 *  SR  200  | SSRC | NTP time (2) | RTP timestamp | packets | octets | report blocks |
 *  RR  201  | SSRC | report blocks |
 *  SDES 202 | chunks: SSRC, items (type, length, text), ended by zero and filled to a word |
 *  BYE 203  | SSRCs | length, reason |
 *
 *  A report block:
 *  | SSRC | fraction lost (8), lost (24, signed) | extended highest sequence | jitter | LSR | DLSR |
 */

/** How one source is received (RFC 3550, 6.4.1). */
export interface ReportBlock {
  ssrc: number;
  /** Of the packets since the report before, 0 to 1. */
  fractionLost: number;
  /** Packets since the beginning; below zero when more came than were sent, by duplicates. */
  lost: number;
  /** With the wraps in the upper 16 bits. */
  highestSequence: number;
  /** Interarrival jitter, in units of the RTP clock. */
  jitter: number;
  /** Middle 32 bits of the NTP time of the last sender report; 0 for none. */
  lastReport: number;
  /** Between that report's arrival and this block, in 1/65536 s. */
  sinceLastReport: number;
}

/** What a sender says of itself. */
export interface SenderInfo {
  /** NTP time, s since 1900 and their fraction in 1/2^32 s. */
  ntpSeconds: number;
  ntpFraction: number;
  rtpTimestamp: number;
  packets: number;
  octets: number;
}

/** One packet of a datagram. Other types than these are skipped. */
export type RtcpPacket =
  | { type: 'sr'; ssrc: number; sender: SenderInfo; reports: ReportBlock[] }
  | { type: 'rr'; ssrc: number; reports: ReportBlock[] }
  | { type: 'sdes'; chunks: { ssrc: number; cname: string | undefined }[] }
  | { type: 'bye'; ssrcs: number[]; reason: string | undefined };

const SR = 200;
const RR = 201;
const SDES = 202;
const BYE = 203;
const CNAME = 1;
const BLOCK_BYTES = 24;
const SENDER_BYTES = 20;
const text = new TextDecoder();

/**
 * Reads a datagram, compound or of reduced size (RFC 5506); undefined when anything in it contradicts itself. Never
 * throws.
 */
export function parseRtcp(datagram: Uint8Array): RtcpPacket[] | undefined {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const packets: RtcpPacket[] = [];
  let at = 0;
  while (at < datagram.length) {
    const end = packetEnd(view, at);
    if (end === undefined) return undefined;
    const padding = paddingOf(view, at, end);
    if (padding === undefined) return undefined;
    const packet = parsePacket(view, at, end - padding);
    if (packet === undefined) return undefined;
    if (packet !== 'other') packets.push(packet);
    at = end;
  }
  return at > 0 ? packets : undefined;
}

function packetEnd(view: DataView, at: number): number | undefined {
  if (at + 4 > view.byteLength || view.getUint8(at) >> 6 !== 2) return undefined;
  const type = view.getUint8(at + 1);
  const end = at + 4 + 4 * view.getUint16(at + 2);
  return type >= 192 && type <= 223 && end <= view.byteLength ? end : undefined;
}

/** Only the last packet of a datagram may be padded, by whole words (RFC 3550, 6.4.1). */
function paddingOf(view: DataView, at: number, end: number): number | undefined {
  if ((view.getUint8(at) & 0x20) === 0) return 0;
  const padding = view.getUint8(end - 1);
  return end === view.byteLength && padding > 0 && padding % 4 === 0 && padding <= end - at - 4 ? padding : undefined;
}

function parsePacket(view: DataView, at: number, end: number): RtcpPacket | 'other' | undefined {
  const count = view.getUint8(at) & 0x1f;
  switch (view.getUint8(at + 1)) {
    case SR:
      return parseSenderReport(view, at, end, count);
    case RR: {
      if (at + 8 + count * BLOCK_BYTES > end) return undefined;
      return { type: 'rr', ssrc: view.getUint32(at + 4), reports: parseReports(view, at + 8, count) };
    }
    case SDES:
      return parseDescription(view, at + 4, end, count);
    case BYE:
      return parseBye(view, at, end, count);
    default:
      return 'other';
  }
}

function parseSenderReport(view: DataView, at: number, end: number, count: number): RtcpPacket | undefined {
  if (at + 8 + SENDER_BYTES + count * BLOCK_BYTES > end) return undefined;
  const sender: SenderInfo = {
    ntpSeconds: view.getUint32(at + 8),
    ntpFraction: view.getUint32(at + 12),
    rtpTimestamp: view.getUint32(at + 16),
    packets: view.getUint32(at + 20),
    octets: view.getUint32(at + 24),
  };
  const reports = parseReports(view, at + 8 + SENDER_BYTES, count);
  return { type: 'sr', ssrc: view.getUint32(at + 4), sender, reports };
}

function parseReports(view: DataView, from: number, count: number): ReportBlock[] {
  return Array.from({ length: count }, (_, n) => {
    const at = from + n * BLOCK_BYTES;
    return {
      ssrc: view.getUint32(at),
      fractionLost: view.getUint8(at + 4) / 256,
      // 24 bits with a sign.
      lost: (view.getInt32(at + 4) << 8) >> 8,
      highestSequence: view.getUint32(at + 8),
      jitter: view.getUint32(at + 12),
      lastReport: view.getUint32(at + 16),
      sinceLastReport: view.getUint32(at + 20),
    };
  });
}

function parseDescription(view: DataView, from: number, end: number, count: number): RtcpPacket | undefined {
  const chunks: { ssrc: number; cname: string | undefined }[] = [];
  let at = from;
  for (let n = 0; n < count; n++) {
    if (at + 8 > end) return undefined;
    const chunk = { ssrc: view.getUint32(at), cname: undefined as string | undefined };
    at += 4;
    while (view.getUint8(at) !== 0) {
      const length = at + 1 < end ? view.getUint8(at + 1) : end;
      // The zero that ends the list must have room, too.
      if (at + 2 + length >= end) return undefined;
      if (view.getUint8(at) === CNAME) chunk.cname = textOf(view, at + 2, length);
      at += 2 + length;
    }
    at = from + ((at - from) & ~3) + 4;
    chunks.push(chunk);
  }
  return { type: 'sdes', chunks };
}

function parseBye(view: DataView, at: number, end: number, count: number): RtcpPacket | undefined {
  const after = at + 4 + 4 * count;
  if (after > end) return undefined;
  const ssrcs = Array.from({ length: count }, (_, n) => view.getUint32(at + 4 + 4 * n));
  if (after === end) return { type: 'bye', ssrcs, reason: undefined };
  const length = view.getUint8(after);
  return after + 1 + length > end ? undefined : { type: 'bye', ssrcs, reason: textOf(view, after + 1, length) };
}

function textOf(view: DataView, at: number, length: number): string {
  return text.decode(new Uint8Array(view.buffer, view.byteOffset + at, length));
}

/** Writes a sender report, or without `sender` a receiver report, at `at`; returns where it ends. */
export function writeReport(
  out: DataView,
  at: number,
  ssrc: number,
  sender: SenderInfo | undefined,
  reports: readonly ReportBlock[],
): number {
  const end = at + 8 + (sender ? SENDER_BYTES : 0) + reports.length * BLOCK_BYTES;
  writeHead(out, at, reports.length, sender ? SR : RR, end);
  out.setUint32(at + 4, ssrc);
  let to = at + 8;
  if (sender) {
    out.setUint32(to, sender.ntpSeconds);
    out.setUint32(to + 4, sender.ntpFraction);
    out.setUint32(to + 8, sender.rtpTimestamp);
    out.setUint32(to + 12, sender.packets);
    out.setUint32(to + 16, sender.octets);
    to += SENDER_BYTES;
  }
  for (const report of reports) {
    writeBlock(out, to, report);
    to += BLOCK_BYTES;
  }
  return end;
}

function writeBlock(out: DataView, at: number, report: ReportBlock): void {
  const lost = Math.max(-0x80_0000, Math.min(0x7f_ffff, report.lost));
  out.setUint32(at, report.ssrc);
  out.setInt32(at + 4, lost & 0xff_ffff);
  out.setUint8(at + 4, Math.max(0, Math.min(255, Math.floor(report.fractionLost * 256))));
  out.setUint32(at + 8, report.highestSequence);
  out.setUint32(at + 12, report.jitter);
  out.setUint32(at + 16, report.lastReport);
  out.setUint32(at + 20, report.sinceLastReport);
}

/** Writes who a source is, `cname` in ASCII and of at most 255 octets; returns where it ends. */
export function writeDescription(out: DataView, at: number, ssrc: number, cname: string): number {
  // At least one zero ends the items, and zeros fill the word.
  const end = at + 8 + ((2 + cname.length + 4) & ~3);
  writeHead(out, at, 1, SDES, end);
  out.setUint32(at + 4, ssrc);
  out.setUint8(at + 8, CNAME);
  out.setUint8(at + 9, cname.length);
  for (let n = 0; n < cname.length; n++) out.setUint8(at + 10 + n, cname.charCodeAt(n) & 0x7f);
  for (let n = at + 10 + cname.length; n < end; n++) out.setUint8(n, 0);
  return end;
}

/** Writes that a source leaves; returns where it ends. */
export function writeBye(out: DataView, at: number, ssrc: number): number {
  writeHead(out, at, 1, BYE, at + 8);
  out.setUint32(at + 4, ssrc);
  return at + 8;
}

function writeHead(out: DataView, at: number, count: number, type: number, end: number): void {
  out.setUint8(at, 0x80 | count);
  out.setUint8(at + 1, type);
  out.setUint16(at + 2, (end - at) / 4 - 1);
}
