import { createSocket, type Socket } from 'node:dgram';
import { isIPv4, isIPv6 } from 'node:net';
import type { NetworkFilter } from './network-filter.js';
import { type Peer, plainAddress, type Transport, type TransportEvents } from './transport.js';

/** SIP over UDP (RFC 3261 18). */
export class UdpTransport implements Transport {
  readonly #socket: Socket;
  readonly #sixth: boolean;

  private constructor(socket: Socket, sixth: boolean, filter: NetworkFilter, events: TransportEvents) {
    this.#socket = socket;
    this.#sixth = sixth;
    socket.on('message', (data, remote) => {
      const host = plainAddress(remote.address);
      if (!filter.admits(host)) return;
      // Keep-alives are blank lines, or a few bytes that phones send to hold a NAT binding open.
      if (data.length < 16) return;
      events.message(data.toString('latin1'), { protocol: 'udp', host, port: remote.port });
    });
    // A send that fails is told to its sender; the socket itself stays usable.
    socket.on('error', () => undefined);
  }

  static async bind(host: string, port: number, filter: NetworkFilter, events: TransportEvents): Promise<UdpTransport> {
    const sixth = isIPv6(host);
    const socket = createSocket({ type: sixth ? 'udp6' : 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    return new UdpTransport(socket, sixth, filter, events);
  }

  send(text: string, peer: Peer, failed: (error: Error) => void): void {
    const host = this.#sixth && isIPv4(peer.host) ? `::ffff:${peer.host}` : peer.host;
    this.#socket.send(Buffer.from(text, 'latin1'), peer.port, host, (error) => {
      if (error) failed(error);
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
