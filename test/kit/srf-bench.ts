import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import Srf from 'drachtio-srf';
import { EdgeServer } from '../../src/sip/edge/edge-server.js';
import { createLogger } from '../../src/telemetry/log.js';
import { SipPeer } from './edge-peer.js';
import { until } from './until.js';

/** What drachtio-srf really has; its own type declarations lack some of it. */
export interface SrfDialog extends NodeJS.EventEmitter {
  readonly id: string;
  readonly sip: { callId: string; localTag: string; remoteTag: string };
  readonly local: { sdp: string; uri: string; contact: string };
  readonly remote: { sdp: string; uri: string };
  readonly onHold: boolean;
  readonly dialogType: string;
  modify(sdp: string | object, options?: object): Promise<unknown>;
  request(options: object): Promise<SrfResponse>;
  destroy(options?: object): Promise<unknown>;
}

export interface SrfRequest extends NodeJS.EventEmitter {
  readonly method: string;
  readonly uri: string;
  readonly body: string;
  readonly callingNumber: string;
  readonly calledNumber: string;
  readonly source_address: string;
  readonly source_port: string;
  readonly protocol: string;
  readonly receivedOn: string;
  readonly stackDialogId: string;
  get(name: string): string;
  has(name: string): boolean;
  cancel(options?: object): void;
}

export interface SrfResponse {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  get(name: string): string;
  send(status: number, options?: object, callback?: (error: unknown, sent: SrfResponse) => void): void;
}

type Handler = (req: SrfRequest, res: SrfResponse, next: () => void) => unknown;

export interface SrfAgent extends NodeJS.EventEmitter {
  locals: Record<string, unknown>;
  use(handler: Handler): void;
  use(method: string, handler: Handler): void;
  createUAS(req: SrfRequest, res: SrfResponse, options: object): Promise<SrfDialog>;
  createUAC(uri: string, options: { noAck: true }): Promise<{ sdp: string; ack(sdp: string): Promise<SrfDialog> }>;
  createUAC(uri: string, options: object, progress?: object): Promise<SrfDialog>;
  createB2BUA(
    req: SrfRequest,
    res: SrfResponse,
    uri: string,
    options: object,
    progress?: object,
  ): Promise<{ uas: SrfDialog; uac: SrfDialog }>;
  request(uri: string, options: object): Promise<SrfRequest>;
  findDialogById(id: string): SrfDialog | undefined;
  findDialogByCallIDAndFromTag(callId: string, tag: string): SrfDialog | undefined;
  connect(options: object): void;
  listen(options: object): Server;
  disconnect(): void;
}

/** Whether the tests run against a drachtio-server (on this machine, since the peers are) instead of the edge. */
export const REAL = process.env.DRACHTIO_HOST !== undefined;

/** drachtio-srf, unchanged, on an edge or a drachtio-server, and scripted peers before it. */
export class SrfBench {
  readonly #edge: EdgeServer | undefined;
  readonly #ends: (() => unknown)[] = [];
  /** Of the server; known once an application is connected. */
  #sipPort: number;

  private constructor(edge: EdgeServer | undefined) {
    this.#edge = edge;
    this.#sipPort = edge?.sipPort ?? 0;
  }

  /** @param t1 ms, RFC 3261 T1 of the edge: a second of a session timer lasts two of them */
  static async start(t1 = 10): Promise<SrfBench> {
    if (REAL) return new SrfBench(undefined);
    const edge = await EdgeServer.start({
      sip: { host: '127.0.0.1', port: 0 },
      control: { host: '127.0.0.1', port: 0 },
      secret: 'cymru',
      allowedNetworks: ['127.0.0.0/8'],
      log: createLogger('silent'),
      timings: { t1, t2: 4 * t1, t4: 5 * t1 },
    });
    return new SrfBench(edge);
  }

  get uri(): string {
    return `sip:8001@127.0.0.1:${this.#sipPort}`;
  }

  /** Connects an application; what it routes has to be said in `routes`. */
  async application(routes: (srf: SrfAgent) => void = () => undefined): Promise<SrfAgent> {
    const srf: SrfAgent = Reflect.construct(Srf, []);
    routes(srf);
    srf.on('error', () => undefined);
    const host = process.env.DRACHTIO_HOST ?? '127.0.0.1';
    const port = this.#edge?.controlPort ?? Number(process.env.DRACHTIO_PORT ?? 9022);
    srf.connect({ host, port, secret: process.env.DRACHTIO_SECRET ?? 'cymru' });
    let connected = true;
    srf.on('close', () => {
      connected = false;
    });
    this.#ends.push(() => connected && srf.disconnect());
    const [error, endpoints] = await once(srf, 'connect');
    if (error) throw error;
    this.#sipPort = Number(/udp\/[^,]*:(\d+)/.exec(String(endpoints))?.[1]);
    // The routes went out before 'connect' came; once a later frame is answered, they were read.
    await srf.request(this.uri, { method: 'OPTIONS' }).catch(() => undefined);
    return srf;
  }

  async peer(transport: 'UDP' | 'TCP' = 'UDP'): Promise<SipPeer> {
    const peer = transport === 'UDP' ? await SipPeer.udp(this.#sipPort) : await SipPeer.tcp(this.#sipPort);
    this.#ends.push(() => peer.close());
    peer.absorbs = true;
    return peer;
  }

  /** Waits until no dialog is left; a real server does not tell. */
  async nothingLeft(): Promise<void> {
    const edge = this.#edge;
    if (!edge) return;
    await until('no dialog left', () => edge.counts().dialogs === 0);
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    await this.#edge?.close();
  }
}

/** An application that listens for servers to connect (`srf.listen()`). */
export async function listeningApplication(
  secret: string,
  routes: (srf: SrfAgent) => void,
): Promise<{ address: string; close(): void }> {
  const srf: SrfAgent = Reflect.construct(Srf, []);
  routes(srf);
  const server = srf.listen({ port: 0, host: '127.0.0.1', secret });
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    address: `127.0.0.1:${port}`,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
