/** Where a request goes: RFC 3263, with the addresses that failed lately tried last. */

import type { NaptrRecord, SrvRecord } from 'node:dns';
import { isIP } from 'node:net';
import { monotonicMs } from '../../../telemetry/clock.js';
import type { SipUri } from '../message/uri.js';
import type { Dns } from './dns.js';
import { DEFAULT_PORT, type Peer, type Protocol } from './transport.js';

/** How long what was found stays good, in ms, so that the requests of one dialog keep their order. */
const CACHE_MS = 60_000;
const CACHE_SIZE = 1000;
/** How long an address that failed is tried after the others, in ms. */
const PENALTY_MS = 60_000;

/** NAPTR service fields (RFC 3263 4.1). */
const SERVICES: ReadonlyMap<string, Protocol> = new Map([
  ['sip+d2u', 'udp'],
  ['sip+d2t', 'tcp'],
  ['sips+d2t', 'tls'],
]);

const SRV_PREFIX: Readonly<Record<Protocol, string>> = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' };

interface Place {
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
}

export interface ResolverSetup {
  /** What the edge can send over. */
  readonly protocols: readonly Protocol[];
  readonly families: readonly (4 | 6)[];
  readonly dns: Dns;
}

export class NextHopResolver {
  readonly #setup: ResolverSetup;
  readonly #cache = new Map<string, { places: Place[]; until: number }>();
  readonly #asked = new Map<string, Promise<Place[]>>();
  readonly #failed = new Map<string, number>();

  constructor(setup: ResolverSetup) {
    this.#setup = setup;
  }

  /** Whether this edge has a transport such as the URI asks for. */
  reaches(uri: SipUri): boolean {
    return this.#wanted(uri).length > 0;
  }

