/** Codecs Parley speaks. */
export type CodecName = 'PCMU' | 'PCMA';

/** From our side: whether we send and whether we listen (RFC 3264, 5.1). */
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** How one direction-pair of RTP was negotiated; made from SDP. */
export interface NegotiatedMedia {
  /** Where the peer said it listens; packets that come from elsewhere correct it (symmetric RTP). */
  remote: { address: string; port: number };
  /** What we send and expect: static or dynamic payload type of the chosen codec. */
  codec: { name: CodecName; payloadType: number; clockRate: number };
  /** Payload type of telephone-event, when agreed. */
  telephoneEvent?: number | undefined;
  /** Packet time we send, ms. */
  ptime: number;
  direction: MediaDirection;
}
