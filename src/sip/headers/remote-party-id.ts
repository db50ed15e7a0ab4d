/** Remote-Party-ID (draft-ietf-sip-privacy-04): what PBXs sent before P-Asserted-Identity, and many still do. */
import { type Party, parties } from './address.js';

/** One identity. */
export interface RemoteParty extends Party {
  readonly party: string;
  /** Whether the number must not be told to others. */
  readonly private: boolean;
  /** Whether the network has verified it. */
  readonly screened: boolean;
}

/** The identities that can be read. */
export function parseRemotePartyId(value: string): RemoteParty[] {
  return parties(value).map((one) => ({
    ...one,
    party: (one.params.get('party') ?? 'calling').toLowerCase(),
    private: !['', 'off'].includes((one.params.get('privacy') ?? '').toLowerCase()),
    screened: (one.params.get('screen') ?? '').toLowerCase() === 'yes',
  }));
}
