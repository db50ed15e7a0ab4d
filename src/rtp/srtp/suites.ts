/** What protects packets, best first, by its name in SDP (RFC 4568, 6.2; RFC 7714, 14.2). */
export const SRTP_SUITES = ['AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const;

/** A suite by its name in SDP. */
export type SrtpSuite = (typeof SRTP_SUITES)[number];

/** The key one side protects its packets with. */
export interface SrtpKey {
  suite: SrtpSuite;
  /** Base64 of the master key and the master salt behind it, as `inline:` of SDP has them. */
  inline: string;
  /** Octets of the master key identifier in each packet; its value says nothing where there is one key. */
  mki?: number;
}

/** What is fixed about a suite; lengths in octets. */
export interface SuiteFacts {
  aead: boolean;
  key: number;
  salt: number;
  rtpTag: number;
  rtcpTag: number;
  /** Its number in the use_srtp extension of DTLS (RFC 5764, 4.1.2; RFC 7714, 14.2). */
  profile: number;
}

/** By name of the suite. */
export const SUITE_FACTS: Readonly<Record<SrtpSuite, SuiteFacts>> = {
  AEAD_AES_256_GCM: { aead: true, key: 32, salt: 12, rtpTag: 16, rtcpTag: 16, profile: 8 },
  AES_CM_128_HMAC_SHA1_80: { aead: false, key: 16, salt: 14, rtpTag: 10, rtcpTag: 10, profile: 1 },
  // Only RTP has the short tag (RFC 4568, 6.2.2).
  AES_CM_128_HMAC_SHA1_32: { aead: false, key: 16, salt: 14, rtpTag: 4, rtcpTag: 10, profile: 2 },
};
