import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Peer, Protocol } from './transport.js';
import type { SipUri } from './uri.js';

/** How long an address found stays good, in ms, so that the requests of one dialog keep their order. */
const CACHE_MS = 60_000;
const CACHE_SIZE = 1000;

/** The transport a URI asks for; `undefined` when this edge has none such. */
export function protocolOf(uri: SipUri): Protocol | undefined {
  if (uri.secure) return undefined;
  const wanted = (uri.params.get('transport') ?? 'udp').toLowerCase();
  return wanted === 'udp' || wanted === 'tcp' ? wanted : undefined;
}

/** Finds the address behind a URI's host: as it stands, or by the system's resolver. */
export class NextHopResolver {
  readonly #family: 4 | 6;
  readonly #cache = new Map<string, { address: string; until: number }>();

  constructor(family: 4 | 6) {
    this.#family = family;
  }

  /** Calls back at once for an address or a host looked up lately; with `undefined` when there is no such host. */
  resolve(uri: SipUri, protocol: Protocol, found: (peer: Peer | undefined) => void): void {
    const host = uri.params.get('maddr') ?? uri.host;
    const port = uri.port ?? 5060;
    const known = isIP(host) ? host : this.#cached(host);
    if (known !== undefined) {
      found({ protocol, host: known, port });
      return;
    }
    lookup(host, { family: this.#family }, (error, address) => {
      if (error) {
        found(undefined);
        return;
      }
      if (this.#cache.size >= CACHE_SIZE) this.#cache.clear();
      this.#cache.set(host, { address, until: Date.now() + CACHE_MS });
      found({ protocol, host: address, port });
    });
  }

  #cached(host: string): string | undefined {
    const entry = this.#cache.get(host);
    return entry && entry.until > Date.now() ? entry.address : undefined;
  }
}
