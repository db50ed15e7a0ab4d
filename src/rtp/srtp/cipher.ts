import { AesCmCipher } from './aes-cm.js';
import { AesGcmCipher } from './aes-gcm.js';
import type { SessionKeys } from './key-derivation.js';
import type { PacketCipher } from './packet-cipher.js';
import type { SuiteFacts } from './suites.js';

/** @param rtcp whether it is for RTCP */
export function createPacketCipher(facts: SuiteFacts, keys: SessionKeys, rtcp: boolean): PacketCipher {
  return facts.aead ? new AesGcmCipher(keys, rtcp) : new AesCmCipher(keys, rtcp ? facts.rtcpTag : facts.rtpTag, rtcp);
}
