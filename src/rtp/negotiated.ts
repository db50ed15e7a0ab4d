import type { OpusSettings } from '../audio/opus.js';

/** Codecs Parley speaks, in its order of preference. */
export const CODEC_NAMES = ['opus', 'G722', 'PCMU', 'PCMA'] as const;

/** A codec by its name in SDP. */
export type CodecName = (typeof CODEC_NAMES)[number];

/** Rate of the PCM on one leg, Hz: of narrowband or of wideband speech. */
export type PcmRate = 8000 | 16000;

/** From our side: whether we send and whether we listen (RFC 3264, 5.1). */
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What one payload type of the peer's packets stands for. */
export interface ReceivedFormat {
  payloadType: number;
  name: CodecName | 'telephone-event';
}

/** How one direction-pair of RTP was negotiated; made from SDP. */
export interface NegotiatedMedia {
  /** Where the peer said it listens; packets that come from elsewhere correct it (symmetric RTP). */
  remote: { address: string; port: number };
  /** What we send. `opus` is there when it is Opus. */
  codec: { name: CodecName; payloadType: number; clockRate: number; opus?: OpusSettings };
  /** What we send keys as, when agreed; keys that come have this clock rate too, Hz. */
  telephoneEvent?: { payloadType: number; clockRate: number } | undefined;
  /** What may come. Numbers may differ from those that we send (RFC 3264, 6.1). */
  receives: readonly ReceivedFormat[];
  /** Packet time we send, ms. */
  ptime: number;
  direction: MediaDirection;
}
