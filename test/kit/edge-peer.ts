import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type Server, type Socket as TcpSocket } from 'node:net';
import {
  type ConnectionOptions,
  createServer as createTlsServer,
  type TlsOptions,
  connect as tlsConnect,
} from 'node:tls';

/** A SIP message as the peer saw it: nothing but text taken apart, so that it shares no code with what it tests. */
export class SeenMessage {
  readonly startLine: string;
  readonly lines: string[];
  readonly body: string;

  constructor(readonly text: string) {
    const end = text.indexOf('\r\n\r\n');
    const [startLine = '', ...lines] = text.slice(0, end).split('\r\n');
    this.startLine = startLine;
    this.lines = lines;
    this.body = text.slice(end + 4);
  }

  /** The first value of a header; empty when it is not there. */
  get(name: string): string {
    return this.all(name)[0] ?? '';
  }

  all(name: string): string[] {
    const prefix = `${name.toLowerCase()}:`;
    return this.lines
      .filter((line) => line.toLowerCase().startsWith(prefix))
      .map((line) => line.slice(prefix.length).trim());
  }

  /** Zero for a request. */
  get status(): number {
    return this.startLine.startsWith('SIP/2.0 ') ? Number(this.startLine.slice(8, 11)) : 0;
  }

  get method(): string {
    return this.status > 0 ? (this.get('cseq').split(' ')[1] ?? '') : (this.startLine.split(' ')[0] ?? '');
  }
}

type Test = (message: SeenMessage) => boolean;

/** A scripted SIP user agent on 127.0.0.1: says exactly what a test tells it to, and remembers all it was sent. */
export class SipPeer {
  /** Everything received, in order. */
  readonly seen: SeenMessage[] = [];
  readonly port: number;
  /** Which messages are lost, on their way in or out. */
  loses: Test = () => false;
  /** Takes what is sent once more, byte by byte the same, for what it is: as a real user agent, and unlike those that test it. */
  absorbs = false;
  /** Does something about each message that arrives. */
  reacts: (message: SeenMessage) => void = () => undefined;
  readonly #write: (text: string) => void;
  readonly #end: () => void;
  #closed = false;
  readonly #unread: SeenMessage[] = [];
  readonly #waiting = new Set<{ test: Test; found: (message: SeenMessage) => void }>();

  private constructor(port: number, write: (text: string) => void, end: () => void) {
    this.port = port;
    this.#write = write;
    this.#end = end;
  }

  /** @param host the loopback address of both ends */
  static async udp(remotePort: number, host = '127.0.0.1', port = 0): Promise<SipPeer> {
    const socket: UdpSocket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    const write = (text: string) => socket.send(Buffer.from(text, 'latin1'), remotePort, host);
    // What was sent last is written before.
    const end = () => setImmediate(() => socket.close());
    const peer = new SipPeer(socket.address().port, write, end);
    socket.on('message', (data) => peer.#receive(data.toString('utf8')));
    return peer;
  }

  /** Connects over TCP; its Contact is the connection's own port. */
  static async tcp(remotePort: number): Promise<SipPeer> {
    const socket = connect(remotePort, '127.0.0.1');
    await once(socket, 'connect');
    return SipPeer.#ofSocket(socket);
  }

  /** Connects over TLS. */
  static async tls(remotePort: number, options: ConnectionOptions): Promise<SipPeer> {
    const socket = tlsConnect({ ...options, port: remotePort, host: '127.0.0.1' });
    await once(socket, 'secureConnect');
    return SipPeer.#ofSocket(socket);
  }

  static #ofSocket(socket: TcpSocket): SipPeer {
    const peer = new SipPeer(
      socket.localPort ?? 0,
      (text) => socket.write(text, 'latin1'),
      () => socket.destroy(),
    );
    peer.#follow(socket);
    return peer;
  }

  /** Waits on TCP for the other side to connect. */
  static tcpServer(): Promise<SipPeer> {
    return SipPeer.#ofServer(createServer(), 'connection');
  }

  /** Waits on TLS for the other side to connect. */
  static tlsServer(options: TlsOptions): Promise<SipPeer> {
    return SipPeer.#ofServer(createTlsServer(options), 'secureConnection');
  }

