/** Call-Info (RFC 3261 20.9): URIs of what belongs to the call, each in angle brackets with its purpose. */
import { type Party, parties } from './address.js';

/** One URI. */
export interface CallInfo extends Party {
  /** `info`, `icon`, `card`, or another that the two ends agree on; empty when it is not said. */
  readonly purpose: string;
}

/** The URIs that can be read. They are never fetched: anybody may have written them. */
export function parseCallInfo(value: string): CallInfo[] {
  return parties(value).map((one) => ({ ...one, purpose: (one.params.get('purpose') ?? '').toLowerCase() }));
}
