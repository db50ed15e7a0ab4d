import { ParleyError, reasonOf } from '../../../errors.js';
import { hostText } from '../message/uri.js';
import type { Timers } from '../timers.js';
import type { NetworkFilter } from './network-filter.js';
import { type TlsOptions, tlsWire } from './tls.js';
import type { Peer, Protocol, Transport, TransportEvents } from './transport.js';
import { PLAIN, TcpTransport } from './transport-tcp.js';
import { UdpTransport } from './transport-udp.js';

/** How often another port is tried when any will do and the one that TCP got is taken on UDP. */
const ATTEMPTS = 10;

/** What the transports listen on, and whom they tell. */
export interface Listening {
  readonly host: string;
  /** Port 0: any free port. */
  readonly port: number;
  readonly tls: TlsOptions | undefined;
  readonly filter: NetworkFilter;
  readonly timers: Timers;
  readonly events: TransportEvents;
}

/** UDP and TCP on the same address and port number, and TLS on a port of its own when it is configured. */
export class Transports {
  readonly #udp: UdpTransport;
  readonly #tcp: TcpTransport;
  readonly #tls: TcpTransport | undefined;

  private constructor(udp: UdpTransport, tcp: TcpTransport, tls: TcpTransport | undefined) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.#tls = tls;
  }

  /** @throws ParleyError `PARLEY_ERR_EDGE_LISTEN`, `PARLEY_ERR_EDGE_TLS` */
  static async open(listening: Listening): Promise<Transports> {
    const tls = await openTls(listening);
    try {
      const { udp, tcp } = await openPair(listening);
      return new Transports(udp, tcp, tls);
    } catch (error) {
      await tls?.close();
      throw error;
    }
  }

  /** Of UDP and TCP. */
  get port(): number {
    return this.#tcp.port;
  }

  get tlsPort(): number | undefined {
    return this.#tls?.port;
  }

  get protocols(): readonly Protocol[] {
    return this.#tls ? ['udp', 'tcp', 'tls'] : ['udp', 'tcp'];
  }

  /** Open connections, TCP and TLS. */
  get connections(): number {
    return this.#tcp.connections + (this.#tls?.connections ?? 0);
  }

  send(text: string, peer: Peer, failed: (error: Error) => void = () => undefined): void {
    const transports: Record<Protocol, Transport | undefined> = { udp: this.#udp, tcp: this.#tcp, tls: this.#tls };
    const transport = transports[peer.protocol];
    if (transport) transport.send(text, peer, failed);
    else failed(new Error(`there is no ${peer.protocol}`));
  }

  async close(): Promise<void> {
    await Promise.all([this.#udp.close(), this.#tcp.close(), this.#tls?.close()]);
  }
}

async function openTls({ host, tls, filter, timers, events }: Listening): Promise<TcpTransport | undefined> {
  if (!tls) return undefined;
  const wire = tlsWire(tls);
  try {
    return await TcpTransport.listen(wire, host, tls.port, filter, timers, events);
  } catch (error) {
    throw cannotListen(host, tls.port, error);
  }
}

async function openPair({ host, port, filter, timers, events }: Listening) {
  for (let attempt = 1; ; attempt++) {
    let tcp: TcpTransport | undefined;
    try {
      tcp = await TcpTransport.listen(PLAIN, host, port, filter, timers, events);
      return { udp: await UdpTransport.bind(host, tcp.port, filter, events), tcp };
    } catch (error) {
      await tcp?.close();
      if (port === 0 && tcp && attempt < ATTEMPTS) continue;
      throw cannotListen(host, port, error);
    }
  }
}

function cannotListen(host: string, port: number, cause: unknown): ParleyError {
  const address = `${hostText(host)}:${port}`;
  return new ParleyError('PARLEY_ERR_EDGE_LISTEN', { address, reason: reasonOf(cause) }, { cause });
}
