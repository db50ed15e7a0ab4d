import { createRequire } from 'node:module';
import { reasonOf } from '../errors.js';

/** Parameters of one Opus stream that we send (RFC 7587, 6.1). */
export interface OpusSettings {
  /** bit/s */
  bitrate: number;
  /** Each packet also holds a coarse copy of the one before, for a peer that can use it. */
  fec: boolean;
  /** Nothing is sent while there is silence. */
  dtx: boolean;
}

/** The part of `@discordjs/opus` that is used: libopus with one encoder and one decoder, each made when first needed. */
interface NativeOpus {
  /** A frame of 16-bit PCM. */
  encode(pcm: Buffer): Buffer;
  /** Throws when the packet is damaged. */
  decode(packet: Buffer): Buffer;
  applyEncoderCTL(request: number, value: number): void;
  setBitrate(bitrate: number): void;
}

type NativeOpusClass = new (sampleRate: number, channels: number) => NativeOpus;

/* Requests to the encoder, opus_defines.h. */
const SET_APPLICATION = 4000;
const APPLICATION_VOIP = 2048;
const SET_COMPLEXITY = 4010;
const SET_INBAND_FEC = 4012;
const SET_PACKET_LOSS = 4014;
const SET_DTX = 4016;
const SET_SIGNAL = 4024;
const SIGNAL_VOICE = 3001;

/** Of 0 to 10: 5 takes twice the time, 9 four times. */
const COMPLEXITY = 2;
/** The loss that redundancy is laid out for, %. */
const EXPECTED_LOSS = 10;
/** A packet of so few octets says that nothing needs to be sent (opus.h, opus_encode). */
const DTX_BYTES = 2;
/** 120 ms at the highest rate (RFC 6716, 3.2.5) are far below. */
const MAX_PACKET_BYTES = 1500;

/** Leaves of a packet's first octet all but the number of frames, which becomes one (RFC 6716, 3.1). */
const ONE_FRAME = 0xfc;

const OPUS_PACKAGE = '@discordjs/opus';

/**
 * The native Opus library, which is optional: no prebuilt file may fit this machine, and no compiler may be there. It is
 * loaded when it is first asked for, which takes some 50 ms.
 */
export class OpusLibrary {
  private loaded: { opus: NativeOpusClass } | { reason: string } | undefined;

  /** @param load gives what a package exports; throws when it can't */
  constructor(private readonly load: (name: string) => unknown) {}

  /** Why Opus can't be used; undefined when it can. */
  get problem(): string | undefined {
    const loaded = this.open();
    return 'reason' in loaded ? loaded.reason : undefined;
  }

  /**
   * One stream in either direction.
   *
   * @param sampleRate of the PCM, Hz: 8000, 12000, 16000, 24000 or 48000
   * @throws Error when there is a {@link problem}
   */
  coder(sampleRate: number, settings?: OpusSettings): OpusCoder {
    const loaded = this.open();
    if ('reason' in loaded) throw new Error(loaded.reason);
    return new OpusCoder(new loaded.opus(sampleRate, 1), settings);
  }

  private open(): NonNullable<typeof this.loaded> {
    this.loaded ??= this.tryLoad();
    return this.loaded;
  }

  private tryLoad(): NonNullable<typeof this.loaded> {
    try {
      const found = this.load(OPUS_PACKAGE);
      if (!isOpusPackage(found)) return { reason: `${OPUS_PACKAGE} is not what was expected` };
      // Only a packet made is a proof that the library fits this machine.
      new found.OpusEncoder(16_000, 1).encode(Buffer.alloc(640));
      return { opus: found.OpusEncoder };
    } catch (error) {
      return { reason: reasonOf(error).split('\n')[0] ?? '' };
    }
  }
}

/** The library of this machine. */
export const opusLibrary = new OpusLibrary(createRequire(import.meta.url));

