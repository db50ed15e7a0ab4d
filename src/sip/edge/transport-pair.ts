import { ParleyError, reasonOf } from '../../errors.js';
import type { NetworkFilter } from './network-filter.js';
import type { Timers } from './timers.js';
import type { Peer, TransportEvents } from './transport.js';
import { TcpTransport } from './transport-tcp.js';
import { UdpTransport } from './transport-udp.js';
import { hostText } from './uri.js';

/** How often another port is tried when any will do and the one that TCP got is taken on UDP. */
const ATTEMPTS = 10;

/** UDP and TCP on the same address and port number. */
export class TransportPair {
  readonly #udp: UdpTransport;
  readonly #tcp: TcpTransport;

  private constructor(udp: UdpTransport, tcp: TcpTransport) {
    this.#udp = udp;
    this.#tcp = tcp;
  }

  /** @throws ParleyError `PARLEY_ERR_EDGE_LISTEN` */
  static async open(
    host: string,
    port: number,
    filter: NetworkFilter,
    timers: Timers,
    events: TransportEvents,
  ): Promise<TransportPair> {
    for (let attempt = 1; ; attempt++) {
      let tcp: TcpTransport | undefined;
      try {
        tcp = await TcpTransport.listen(host, port, filter, timers, events);
        return new TransportPair(await UdpTransport.bind(host, tcp.port, filter, events), tcp);
      } catch (error) {
        await tcp?.close();
        if (port === 0 && tcp && attempt < ATTEMPTS) continue;
        const address = `${hostText(host)}:${port}`;
        throw new ParleyError('PARLEY_ERR_EDGE_LISTEN', { address, reason: reasonOf(error) }, { cause: error });
      }
    }
  }

  get port(): number {
    return this.#tcp.port;
  }

  get connections(): number {
    return this.#tcp.connections;
  }

  send(text: string, peer: Peer, failed: (error: Error) => void = () => undefined): void {
    const transport = peer.protocol === 'udp' ? this.#udp : this.#tcp;
    transport.send(text, peer, failed);
  }

  async close(): Promise<void> {
    await Promise.all([this.#udp.close(), this.#tcp.close()]);
  }
}
