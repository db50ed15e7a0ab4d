/** P-Asserted-Identity (RFC 3325 9.1): who the network says is calling, at most one SIP URI and one tel URI. */
import { type Party, parties } from './address.js';

/** The identities that can be read. */
export function parseAssertedIdentity(value: string): Party[] {
  return parties(value);
}