  static async #ofServer(server: Server, accepted: 'connection' | 'secureConnection'): Promise<SipPeer> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const sockets: TcpSocket[] = [];
    const peer = new SipPeer(
      address !== null && typeof address === 'object' ? address.port : 0,
      (text) => sockets.at(-1)?.write(text, 'latin1'),
      () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    );
    server.on('tlsClientError', () => undefined);
    server.on(accepted, (socket: TcpSocket) => {
      sockets.push(socket);
      peer.#follow(socket);
    });
    return peer;
  }

  #follow(socket: TcpSocket): void {
    let pending = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('latin1');
      for (;;) {
        const end = pending.indexOf('\r\n\r\n');
        const length = Number(/content-length: *(\d+)/i.exec(pending.slice(0, end))?.[1] ?? 0);
        if (end < 0 || pending.length < end + 4 + length) return;
        this.#receive(pending.slice(0, end + 4 + length));
        pending = pending.slice(end + 4 + length);
      }
    });
  }

  #receive(text: string): void {
    const message = new SeenMessage(text);
    if (this.loses(message) || (this.absorbs && this.seen.some((one) => one.text === text))) return;
    this.seen.push(message);
    this.reacts(message);
    for (const waiter of this.#waiting) {
      if (!waiter.test(message)) continue;
      this.#waiting.delete(waiter);
      waiter.found(message);
      return;
    }
    this.#unread.push(message);
  }

  send(text: string): void {
    if (!this.loses(new SeenMessage(text))) this.#write(text);
  }

  /** Sends again and again, as a real user agent over UDP does, until something that passes has come. */
  async persist(text: string, test: Test, everyMs: number): Promise<SeenMessage> {
    return this.repeat(() => this.send(text), test, everyMs);
  }

  /** Does something at once, and again and again until something that passes has come, or the peer is closed. */
  async repeat(action: () => void, test: Test, everyMs: number): Promise<SeenMessage> {
    action();
    const timer = setInterval(() => (this.#closed ? clearInterval(timer) : action()), everyMs);
    try {
      return await this.next(test);
    } finally {
      clearInterval(timer);
    }
  }

  /** The next message, already here or to come, that passes; earlier ones that do not are kept for others. */
  next(test: Test): Promise<SeenMessage> {
    const at = this.#unread.findIndex(test);
    const [ready] = at < 0 ? [] : this.#unread.splice(at, 1);
    if (ready) return Promise.resolve(ready);
    return new Promise((found) => this.#waiting.add({ test, found }));
  }

  response(status: number, method?: string): Promise<SeenMessage> {
    return this.next((m) => m.status === status && (method === undefined || m.method === method));
  }

  request(method: string): Promise<SeenMessage> {
    return this.next((m) => m.status === 0 && m.method === method);
  }

  /** Answers a request with its own Via, From, To, Call-ID and CSeq. */
  answer(request: SeenMessage, start: string, tag = '', extra: string[] = [], body = ''): void {
    const to = request.get('to');
    const lines = [
      `SIP/2.0 ${start}`,
      ...request.all('via').map((value) => `Via: ${value}`),
      ...request.all('record-route').map((value) => `Record-Route: ${value}`),
      `From: ${request.get('from')}`,
      `To: ${to.includes('tag=') || tag === '' ? to : `${to};tag=${tag}`}`,
      `Call-ID: ${request.get('call-id')}`,
      `CSeq: ${request.get('cseq')}`,
      ...extra,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
    ];
    this.send(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }
}

let serial = 0;

type Transport = 'UDP' | 'TCP' | 'TLS';

/** One call as a scripted caller makes it: the texts of its requests, with everything in them that must fit. */
export class ScriptedCall {
  readonly callId: string;
  readonly tag: string;
  readonly #peer: SipPeer;
  readonly #transport: Transport;
  readonly #uri: string;
  toTag = '';
  target: string;
  cseq = 1;
  branch = '';

  constructor(peer: SipPeer, uri: string, transport: Transport = 'UDP') {
    serial++;
    this.#peer = peer;
    this.#uri = uri;
    this.target = uri;
    this.#transport = transport;
    this.callId = `call-${serial}-${process.pid}@peer`;
    this.tag = `from${serial}`;
  }

  /** A request of this call; a new branch and CSeq unless it is ACK or CANCEL. */
  text(method: string, options: { extra?: string[]; body?: string; sameBranch?: boolean } = {}): string {
    const { extra = [], body = '' } = options;
    if (method !== 'ACK' && method !== 'CANCEL' && method !== 'INVITE') this.cseq++;
    if (!options.sameBranch) this.branch = `z9hG4bK-${serial}-${method}-${Math.random().toString(36).slice(2)}`;
    const lines = [
      `${method} ${method === 'CANCEL' ? this.#uri : this.target} SIP/2.0`,
      `Via: SIP/2.0/${this.#transport} 127.0.0.1:${this.#peer.port};rport;branch=${this.branch}`,
      'Max-Forwards: 70',
      `From: "Caller" <sip:caller@127.0.0.1:${this.#peer.port}>;tag=${this.tag}`,
      `To: <${this.#uri}>${this.toTag === '' ? '' : `;tag=${this.toTag}`}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${this.cseq} ${method}`,
      `Contact: <sip:caller@127.0.0.1:${this.#peer.port}${this.#transport === 'UDP' ? '' : `;transport=${this.#transport.toLowerCase()}`}>`,
      ...extra,
      ...(body === '' || extra.some((line) => line.startsWith('Content-Type'))
        ? []
        : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
    ];
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  }

  send(method: string, options: { extra?: string[]; body?: string; sameBranch?: boolean } = {}): void {
    this.#peer.send(this.text(method, options));
  }

  /** The messages of this call only. */
  next(test: Test): Promise<SeenMessage> {
    return this.#peer.next((message) => message.get('call-id') === this.callId && test(message));
  }

  async response(status: number, method?: string): Promise<SeenMessage> {
    const response = await this.next((m) => m.status === status && (method === undefined || m.method === method));
    const tag = /;tag=([^;]+)/.exec(response.get('to'))?.[1];
    const contact = /<([^>]+)>/.exec(response.get('contact'))?.[1];
    if (tag !== undefined && response.status < 300) this.toTag = tag;
    if (contact !== undefined && response.status < 300) this.target = contact;
    return response;
  }

  request(method: string): Promise<SeenMessage> {
    return this.next((m) => m.status === 0 && m.method === method);
  }
}
