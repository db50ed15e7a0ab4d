/** Contact of a redirect (RFC 3261 8.1.3.4, 20.10): where a phone sends the call, the preferred first. */
import { parties } from './address.js';

/** Most that are read. */
const CONTACTS_MAX = 5;

/** URIs, by their `q` (1 when left out). */
export function parseRedirectContacts(value: string): string[] {
  return parties(value)
    .map(({ uri, params }) => ({ uri, q: Number(params.get('q') ?? 1) || 0 }))
    .sort((a, b) => b.q - a.q)
    .slice(0, CONTACTS_MAX)
    .map(({ uri }) => uri);
}