/** Opus (RFC 6716) of speech, mono: an encoder and a decoder, which exist once they are used. */
export class OpusCoder {
  /** The PCM encoded last and the bytes that it lies in: a sender encodes from the same frame again and again. */
  private pcm: Int16Array | undefined;
  private pcmBytes: Buffer = Buffer.alloc(0);
  /** First octet of the packet decoded last: what kind of frames come; -1 before the first. */
  private kind = -1;

  /** @param settings of the encoder, when there is to be one */
  constructor(
    private readonly native: NativeOpus,
    settings: OpusSettings | undefined,
  ) {
    if (settings) configure(native, settings);
  }

  /**
   * Encodes the first `samples` of `pcm`, which are 10, 20, 40 or 60 ms, into `out` at `offset`.
   *
   * @returns the octets written; 0 when nothing needs to be sent
   */
  encode(pcm: Int16Array, samples: number, out: Uint8Array, offset: number): number {
    if (this.pcm !== pcm || this.pcmBytes.length !== 2 * samples) {
      this.pcm = pcm;
      this.pcmBytes = Buffer.from(pcm.buffer, pcm.byteOffset, 2 * samples);
    }
    const packet = this.native.encode(this.pcmBytes);
    if (packet.length <= DTX_BYTES) return 0;
    out.set(packet, offset);
    return packet.length;
  }

  /** Decodes the packet `bytes[start..end)` into the beginning of `out`; returns the samples, 0 of a damaged packet. */
  decode(bytes: Uint8Array, start: number, end: number, out: Int16Array): number {
    // An empty packet would ask the library to make up sound for a loss.
    if (end <= start || end - start > MAX_PACKET_BYTES) return 0;
    const packet = packetOf(end - start);
    for (let n = 0; n < packet.length; n++) packet[n] = bytes[start + n]!;
    const samples = this.decoded(packet, out);
    if (samples > 0) this.kind = packet[0]!;
    return samples;
  }

  /**
   * Makes up for one lost frame, of the kind that came last, into the beginning of `out`: the decoder goes on as it
   * would, fading. A packet of nothing but its first octet says so (RFC 6716, 3.2.1: a frame of no length).
   *
   * @returns the samples, 0 when no packet has come yet
   */
  conceal(out: Int16Array): number {
    if (this.kind < 0) return 0;
    const packet = packetOf(1);
    packet[0] = this.kind & ONE_FRAME;
    return this.decoded(packet, out);
  }

  private decoded(packet: Buffer, out: Int16Array): number {
    try {
      const pcm = this.native.decode(packet);
      const samples = Math.min(pcm.length >> 1, out.length);
      for (let n = 0; n < samples; n++) out[n] = pcm[2 * n]! | (pcm[2 * n + 1]! << 8);
      return samples;
    } catch {
      return 0;
    }
  }
}

/** Where packets lie for the library, and a view of each length: a view a packet would be garbage. */
const packetBytes = Buffer.alloc(MAX_PACKET_BYTES);
const packets: Buffer[] = [];

function packetOf(length: number): Buffer {
  let packet = packets[length];
  if (!packet) {
    packet = packetBytes.subarray(0, length);
    packets[length] = packet;
  }
  return packet;
}

function configure(native: NativeOpus, { bitrate, fec, dtx }: OpusSettings): void {
  // Before anything else: it is fixed with the first frame.
  native.applyEncoderCTL(SET_APPLICATION, APPLICATION_VOIP);
  native.applyEncoderCTL(SET_SIGNAL, SIGNAL_VOICE);
  native.applyEncoderCTL(SET_COMPLEXITY, COMPLEXITY);
  native.applyEncoderCTL(SET_INBAND_FEC, fec ? 1 : 0);
  native.applyEncoderCTL(SET_PACKET_LOSS, fec ? EXPECTED_LOSS : 0);
  native.applyEncoderCTL(SET_DTX, dtx ? 1 : 0);
  native.setBitrate(bitrate);
}

function isOpusPackage(found: unknown): found is { OpusEncoder: NativeOpusClass } {
  return (
    typeof found === 'object' && found !== null && 'OpusEncoder' in found && typeof found.OpusEncoder === 'function'
  );
}
