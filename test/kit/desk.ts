import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { SeenMessage } from './edge-peer.js';
import { RtpPeer } from './rtp-peer.js';
import { until } from './until.js';

/** Telephones of people: a SIP endpoint on 127.0.0.1 that does with each call what a test tells it to. */
export class Desk {
  readonly calls: DeskCall[] = [];
  readonly port: number;

  private constructor(private readonly socket: Socket) {
    this.port = socket.address().port;
    socket.on('message', (data, from) => this.receive(new SeenMessage(data.toString('utf8')), from));
  }

  static async open(): Promise<Desk> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new Desk(socket);
  }

  uri(user: string): string {
    return `sip:${user}@127.0.0.1:${this.port}`;
  }

  /** Waits for the next call to this phone that no test has taken yet; where several run at once, of this caller. */
  async called(user: string, caller?: string): Promise<DeskCall> {
    const isIt = (call: DeskCall) =>
      !call.taken && call.user === user && (caller === undefined || call.invite.get('from').includes(`sip:${caller}@`));
    const call = await until(`a call to ${user}`, () => this.calls.find(isIt), { ms: 15_000, everyMs: 5 });
    call.taken = true;
    return call;
  }

  close(): void {
    for (const call of this.calls) call.close();
    this.socket.close();
  }

  private receive(message: SeenMessage, from: RemoteInfo): void {
    const known = this.calls.find(({ callId }) => callId === message.get('call-id'));
    if (known) return known.receive(message);
    if (message.status > 0 || message.method !== 'INVITE') return;
    const send = (text: string) => this.socket.send(text, from.port, from.address);
    this.calls.push(new DeskCall(message, this.port, send));
  }
}

/** A call to one of the phones. */
export class DeskCall {
  taken = false;
  /** The other side has given it up: by CANCEL, or BYE. */
  ended: 'cancelled' | 'bye' | undefined;
  readonly seen: SeenMessage[] = [];
  readonly user: string;
  readonly callId: string;
  rtp: RtpPeer | undefined;
  readonly tag = randomBytes(4).toString('hex');
  private sequence = 100;

  constructor(
    public invite: SeenMessage,
    private readonly port: number,
    private readonly send: (text: string) => void,
  ) {
    this.user = /^INVITE sips?:([^@;]+)@/.exec(invite.startLine)?.[1] ?? '';
    this.callId = invite.get('call-id');
  }

  ring(): void {
    this.respond(this.invite, '180 Ringing');
  }

  refuse(status: number, reason: string, headers: readonly string[] = []): void {
    this.respond(this.invite, `${status} ${reason}`, '', this.tag, headers);
  }

  /** 407, and waits for the INVITE with the right response to it (RFC 2617); that is the one that is answered from then on. */
  async challenge(username: string, password: string): Promise<void> {
    const first = this.invite;
    const digest = 'Digest realm="desk", nonce="n1", qop="auth", algorithm=MD5';
    this.respond(first, '407 Proxy Authentication Required', '', this.tag, [`Proxy-Authenticate: ${digest}`]);
    const again = await this.got('INVITE', (message) => message.get('proxy-authorization') !== '');
    const given = again.get('proxy-authorization');
    const part = (name: string) => new RegExp(`[ ,]${name}="?([^",]+)`).exec(given)?.[1] ?? '';
    const md5 = (...parts: string[]) => createHash('md5').update(parts.join(':')).digest('hex');
    const right = [part('nonce'), part('nc'), part('cnonce'), 'auth'];
    const response = md5(md5(username, 'desk', password), ...right, md5('INVITE', part('uri')));
    if (part('response') !== response) throw new Error(`wrong credentials: ${given}`);
    this.invite = again;
  }

  /** 200 with its SDP, and RTP flows. Resolves with the ACK. */
  async answer(): Promise<void> {
    this.rtp = await RtpPeer.open();
    this.respond(this.invite, '200 OK', this.rtp.sdp());
    const offer = /\r\n\r\n(?:[\s\S]*?Content-Type: application\/sdp\r\n[\s\S]*?\r\n)?(v=0[\s\S]*?)(?:\r\n--|$)/i.exec(
      this.invite.text,
    );
    this.rtp.start(offer?.[1] ?? this.invite.body);
    await this.got('ACK');
  }

