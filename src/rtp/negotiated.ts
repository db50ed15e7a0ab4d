import type { OpusSettings } from '../audio/opus.js';
import type { DtlsIdentity, Fingerprint } from './dtls/certificate.js';
import type { DtlsRole } from './dtls/handshake.js';
import type { IceSession } from './ice/responder.js';
import type { SrtpKey } from './srtp/suites.js';

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
  /** Where RTCP goes when that is neither with RTP nor the port above it (RFC 3605). */
  rtcp?: { address: string; port: number };
  /** RTCP goes both ways through the port of RTP (RFC 5761). */
  rtcpMux?: boolean;
  /** How packets are protected; without it they are plain. */
  security?: MediaSecurity;
  /** The peer checks the way to us (RFC 8445); packets go where it nominates. */
  ice?: IceSession;
}

/** What protects packets: keys from SDP (SDES, RFC 4568), or from a DTLS handshake on the path of RTP (RFC 5764). */
export type MediaSecurity =
  | {
      kind: 'sdes';
      /** We send under it. */
      local: SrtpKey;
      /** The peer sends under it. */
      remote: SrtpKey;
    }
  | {
      kind: 'dtls';
      /** What we are in the handshake; the client begins it. */
      role: DtlsRole;
      /** The certificate that we show. */
      identity: DtlsIdentity;
      /** One of these has to be the peer's certificate's. */
      fingerprints: readonly Fingerprint[];
    };
