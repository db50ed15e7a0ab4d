import { randomBytes } from 'node:crypto';
import type { OpusCoder, OpusLibrary } from '../../audio/opus.js';
import type { PcmRate } from '../../rtp/negotiated.js';
import type { BlockWriter } from './block-writer.js';
import { OGG_FIRST, OGG_LAST, OggPages } from './ogg.js';
import { BLOCK_FRAMES, type Track } from './track.js';

/*
 * Opus in Ogg (RFC 7845). Both channels are streams of their own in one packet (mapping family 1, two streams, none of
 * them coupled), so that nothing of one person's voice leaks into the other's channel. All but the last stream of a packet
 * tell their length (RFC 6716, appendix B). Positions count samples at 48 kHz, whatever the rate is.
 */

/** 20 ms at 48 kHz. */
const FRAME_POSITIONS = 960;
/** What a libopus encoder of speech is late, samples at 48 kHz: 6.5 ms at each rate. Players leave so much out. */
const PRE_SKIP = 312;
const MAX_STREAM_BYTES = 1500;
/** Packets of silence on one page. */
const GAP_FRAMES = 250;
/** Of both channels together: speech takes a tenth of it. */
const MAX_PAGE_BYTES = 16_000;
/** First octet of a packet of one frame of 20 ms, speech of a narrow band (RFC 6716, 3.1). */
const NARROW_20_MS = 0x08;
/** Encodes silence until the encoder has settled. */
const SETTLING_FRAMES = 4;

/** Bytes of a block that holds a page. */
export const OPUS_BLOCK_BYTES = MAX_PAGE_BYTES + 512;

/** An Ogg file of two Opus streams. Where the disk did not keep up, packets of silence stand for the pages left out. */
export class OpusTrack implements Track {
  private readonly left: Channel;
  private readonly right: Channel;
  private readonly pages = new OggPages(randomBytes(4).readUInt32LE(), MAX_PAGE_BYTES);
  private readonly packet = new Uint8Array(2 * MAX_STREAM_BYTES + 4);
  private readonly silence: Uint8Array;
  private readonly none: Int16Array;
  private pageFrames = 0;
  /** Frames handed over, and those that are to be made up for by silence. */
  private frames = 0;
  private missing = 0;
  private position = 0;

  /** @param bitrate of each channel, bit/s */
  constructor(
    library: OpusLibrary,
    rate: PcmRate,
    bitrate: number,
    private readonly writer: BlockWriter,
  ) {
    this.left = new Channel(library, rate, bitrate);
    this.right = new Channel(library, rate, bitrate);
    this.none = new Int16Array(rate / 50);
    this.header(opusHead(rate), OGG_FIRST);
    this.header(opusTags(), 0);
    for (let n = 1; n < SETTLING_FRAMES; n++) this.encode(this.none, this.none);
    this.silence = this.packet.slice(0, this.encode(this.none, this.none));
  }

  frame(left: Int16Array, right: Int16Array): void {
    if (this.writer.dead) return;
    if (this.pageFrames === 0) this.makeUp();
    this.add(this.packet, this.encode(left, right));
    if (this.pageFrames >= BLOCK_FRAMES) this.flush(0);
  }

  gap(frames: number): void {
    if (this.pageFrames > 0) this.flush(0);
    this.missing += frames;
    this.makeUp();
  }

  end(): number {
    if (this.pageFrames > 0) this.flush(0);
    this.makeUp();
    // One frame more brings out what the encoder still holds; the position says where the sound ends.
    const end = this.frames * FRAME_POSITIONS + PRE_SKIP;
    this.add(this.packet, this.encode(this.none, this.none));
    this.flush(OGG_LAST, end);
    return this.position;
  }

  /** Puts silence where sound is missing, as far as the disk takes it. */
  private makeUp(): void {
    while (this.missing > 0 && this.writer.hasRoom) {
      const count = Math.min(GAP_FRAMES, this.missing);
      this.missing -= count;
      for (let n = 0; n < count; n++) this.add(this.silence, this.silence.length);
      if (this.pageFrames > 0) this.flush(0);
    }
  }

  private encode(left: Int16Array, right: Int16Array): number {
    const { packet } = this;
    const length = this.left.encode(left);
    // One frame a packet (code 0 of the first octet): the length of that frame comes after the first octet.
    let at = 0;
    packet[at++] = this.left.bytes[0]!;
    at += writeLength(packet, at, length - 1);
    for (let n = 1; n < length; n++) packet[at++] = this.left.bytes[n]!;
    const last = this.right.encode(right);
    for (let n = 0; n < last; n++) packet[at++] = this.right.bytes[n]!;
    return at;
  }

  private add(packet: Uint8Array, length: number): void {
    if (!this.pages.fits(length)) this.flush(0);
    this.pages.add(packet, length);
    this.pageFrames++;
  }

  private flush(flags: number, granule = (this.frames + this.pageFrames) * FRAME_POSITIONS): void {
    const block = this.writer.acquire();
    if (block) {
      block.position = this.position;
      block.length = this.pages.finish(block.bytes, granule, flags);
      this.position += block.length;
      this.frames += this.pageFrames;
      block.frames = this.frames;
      this.writer.submit(block);
    } else {
      this.missing += this.pageFrames;
      this.pages.clear();
    }
    this.pageFrames = 0;
  }

  /** A header is a page of its own. */
  private header(packet: Uint8Array, flags: number): void {
    this.pages.add(packet, packet.length);
    this.flush(flags, 0);
  }
}

/** One channel's encoder, which always reads from the same memory. */
class Channel {
  readonly bytes = new Uint8Array(MAX_STREAM_BYTES);
  private readonly coder: OpusCoder;
  private readonly pcm: Int16Array;

  constructor(library: OpusLibrary, rate: PcmRate, bitrate: number) {
    this.coder = library.coder(rate, { bitrate, fec: false, dtx: false });
    this.pcm = new Int16Array(rate / 50);
    this.bytes[0] = NARROW_20_MS;
  }

  /** Encodes 20 ms to the beginning of `bytes`; returns the octets: the first alone when there is nothing to tell. */
  encode(pcm: Int16Array): number {
    this.pcm.set(pcm);
    return Math.max(1, this.coder.encode(this.pcm, this.pcm.length, this.bytes, 0));
  }
}

/** Writes a frame's length (RFC 6716, 3.2.1); returns the octets it takes. */
function writeLength(out: Uint8Array, at: number, length: number): number {
  if (length < 252) {
    out[at] = length;
    return 1;
  }
  out[at] = 252 + ((length - 252) & 3);
  out[at + 1] = (length - out[at]!) >> 2;
  return 2;
}

/** RFC 7845, 5.1 */
function opusHead(rate: PcmRate): Uint8Array {
  const head = Buffer.alloc(23);
  head.write('OpusHead');
  head[8] = 1;
  head[9] = 2;
  head.writeUInt16LE(PRE_SKIP, 10);
  head.writeUInt32LE(rate, 12);
  // Family 1, two streams, none coupled, the first one left.
  head.set([1, 2, 0, 0, 1], 18);
  return head;
}

/** RFC 7845, 5.2 */
function opusTags(): Uint8Array {
  const vendor = 'Parley';
  const tags = Buffer.alloc(16 + vendor.length);
  tags.write('OpusTags');
  tags.writeUInt32LE(vendor.length, 8);
  tags.write(vendor, 12);
  return tags;
}