  /** Answers once more, as another branch of a forked INVITE. */
  answerTwice(): void {
    this.respond(this.invite, '200 OK', this.rtp?.sdp() ?? '', `${this.tag}-fork`);
  }

  /** This dialog as another phone names it to take its place (RFC 3891). */
  get replaces(): string {
    return `${this.callId};to-tag=${/;tag=([^;]+)/.exec(this.invite.get('from'))?.[1]};from-tag=${this.tag}`;
  }

  /** Waits for a request of the other side. */
  got(method: string, test: (message: SeenMessage) => boolean = () => true, ms = 10_000): Promise<SeenMessage> {
    return until(method, () => this.seen.find((m) => m.status === 0 && m.method === method && test(m)), {
      ms,
      everyMs: 5,
    });
  }

  /** Sends a request within the call, and resolves with its final response. */
  async ask(method: string, headers: readonly string[] = [], body = ''): Promise<SeenMessage> {
    this.sequence++;
    const cseq = `${this.sequence} ${method}`;
    this.send(this.text(method, cseq, headers, body));
    const response = await until(`response to ${method}`, () =>
      this.seen.find((m) => m.status >= 200 && m.get('cseq') === cseq),
    );
    if (method === 'INVITE') this.send(this.text('ACK', `${this.sequence} ACK`, [], ''));
    return response;
  }

  async hangUp(): Promise<void> {
    await this.ask('BYE');
    this.close();
  }

  close(): void {
    this.rtp?.close();
    this.rtp = undefined;
  }

  receive(message: SeenMessage): void {
    if (message.method === 'INVITE' && message.status === 0 && message.get('cseq') === this.invite.get('cseq')) return;
    this.seen.push(message);
    if (message.status > 0) return;
    if (message.method === 'ACK' || (message.method === 'INVITE' && message.get('proxy-authorization') !== '')) return;
    this.respond(message, '200 OK', message.method === 'INVITE' ? (this.rtp?.sdp() ?? '') : '');
    if (message.method === 'CANCEL') {
      this.ended = 'cancelled';
      this.respond(this.invite, '487 Request Terminated');
    }
    if (message.method === 'BYE') {
      this.ended ??= 'bye';
      this.close();
    }
  }

  private respond(
    request: SeenMessage,
    start: string,
    body = '',
    tag = this.tag,
    headers: readonly string[] = [],
  ): void {
    const to = request.get('to');
    const lines = [
      `SIP/2.0 ${start}`,
      ...request.all('via').map((value) => `Via: ${value}`),
      ...request.all('record-route').map((value) => `Record-Route: ${value}`),
      `From: ${request.get('from')}`,
      `To: ${to.includes('tag=') ? to : `${to};tag=${tag}`}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${request.get('cseq')}`,
      ...(headers.some((header) => header.startsWith('Contact:')) ? [] : [this.contact]),
      ...headers,
      ...(body ? ['Content-Type: application/sdp'] : []),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    this.send(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  private get contact(): string {
    return `Contact: <sip:${this.user}@127.0.0.1:${this.port}>`;
  }

  private text(method: string, cseq: string, headers: readonly string[], body: string): string {
    const target = /<([^>]+)>/.exec(this.invite.get('contact'))?.[1] ?? '';
    const to = this.invite.get('to');
    const lines = [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.port};rport;branch=z9hG4bK${randomBytes(6).toString('hex')}`,
      'Max-Forwards: 70',
      `From: ${to};tag=${this.tag}`,
      `To: ${this.invite.get('from')}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${cseq}`,
      this.contact,
      ...headers,
      ...(body && !headers.some((header) => /^content-type:/i.test(header)) ? ['Content-Type: application/sdp'] : []),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  }
}
