/** Referred-By (RFC 3892): who asked the caller's side to call here, by REFER. */
import { type Party, partyOf } from './address.js';

/** The referrer; undefined when the value can't be read. */
export function parseReferredBy(value: string): Party | undefined {
  return partyOf(value);
}