  /**
   * Calls back at once for an address, or a host looked up lately; with `undefined` when there is no such host. What
   * else may be tried hangs on the peer as its alternatives.
   */
  resolve(uri: SipUri, found: (peer: Peer | undefined) => void): void {
    const host = uri.params.get('maddr') ?? uri.host;
    const wanted = this.#wanted(uri);
    if (wanted.length === 0) {
      found(undefined);
      return;
    }
    const chain = (places: readonly Place[]) => found(this.#chain(places, uri));
    const key = `${host.toLowerCase()}|${uri.port ?? ''}|${uri.secure}|${uri.params.get('transport') ?? ''}`;
    const known = this.#cache.get(key);
    if (isIP(host)) chain([placeAt(wanted[0], host, uri.port)]);
    else if (known && known.until > monotonicMs()) chain(known.places);
    else void this.#ask(key, () => this.#locate(host, uri.port, wanted)).then(chain);
  }

  /** Nothing was heard from there: for a while it is tried after the others. */
  failed(place: Place): void {
    if (this.#failed.size >= CACHE_SIZE) this.#failed.clear();
    this.#failed.set(placeKey(place), monotonicMs() + PENALTY_MS);
  }

  /** Whether it failed lately. */
  failing(place: Place): boolean {
    return (this.#failed.get(placeKey(place)) ?? 0) > monotonicMs();
  }

  close(): void {
    this.#setup.dns.close();
  }

  /** The transports a request to this URI may use, the preferred one first (RFC 3263 4.1, RFC 3261 26.2.2). */
  #wanted(uri: SipUri): Protocol[] {
    const asked = uri.params.get('transport')?.toLowerCase();
    const can = (protocol: Protocol) => this.#setup.protocols.includes(protocol);
    if (uri.secure) return (asked === undefined || asked === 'tcp' || asked === 'tls') && can('tls') ? ['tls'] : [];
    const all: readonly Protocol[] = ['udp', 'tcp', 'tls'];
    return all.filter((protocol) => (asked === undefined || asked === protocol) && can(protocol));
  }

  async #ask(key: string, locate: () => Promise<Place[]>): Promise<Place[]> {
    const asking = this.#asked.get(key) ?? locate().catch(() => []);
    this.#asked.set(key, asking);
    const places = await asking;
    this.#asked.delete(key);
    if (this.#cache.size >= CACHE_SIZE) this.#cache.clear();
    if (places.length > 0) this.#cache.set(key, { places, until: monotonicMs() + CACHE_MS });
    return places;
  }

  async #locate(host: string, port: number | undefined, wanted: readonly Protocol[]): Promise<Place[]> {
    // A name of one label is of the hosts file or a container's network: nobody keeps SRV records for it.
    if (port === undefined && host.includes('.')) {
      const served = await this.#services(host, wanted);
      if (served.length > 0) return served;
    }
    const addresses = await this.#setup.dns.addresses(host, this.#setup.families);
    return addresses.map((address) => placeAt(wanted[0], address, port));
  }

  /** By NAPTR, else by the SRV records of every transport; both are asked at once, since someone is waiting. */
  async #services(host: string, wanted: readonly Protocol[]): Promise<Place[]> {
    const { dns } = this.#setup;
    const guessed = wanted.map(async (protocol) => ({
      protocol,
      records: await dns.srv(`${SRV_PREFIX[protocol]}.${host}`),
    }));
    const pointers = wanted.length > 1 ? pointersOf(await dns.naptr(host), wanted) : [];
    const services = pointers.length > 0 ? pointers.map((pointer) => this.#follow(pointer)) : guessed;
    const places: Place[] = [];
    for (const { protocol, records } of await Promise.all(services)) {
      places.push(...(await this.#targets(protocol, records)));
    }
    return places;
  }

  async #follow({ protocol, name }: { protocol: Protocol; name: string }) {
    return { protocol, records: await this.#setup.dns.srv(name) };
  }

  async #targets(protocol: Protocol, records: readonly SrvRecord[]): Promise<Place[]> {
    const { dns, families } = this.#setup;
    // A target of "." says that the service is not there (RFC 2782).
    const targets = inTurn(records.filter(({ name }) => name !== '' && name !== '.'));
    const found = targets.map(async ({ name, port }) => {
      const addresses = isIP(name) ? [name] : await dns.addresses(name, families);
      return addresses.map((address) => placeAt(protocol, address, port));
    });
    return (await Promise.all(found)).flat();
  }

  #chain(places: readonly Place[], uri: SipUri): Peer | undefined {
    const ordered = [...places].sort((a, b) => Number(this.failing(a)) - Number(this.failing(b)));
    const asked = uri.params.has('transport');
    return ordered.reduceRight<Peer | undefined>(
      (alternative, place) => ({
        ...place,
        name: uri.host,
        ...(asked ? { fixed: true } : {}),
        ...(alternative ? { alternative } : {}),
      }),
      undefined,
    );
  }
}

function placeAt(protocol: Protocol = 'udp', host: string, port: number | undefined): Place {
  return { protocol, host, port: port ?? DEFAULT_PORT[protocol] };
}

function placeKey({ protocol, host, port }: Place): string {
  return `${protocol}|${host}|${port}`;
}

function pointersOf(records: readonly NaptrRecord[], wanted: readonly Protocol[]) {
  return [...records]
    .sort((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ flags, service, replacement }) => {
      const protocol = SERVICES.get(service.toLowerCase());
      const usable = protocol !== undefined && wanted.includes(protocol) && flags.toLowerCase() === 's';
      return usable ? [{ protocol, name: replacement }] : [];
    });
}

/** By priority; within one, at random by weight (RFC 2782). */
function inTurn(records: readonly SrvRecord[]): SrvRecord[] {
  const drawn = records.map((record) => ({ record, key: Math.random() ** (1 / Math.max(record.weight, 0.001)) }));
  return drawn.sort((a, b) => a.record.priority - b.record.priority || b.key - a.key).map(({ record }) => record);
}
