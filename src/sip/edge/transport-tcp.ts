import { connect, createServer, type Server, type Socket } from 'node:net';
import type { NetworkFilter } from './network-filter.js';
import { StreamFramer } from './stream-framer.js';
import type { Timer, Timers } from './timers.js';
import { type Connection, type Peer, plainAddress, type Transport, type TransportEvents } from './transport.js';
import { hostText } from './uri.js';

export interface TcpLimits {
  readonly connections: number;
  /** ms for a message that began to be complete, and for a new connection's first message. */
  readonly halfMessageMs: number;
  /** ms without any traffic after which a connection is closed. */
  readonly idleMs: number;
  /** Bytes that may wait to be sent to a peer that does not read. */
  readonly backlog: number;
}

const LIMITS: TcpLimits = { connections: 1000, halfMessageMs: 30_000, idleMs: 600_000, backlog: 1 << 20 };

/** One SIP connection, whichever side opened it. */
class SipConnection implements Connection {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly #framer = new StreamFramer();
  readonly #timers: Timers;
  readonly #events: TransportEvents;
  /** Messages on their way: those senders learn it when the connection fails. */
  readonly #waiting = new Set<(error: Error) => void>();
  #halfMessage: Timer | undefined;

  constructor(socket: Socket, host: string, port: number, timers: Timers, events: TransportEvents) {
    this.socket = socket;
    this.#timers = timers;
    this.#events = events;
    this.peer = { protocol: 'tcp', host, port, connection: this };
    socket.setNoDelay(true);
    socket.setTimeout(LIMITS.idleMs, () => socket.destroy());
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      this.#timers.clear(this.#halfMessage);
      this.#fail(new Error('connection closed'));
    });
  }

  get open(): boolean {
    return !this.socket.destroyed && !this.socket.writableEnded;
  }

  /** A peer that opened a connection has to say something. */
  expectMessage(): void {
    this.#halfMessage ??= this.#timers.set(LIMITS.halfMessageMs, () => this.socket.destroy());
  }

  send(text: string, failed: (error: Error) => void): void {
    if (!this.open || this.socket.writableLength > LIMITS.backlog) {
      failed(new Error('connection is closed or does not drain'));
      return;
    }
    this.#waiting.add(failed);
    this.socket.write(text, 'latin1', () => this.#waiting.delete(failed));
  }

  #read(chunk: Buffer): void {
    for (const event of this.#framer.push(chunk)) {
      if (event.kind === 'message') this.#events.message(event.text, this.peer);
      else if (event.kind === 'ping') this.socket.write('\r\n');
      else {
        this.#events.malformed(event.reason, this.peer, event.text);
        this.socket.end();
        this.socket.destroySoon();
        return;
      }
    }
    this.#timers.clear(this.#halfMessage);
    this.#halfMessage = undefined;
    if (this.#framer.partial) this.expectMessage();
  }

  #fail(error: Error): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const failed of waiting) failed(error);
  }
}

/** SIP over TCP (RFC 3261 18): accepts connections, and opens them where none is. */
export class TcpTransport implements Transport {
  readonly #server: Server;
  readonly #filter: NetworkFilter;
  readonly #timers: Timers;
  readonly #events: TransportEvents;
  readonly #connections = new Set<SipConnection>();

  private constructor(server: Server, filter: NetworkFilter, timers: Timers, events: TransportEvents) {
    this.#server = server;
    this.#filter = filter;
    this.#timers = timers;
    this.#events = events;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('error', () => undefined);
  }

  static async listen(
    host: string,
    port: number,
    filter: NetworkFilter,
    timers: Timers,
    events: TransportEvents,
  ): Promise<TcpTransport> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new TcpTransport(server, filter, timers, events);
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  get connections(): number {
    return this.#connections.size;
  }

  send(text: string, peer: Peer, failed: (error: Error) => void): void {
    const given = peer.connection?.open ? peer.connection : undefined;
    const connection = given ?? this.#find(peer) ?? this.#open(peer);
    connection.send(text, failed);
  }

  /** Resolves when every connection is gone. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const gone = [...this.#connections].map(({ socket }) => {
      const end = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.destroy();
      return end;
    });
    return Promise.all([closed, ...gone]).then(() => undefined);
  }

  #find(peer: Peer): SipConnection | undefined {
    for (const connection of this.#connections) {
      if (connection.open && connection.peer.host === peer.host && connection.peer.port === peer.port) {
        return connection;
      }
    }
    return undefined;
  }

  #open(peer: Peer): SipConnection {
    return this.#keep(connect({ host: peer.host, port: peer.port }), peer.host, peer.port);
  }

  #accept(socket: Socket): void {
    const host = plainAddress(socket.remoteAddress ?? '');
    if (!this.#filter.admits(host)) {
      socket.destroy();
      return;
    }
    if (this.#connections.size >= LIMITS.connections) {
      const source: Peer = { protocol: 'tcp', host, port: socket.remotePort ?? 0 };
      this.#events.malformed(`more than ${LIMITS.connections} connections`, source, hostText(host));
      socket.destroy();
      return;
    }
    this.#keep(socket, host, socket.remotePort ?? 0).expectMessage();
  }

  #keep(socket: Socket, host: string, port: number): SipConnection {
    const connection = new SipConnection(socket, host, port, this.#timers, this.#events);
    this.#connections.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
    return connection;
  }
}
