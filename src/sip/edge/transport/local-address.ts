import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Peer, Protocol } from './transport.js';

/** This end of a message: what its Via and Contact say. */
export interface LocalEnd {
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  /** Where TLS is listened for; `undefined` without TLS. */
  readonly tlsPort: number | undefined;
}

/** The addresses by which others reach this edge. */
export class LocalAddress {
  readonly #bound: string;
  readonly #external: string | undefined;
  /** Of UDP and TCP. */
  readonly port: number;
  /** `undefined` when there is no TLS. */
  readonly tlsPort: number | undefined;

  constructor(bound: string, port: number, external?: string, tlsPort?: number) {
    this.#bound = bound;
    this.port = port;
    this.tlsPort = tlsPort;
    this.#external = external;
  }

  /** IP families that the sockets reach: both when bound to `::`. */
  get families(): readonly (4 | 6)[] {
    if (this.#bound === '::') return [6, 4];
    return isIPv6(this.#bound) ? [6] : [4];
  }

  /** This end of what is exchanged with a peer; `undefined`: a peer that could not be found. */
  end(peer: Pick<Peer, 'protocol' | 'host'> | undefined): LocalEnd {
    const protocol = peer?.protocol ?? 'udp';
    const port = protocol === 'tls' ? (this.tlsPort ?? this.port) : this.port;
    return { protocol, host: this.towards(peer?.host ?? ''), port, tlsPort: this.tlsPort };
  }

  /** What goes into Via and Contact of a message to `peer`, an IP literal. */
  towards(peer: string): string {
    if (this.#external !== undefined) return this.#external;
    if (!isWildcard(this.#bound)) return this.#bound;
    if (isLoopback(peer)) return peer.includes(':') ? '::1' : '127.0.0.1';
    const own = interfaces().filter((address) => !isLoopback(address.address));
    const near = own.find((address) => sameNetwork(address.cidr, peer));
    const same = own.find((address) => isIPv6(address.address) === isIPv6(peer));
    return (near ?? same)?.address ?? this.#bound;
  }

  /** Whether something sent to `host` and `port` would come straight back. */
  isSelf(host: string, port: number): boolean {
    if (port !== this.port && port !== this.tlsPort) return false;
    if (host === this.#bound || host === this.#external) return true;
    return isWildcard(this.#bound) && (isLoopback(host) || interfaces().some((own) => own.address === host));
  }

  /** The listeners announced to applications, `protocol/host:port`. */
  get endpoints(): string {
    const host = this.announced.includes(':') ? `[${this.announced}]` : this.announced;
    const plain = `tcp/${host}:${this.port},udp/${host}:${this.port}`;
    return this.tlsPort === undefined ? plain : `${plain},tls/${host}:${this.tlsPort}`;
  }

  /** The address announced to applications. */
  get announced(): string {
    return this.#external ?? (isWildcard(this.#bound) ? this.towards('192.0.2.1') : this.#bound);
  }
}

function interfaces(): { address: string; cidr: string | null }[] {
  return Object.values(networkInterfaces()).flatMap((list) => list ?? []);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}

function sameNetwork(cidr: string | null, peer: string): boolean {
  const [network = '', bits = ''] = (cidr ?? '').split('/');
  const family = isIPv4(network) ? 'ipv4' : 'ipv6';
  if (cidr === null || isIPv4(network) !== isIPv4(peer)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family);
  return list.check(peer, family);
}
