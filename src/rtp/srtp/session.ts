import { createPacketCipher } from './cipher.js';
import { deriveKeys } from './key-derivation.js';
import type { PacketCipher } from './packet-cipher.js';
import { ReplayWindow } from './replay.js';
import { type SrtpKey, SUITE_FACTS, type SuiteFacts } from './suites.js';

const SEQUENCES = 0x1_0000;
const RTCP_HEADER = 8;
/** Marks the word of SRTCP whose packet is encrypted (RFC 3711, 3.4). */
const ENCRYPTED = 0x8000_0000;
const MAX_INDEX = 0x8000_0000;
/** No datagram of audio is longer, octets. */
const MAX_PACKET = 1500;
/** Streams that one peer may have in time; the eldest is forgotten. */
const MAX_STREAMS = 16;
/** A packet is at most this much longer when it is protected, octets. */
export const SRTP_OVERHEAD = 20;

/** What became of an incoming packet that was not taken. */
export type SrtpFailure = 'malformed' | 'unauthenticated' | 'replayed';

/** Protects one side's outgoing RTP and RTCP (RFC 3711). One key, one sender, as long as the key is in use. */
export class SrtpSender {
  private readonly facts: SuiteFacts;
  private readonly rtp: PacketCipher;
  private readonly rtcp: PacketCipher;
  private readonly indices = new Map<number, number>();
  private rtcpIndex = 0;

  constructor(key: SrtpKey) {
    this.facts = SUITE_FACTS[key.suite];
    const keys = deriveKeys(key);
    this.rtp = createPacketCipher(this.facts, keys.rtp, false);
    this.rtcp = createPacketCipher(this.facts, keys.rtcp, true);
  }

  /** Writes the protected packet to `out`, which has {@link SRTP_OVERHEAD} octets more; returns its length. */
  protectRtp(packet: Uint8Array, out: Buffer): number {
    out.set(packet);
    const start = headerEnd(out, packet.length);
    if (start < 0) return 0;
    const sequence = out.readUInt16BE(2);
    // Signed, it is no garbage; which of the two does not matter here.
    const ssrc = out.readInt32BE(8);
    const last = this.indices.get(ssrc);
    const index = last === undefined ? sequence : following(last, sequence);
    if (last === undefined || index > last) this.indices.set(ssrc, index);
    this.rtp.seal(out, start, packet.length, ssrc, index, rollover(index));
    return packet.length + this.facts.rtpTag;
  }

  /** As {@link protectRtp}, of a compound RTCP packet. */
  protectRtcp(packet: Uint8Array, out: Buffer): number {
    out.set(packet);
    const end = packet.length;
    const index = this.rtcpIndex;
    this.rtcpIndex = (index + 1) % MAX_INDEX;
    const word = (ENCRYPTED | index) >>> 0;
    out.writeUInt32BE(word, this.facts.aead ? end + this.facts.rtcpTag : end);
    this.rtcp.seal(out, RTCP_HEADER, end, out.readUInt32BE(4), index, word);
    return end + this.facts.rtcpTag + 4;
  }
}

/** Checks and decrypts what the peer sends under one key. */
export class SrtpReceiver {
  private readonly facts: SuiteFacts;
  private readonly mki: number;
  private readonly rtp: PacketCipher;
  private readonly rtcp: PacketCipher;
  private readonly rtpWindows = new Map<number, ReplayWindow>();
  private readonly rtcpWindows = new Map<number, ReplayWindow>();
  /** Of a stream that nothing authentic has come of. */
  private spare = new ReplayWindow();

  constructor(key: SrtpKey) {
    this.facts = SUITE_FACTS[key.suite];
    this.mki = key.mki ?? 0;
    const keys = deriveKeys(key);
    this.rtp = createPacketCipher(this.facts, keys.rtp, false);
    this.rtcp = createPacketCipher(this.facts, keys.rtcp, true);
  }

  /** Decrypts in place; returns the length of the plain packet, or what is wrong with it. */
  unprotectRtp(packet: Buffer): number | SrtpFailure {
    const end = packet.length - this.facts.rtpTag - this.mki;
    const start = headerEnd(packet, end);
    if (start < 0 || packet.length > MAX_PACKET) return 'malformed';
    this.dropMki(packet, this.facts.rtpTag);
    const ssrc = packet.readInt32BE(8);
    const window = this.rtpWindows.get(ssrc) ?? this.spare;
    const index = window.indexOf(packet.readUInt16BE(2));
    if (!window.isNew(index)) return 'replayed';
    if (!this.rtp.open(packet, start, end, ssrc, index, rollover(index))) return 'unauthenticated';
    this.accept(this.rtpWindows, ssrc, window, index);
    return end;
  }

  /** As {@link unprotectRtp}, of a compound RTCP packet. */
  unprotectRtcp(packet: Buffer): number | SrtpFailure {
    const { aead, rtcpTag } = this.facts;
    const end = packet.length - rtcpTag - 4 - this.mki;
    if (end < RTCP_HEADER || packet.length > MAX_PACKET) return 'malformed';
    this.dropMki(packet, rtcpTag);
    const ssrc = packet.readUInt32BE(4);
    const word = packet.readUInt32BE(aead ? end + rtcpTag : end);
    const index = word % MAX_INDEX;
    const window = this.rtcpWindows.get(ssrc) ?? this.spare;
    if (!window.isNew(index)) return 'replayed';
    const start = word >= ENCRYPTED ? RTCP_HEADER : end;
    if (!this.rtcp.open(packet, start, end, ssrc, index, word)) return 'unauthenticated';
    this.accept(this.rtcpWindows, ssrc, window, index);
    return end;
  }

  private accept(windows: Map<number, ReplayWindow>, ssrc: number, window: ReplayWindow, index: number): void {
    window.accept(index);
    if (window !== this.spare) return;
    this.spare = new ReplayWindow();
    windows.set(ssrc, window);
    if (windows.size > MAX_STREAMS) windows.delete(windows.keys().next().value ?? ssrc);
  }

  /** Without it the packet is as if there were none: it stands before the tag, or behind everything (RFC 7714, 8.2). */
  private dropMki(packet: Buffer, tag: number): void {
    const { length } = packet;
    if (this.mki > 0 && !this.facts.aead) packet.copyWithin(length - tag - this.mki, length - tag, length);
  }
}

/** Where the payload of RTP begins, which may be nothing; below 0 when the header is cut. */
function headerEnd(packet: Buffer, end: number): number {
  if (end < 12) return -1;
  let start = 12 + 4 * (packet[0]! & 0x0f);
  if (packet[0]! & 0x10) {
    if (start + 4 > end) return -1;
    start += 4 + 4 * packet.readUInt16BE(start + 2);
  }
  return start > end ? -1 : start;
}

function rollover(index: number): number {
  return Math.floor(index / SEQUENCES);
}

/** The index nearest to the last one. Packets of ours are in order, so it wraps forward only. */
function following(last: number, sequence: number): number {
  const previous = last % SEQUENCES;
  const index = last - previous + sequence;
  return previous - sequence > SEQUENCES / 2 ? index + SEQUENCES : index;
}
