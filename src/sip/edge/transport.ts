/** What the rest of the edge sees of UDP and TCP. */

export type Protocol = 'udp' | 'tcp';

/** A TCP connection that can still be written to. */
export interface Connection {
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
