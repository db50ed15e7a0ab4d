import { A_LAW, decodeG711, encodeG711, type G711Law, MU_LAW } from '../audio/g711.js';
import type { CodecName } from './negotiated.js';

/** A voice codec in RTP: where it stands in SDP, and how payloads become PCM and back. One instance serves one leg. */
export interface Codec {
  readonly name: CodecName;
  /** RTP clock, Hz (RFC 3551, table 4). */
  readonly clockRate: number;
  /** Rate of the PCM, Hz. */
  readonly sampleRate: number;
  /** Decodes the payload `bytes[start..end)` into the beginning of `out`; returns the samples written. */
  decode(bytes: Uint8Array, start: number, end: number, out: Int16Array): number;
  /** Encodes the first `samples` of `pcm` into `out` at `offset`; returns the octets written. */
  encode(pcm: Int16Array, samples: number, out: Uint8Array, offset: number): number;
}

/** What SDP says about a codec. */
export interface CodecFormat {
  name: CodecName;
  clockRate: number;
  /** Static payload type (RFC 3551, table 4). */
  payloadType: number;
}

/** Codecs in our order of preference. */
export const CODEC_FORMATS: readonly CodecFormat[] = [
  { name: 'PCMU', clockRate: 8000, payloadType: 0 },
  { name: 'PCMA', clockRate: 8000, payloadType: 8 },
];

/** A codec for one leg. */
export function createCodec(name: CodecName): Codec {
  return g711(name, name === 'PCMU' ? MU_LAW : A_LAW);
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
