import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { hostText } from '../message/uri.js';
import type { Timer, Timers } from '../timers.js';
import type { NetworkFilter } from './network-filter.js';
import { StreamFramer } from './stream-framer.js';
import {
  type Connection,
  type Peer,
  type Protocol,
  plainAddress,
  type Transport,
  type TransportEvents,
} from './transport.js';

/** TCP as it is, or under TLS: how connections are made, and the event that says that one can be used. */
export interface Wire {
  readonly protocol: Protocol;
  readonly accepted: 'connection' | 'secureConnection';
  readonly connected: 'connect' | 'secureConnect';
  server(): Server | TlsServer;
  connect(peer: Peer): Socket;
}

export const PLAIN: Wire = {
  protocol: 'tcp',
  accepted: 'connection',
  connected: 'connect',
  server: () => createServer(),
  connect: ({ host, port }) => connect({ host, port }),
};

export interface TcpLimits {
  readonly connections: number;
  /** Of those, how many may come from one address. */
  readonly perSource: number;
  /** ms for a message that began to be complete, and for a new connection's first message. */
  readonly halfMessageMs: number;
  /** ms for a connection to be made: a next hop that does not answer must leave time for another. */
  readonly connectMs: number;
  /** ms without any traffic after which a connection is closed. */
  readonly idleMs: number;
  /** Bytes that may wait to be sent to a peer that does not read. */
  readonly backlog: number;
}

const LIMITS: TcpLimits = {
  connections: 1000,
  perSource: 500,
  halfMessageMs: 30_000,
  connectMs: 5000,
  idleMs: 600_000,
  backlog: 1 << 20,
};

/** One SIP connection, whichever side opened it. */
class SipConnection implements Connection {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly protocol: Protocol;
  readonly #framer = new StreamFramer();
  readonly #timers: Timers;
  readonly #events: TransportEvents;
  /** Messages on their way: those senders learn it when the connection fails. */
  readonly #waiting = new Set<(error: Error) => void>();
  #halfMessage: Timer | undefined;
  /** Whether a whole message ever came. */
  #spoke = false;
  #connecting: Timer | undefined;

  constructor(
    socket: Socket,
    place: Pick<Peer, 'protocol' | 'host' | 'port'>,
    timers: Timers,
    events: TransportEvents,
  ) {
    const { protocol, host, port } = place;
    this.socket = socket;
    this.protocol = protocol;
    this.#timers = timers;
    this.#events = events;
    this.peer = { protocol, host, port, connection: this };
    socket.setNoDelay(true);
    socket.setTimeout(LIMITS.idleMs, () => socket.destroy());
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      this.#timers.clear(this.#halfMessage);
      this.#timers.clear(this.#connecting);
      this.#fail(new Error('connection closed'));
    });
  }

  /** This side opens the connection. */
  expectConnection(connected: 'connect' | 'secureConnect'): void {
    this.#connecting = this.#timers.set(LIMITS.connectMs, () =>
      this.socket.destroy(new Error('no connection in time')),
    );
    this.socket.once(connected, () => this.#timers.clear(this.#connecting));
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
    let complete = false;
    for (const event of this.#framer.push(chunk)) {
      if (event.kind === 'message') {
        complete = true;
        this.#spoke = true;
        this.#events.message(event.text, this.peer);
      } else if (event.kind === 'ping') this.socket.write('\r\n');
      else {
        this.#events.malformed(event.reason, this.peer, event.text);
        this.socket.end();
        this.socket.destroySoon();
        return;
      }
    }
    // Bytes that trickle in win no time: only a whole message does.
    if (complete || (this.#spoke && !this.#framer.partial)) {
      this.#timers.clear(this.#halfMessage);
      this.#halfMessage = undefined;
    }
    if (this.#framer.partial) this.expectMessage();
  }

  #fail(error: Error): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const failed of waiting) failed(error);
  }
}

/** SIP over TCP or TLS (RFC 3261 18): accepts connections, and opens them where none is. */
export class TcpTransport implements Transport {
  readonly #wire: Wire;
  readonly #server: Server;
  readonly #filter: NetworkFilter;
  readonly #timers: Timers;
  readonly #events: TransportEvents;
  readonly #connections = new Set<SipConnection>();
  /** Every socket that was let in, those in the middle of a handshake included. */
  readonly #sockets = new Set<Socket>();

  private constructor(wire: Wire, server: Server, filter: NetworkFilter, timers: Timers, events: TransportEvents) {
    this.#wire = wire;
    this.#server = server;
    this.#filter = filter;
    this.#timers = timers;
    this.#events = events;
    server.on('connection', (socket) => this.#admit(socket));
    server.on(wire.accepted, (socket: Socket) => this.#accept(socket));
    server.on('error', () => undefined);
  }

  static async listen(
    wire: Wire,
    host: string,
    port: number,
    filter: NetworkFilter,
    timers: Timers,
    events: TransportEvents,
  ): Promise<TcpTransport> {
    const server = wire.server();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new TcpTransport(wire, server, filter, timers, events);
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
    const sockets = new Set([...this.#sockets, ...[...this.#connections].map(({ socket }) => socket)]);
    const gone = [...sockets].map((socket) => {
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
    const connection = this.#keep(this.#wire.connect(peer), peer.host, peer.port);
    connection.expectConnection(this.#wire.connected);
    return connection;
  }

  #admit(socket: Socket): void {
    const host = plainAddress(socket.remoteAddress ?? '');
    if (!this.#filter.admits(host)) {
      socket.destroy();
      return;
    }
    const same = [...this.#sockets].filter(({ remoteAddress }) => remoteAddress === socket.remoteAddress).length;
    if (this.#sockets.size >= LIMITS.connections || same >= LIMITS.perSource) {
      const source: Peer = { protocol: this.#wire.protocol, host, port: socket.remotePort ?? 0 };
      this.#events.malformed(`too many connections (${same} from there)`, source, hostText(host));
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #accept(socket: Socket): void {
    if (socket.destroyed) return;
    this.#keep(socket, plainAddress(socket.remoteAddress ?? ''), socket.remotePort ?? 0).expectMessage();
  }

  #keep(socket: Socket, host: string, port: number): SipConnection {
    const { protocol } = this.#wire;
    const connection = new SipConnection(socket, { protocol, host, port }, this.#timers, this.#events);
    this.#connections.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
    return connection;
  }
}
