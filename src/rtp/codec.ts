import { A_LAW, decodeG711, encodeG711, type G711Law, MU_LAW } from '../audio/g711.js';
import { G722Decoder, G722Encoder } from '../audio/g722.js';
import { Doubler, Halver } from '../audio/octave.js';
import { type OpusLibrary, type OpusSettings, opusLibrary } from '../audio/opus.js';
import type { Logger } from '../telemetry/log.js';
import type { CodecName, PcmRate } from './negotiated.js';

/** A voice codec in RTP: how payloads become PCM and back. One instance serves one direction of one leg. */
export interface Codec {
  readonly name: CodecName;
  /** RTP clock, Hz (RFC 3551, table 4; RFC 7587, 4.1). */
  readonly clockRate: number;
  /** Rate of the PCM, Hz. */
  readonly sampleRate: number;
  /** Decodes the payload `bytes[start..end)` into the beginning of `out`; returns the samples written. */
  decode(bytes: Uint8Array, start: number, end: number, out: Int16Array): number;
  /**
   * Makes up one lost frame into the beginning of `out`, where the codec can do so by itself: to be called in place of
   * {@link decode}. Returns the samples, 0 when nothing has been decoded yet.
   */
  conceal?(out: Int16Array): number;
  /** Encodes the first `samples` of `pcm` into `out` at `offset`; returns the octets written, 0 when none need be sent. */
  encode(pcm: Int16Array, samples: number, out: Uint8Array, offset: number): number;
}

/** What every telephone speaks, when nothing that is configured can be used. */
const LAST_RESORT: readonly CodecName[] = ['PCMU', 'PCMA'];

/** Those of the configured codecs that this machine can do; what it can't is told once, in the log. */
export function usableCodecs(
  configured: readonly CodecName[],
  logger: Pick<Logger, 'warn'>,
  library: Pick<OpusLibrary, 'problem'> = opusLibrary,
): readonly CodecName[] {
  if (!configured.includes('opus') || library.problem === undefined) return configured;
  logger.warn({ reason: library.problem }, 'Opus cannot be loaded: calls go on with the other codecs of rtp.codecs');
  const others = configured.filter((name) => name !== 'opus');
  return others.length > 0 ? others : LAST_RESORT;
}

/** Most samples of one packet at 8 kHz: what comes is cut to it. */
const MAX_SAMPLES = 4096;
/** PCM between a codec and a leg of different rates; used within one call only. */
const between = new Int16Array(MAX_SAMPLES);

/**
 * A codec whose PCM is at the leg's rate: Opus speaks any, the others are converted when theirs is another.
 *
 * @throws Error for Opus where its library can't be loaded
 */
export function createCodec(name: CodecName, sampleRate: PcmRate, opus?: OpusSettings): Codec {
  const codec = nativeCodec(name, sampleRate, opus);
  if (codec.sampleRate === sampleRate) return codec;
  return sampleRate === 16_000 ? widened(codec) : narrowed(codec);
}

function nativeCodec(name: CodecName, sampleRate: PcmRate, settings?: OpusSettings): Codec {
  switch (name) {
    case 'PCMU':
      return g711(name, MU_LAW);
    case 'PCMA':
      return g711(name, A_LAW);
    case 'G722':
      return g722();
    case 'opus':
      return opus(sampleRate, settings);
  }
}

function g711(name: CodecName, law: G711Law): Codec {
  return {
    name,
    clockRate: 8000,
    sampleRate: 8000,
    decode: (bytes, start, end, out) => decodeG711(law, bytes, start, end, out),
    encode(pcm, samples, out, offset) {
      encodeG711(law, pcm, samples, out, offset);
      return samples;
    },
  };
}

/** Its RTP clock is 8 kHz though its sound is 16: an old mistake that was kept (RFC 3551, 4.5.2). */
function g722(): Codec {
  const decoder = new G722Decoder();
  const encoder = new G722Encoder();
  return {
    name: 'G722',
    clockRate: 8000,
    sampleRate: 16_000,
    decode: (bytes, start, end, out) => decoder.decode(bytes, start, end, out),
    encode: (pcm, samples, out, offset) => encoder.encode(pcm, samples, out, offset),
  };
}

function opus(sampleRate: PcmRate, settings?: OpusSettings): Codec {
  const coder = opusLibrary.coder(sampleRate, settings);
  return {
    name: 'opus',
    clockRate: 48_000,
    sampleRate,
    decode: (bytes, start, end, out) => coder.decode(bytes, start, end, out),
    conceal: (out) => coder.conceal(out),
    encode: (pcm, samples, out, offset) => coder.encode(pcm, samples, out, offset),
  };
}

/** An 8 kHz codec on a leg of 16 kHz. */
function widened(codec: Codec): Codec {
  const [doubler, halver] = [new Doubler(), new Halver()];
  return {
    ...codec,
    sampleRate: 16_000,
    decode: (bytes, start, end, out) => doubler.process(between, codec.decode(bytes, start, end, between), out),
    encode: (pcm, samples, out, offset) => codec.encode(between, halver.process(pcm, samples, between), out, offset),
  };
}

/** A 16 kHz codec on a leg of 8 kHz. */
function narrowed(codec: Codec): Codec {
  const [doubler, halver] = [new Doubler(), new Halver()];
  return {
    ...codec,
    sampleRate: 8000,
    decode: (bytes, start, end, out) => halver.process(between, codec.decode(bytes, start, end, between), out),
    encode: (pcm, samples, out, offset) => codec.encode(between, doubler.process(pcm, samples, between), out, offset),
  };
}
