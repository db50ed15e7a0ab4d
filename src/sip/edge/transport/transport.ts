/** What the rest of the edge sees of UDP, TCP and TLS. */

export type Protocol = 'udp' | 'tcp' | 'tls';

/** RFC 3261 19.1.2. */
export const DEFAULT_PORT: Readonly<Record<Protocol, number>> = { udp: 5060, tcp: 5060, tls: 5061 };

/** A TCP or TLS connection that can still be written to. */
export interface Connection {
  readonly protocol: Protocol;
  readonly open: boolean;
  /** `failed` is called at most once, when the text could not be handed over. */
  send(text: string, failed: (error: Error) => void): void;
}

/** The other end of a message: where one came from, or where one goes. */
export interface Peer {
  readonly protocol: Protocol;
  /** IP literal, without brackets. */
  readonly host: string;
  readonly port: number;
  /** The connection to prefer while it is open. */
  readonly connection?: Connection;
  /** The domain that was looked up: a TLS server has to prove that it is this one (RFC 5922 4). */
  readonly name?: string;
  /** Where to turn when this one does not answer (RFC 3263 4.3). */
  readonly alternative?: Peer;
  /** The transport was asked for by name, and stays even for a message that is large for UDP. */
  readonly fixed?: boolean;
}

export interface TransportEvents {
  /** One whole message, one character per byte. */
  message(text: string, source: Peer): void;
  /** Stream input that can't be cut into messages. */
  malformed(reason: string, source: Peer, text: string): void;
}

export interface Transport {
  send(text: string, peer: Peer, failed: (error: Error) => void): void;
  close(): Promise<void>;
}

/** An IPv4 address that arrived over an IPv6 socket is the IPv4 address. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
