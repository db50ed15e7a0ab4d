import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { until } from './until.js';

/** A SIP message as the kit reads it: enough for its own calls, tolerant, and nobody else's parser. */
export interface PeerMessage {
  start: string;
  /** 0 for a request. */
  status: number;
  /** Empty for a response. */
  method: string;
  /** First value of a header by its lower-case name. */
  header(name: string): string;
  body: string;
  raw: string;
}

/** Where a peer sends to. */
export interface SipTarget {
  host: string;
  port: number;
}

/** A UDP SIP peer that sends whatever a test wants to send, and can make plain calls. */
export class RawPeer {
  readonly received: PeerMessage[] = [];
  readonly port: number;
  private readonly calls = new Map<string, PeerCall>();
  private closed = false;

  private constructor(
    private readonly socket: Socket,
    readonly target: SipTarget,
    readonly host: string,
    /** Who calls: the user part of From. */
    readonly name: string,
  ) {
    this.port = socket.address().port;
    socket.on('message', (bytes) => this.receive(bytes));
  }

  /** @param host address of this machine that it sends from */
  static async open(target: SipTarget, host = '127.0.0.1', name = 'kit'): Promise<RawPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, host, resolve);
    });
    return new RawPeer(socket, target, host, name);
  }

  /** One datagram, as it is. */
  send(message: string | Buffer): void {
    const { host, port } = this.target;
    this.socket.send(message, port, host);
  }

  /** Waits for a message, also one that came earlier. */
  message(what: string, match: (message: PeerMessage) => boolean, ms = 5000): Promise<PeerMessage> {
    return until(what, () => this.received.find(match), { ms, everyMs: 5 });
  }

  /** Sends an INVITE with this offer. */
  invite(number: string, sdp: string, headers: readonly string[] = []): PeerCall {
    const call = new PeerCall(this, number, sdp, headers);
    this.calls.set(call.callId, call);
    call.send('INVITE', 1, sdp);
    return call;
  }

  /** An OPTIONS with a fresh Call-ID; resolves with the response. */
  async options(number = 'ping'): Promise<PeerMessage> {
    const call = new PeerCall(this, number, '', []);
    call.send('OPTIONS', 1);
    return this.message('response to OPTIONS', (m) => m.status >= 200 && m.header('call-id') === call.callId);
  }

  /** Twice does no harm. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private receive(bytes: Buffer): void {
    const message = parse(bytes.toString('utf8'));
    if (!message) return;
    this.received.push(message);
    const call = this.calls.get(message.header('call-id'));
    if (!call && message.status === 200 && message.header('cseq').endsWith(' INVITE')) this.decline(message);
    // A request inside a call is the other side's business with us: BYE, INFO, re-INVITE; all are agreed to.
    if (call && message.status === 0 && message.method !== 'ACK') {
      if (message.method === 'BYE') call.closed();
      if (message.method === 'INVITE' && message.body) call.reoffered(message.body);
      this.send(agree(message, call.sdp, this.port));
    }
  }

  /** Something that a test sent as it is was answered: ACK and BYE, so that no call is left standing. */
  private decline(response: PeerMessage): void {
    const request = (method: string, sequence: number) =>
      [
        `${method} sip:${this.target.host}:${this.target.port} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${this.port};rport;branch=z9hG4bK${randomBytes(6).toString('hex')}`,
        ...['From', 'To', 'Call-ID'].map((name) => `${name}: ${response.header(name.toLowerCase())}`),
        `CSeq: ${sequence} ${method}`,
        'Max-Forwards: 70',
        'Content-Length: 0',
      ]
        .join('\r\n')
        .concat('\r\n\r\n');
    const sequence = Number.parseInt(response.header('cseq'), 10);
    this.send(request('ACK', sequence));
    this.send(request('BYE', sequence + 1));
  }
}

/** One outgoing call of a {@link RawPeer}. */
export class PeerCall {
  readonly callId = `${randomBytes(8).toString('hex')}@kit`;
  /** Told of the SDP of each offer that the other side makes in the call; it is agreed to. */
  reoffered: (sdp: string) => void = () => undefined;
  /** Whether the other side has sent BYE. */
  ended = false;
  /** Whether a dialog stands: 2xx was acknowledged, and neither side has sent BYE. */
  open = false;
  private readonly tag = randomBytes(4).toString('hex');
  private branch = '';
  private invite = '';
  private to: string;
  private sequence = 1;
  /** CSeq number of the last INVITE: an ACK has the same. */
  private invited = 1;

  constructor(
    private readonly peer: RawPeer,
    private readonly number: string,
    readonly sdp: string,
    private readonly headers: readonly string[],
  ) {
    this.to = `<${this.uri}>`;
  }

  /** This dialog as another phone names it to take its place (RFC 3891). */
  get replaces(): string {
    return `${this.callId};to-tag=${/;tag=([^;]+)/.exec(this.to)?.[1]};from-tag=${this.tag}`;
  }

  /** The other side has sent BYE. */
  closed(): void {
    this.ended = true;
    this.open = false;
  }

  /** Sends the INVITE again as it was, as a client does that has seen no response. */
  repeatInvite(): void {
    this.peer.send(this.invite);
  }

  /** Waits for a final response to the INVITE. */
  final(ms = 10_000): Promise<PeerMessage> {
    return this.response('INVITE', 1, ms);
  }

  /** Waits for 200, sends ACK, and returns the 200 (its body is the answer). */
  async answered(ms = 10_000): Promise<PeerMessage> {
    const response = await this.final(ms);
    if (response.status !== 200) throw new Error(`INVITE was answered ${response.start}`);
    this.acknowledge(response);
    return response;
  }

  /** ACK of a 2xx (its own branch) or of a refusal (the INVITE's). `sdp`: our answer to an offer in the 200. */
  acknowledge(response: PeerMessage, sdp = ''): void {
    this.to = response.header('to');
    this.open = response.status < 300;
    const branch = response.status < 300 ? undefined : this.branch;
    this.peer.send(this.request('ACK', this.invited, sdp, branch));
  }

  /** Sends a request inside the call and waits for its final response; a 200 to an INVITE is acknowledged. */
  async again(method: string, sdp = '', headers: readonly string[] = []): Promise<PeerMessage> {
    this.sequence++;
    this.send(method, this.sequence, sdp, headers);
    const response = await this.response(method, this.sequence, 5000);
    if (method === 'INVITE') this.acknowledge(response);
    return response;
  }

  /** CANCEL of the INVITE. */
  cancel(): void {
    this.peer.send(this.request('CANCEL', this.invited, '', this.branch));
  }

  /** BYE, and waits for its response. */
  async bye(): Promise<PeerMessage> {
    this.open = false;
    this.sequence++;
    this.send('BYE', this.sequence);
    return this.response('BYE', this.sequence, 5000);
  }

  /** Sends a request with a fresh branch. */
  send(method: string, sequence: number, body = '', headers: readonly string[] = []): void {
    const branch = `z9hG4bK${randomBytes(6).toString('hex')}`;
    const request = this.request(method, sequence, body, branch, headers);
    if (method === 'INVITE') {
      this.invited = sequence;
      this.branch = branch;
      this.invite = request;
    }
    this.peer.send(request);
  }

  private response(method: string, sequence: number, ms: number): Promise<PeerMessage> {
    const cseq = `${sequence} ${method}`;
    return this.peer.message(
      `final response to ${method}`,
      (m) => m.status >= 200 && m.header('call-id') === this.callId && m.header('cseq') === cseq,
      ms,
    );
  }

  private get uri(): string {
    return `sip:${this.number}@${this.peer.target.host}:${this.peer.target.port}`;
  }

  private request(
    method: string,
    sequence: number,
    body: string,
    branch?: string,
    headers: readonly string[] = [],
  ): string {
    const own = `sip:${this.peer.name}@${this.peer.host}:${this.peer.port}`;
    const lines = [
      `${method} ${this.uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.peer.host}:${this.peer.port};rport;branch=${branch ?? `z9hG4bK${randomBytes(6).toString('hex')}`}`,
      'Max-Forwards: 70',
      `From: "Kit" <${own}>;tag=${this.tag}`,
      `To: ${this.to}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${sequence} ${method}`,
      `Contact: <${own}>`,
      ...this.headers,
      ...headers,
      ...(body && ![...this.headers, ...headers].some((one) => /^content-type:/i.test(one))
        ? ['Content-Type: application/sdp']
        : []),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  }
}

function parse(raw: string): PeerMessage | undefined {
  const end = raw.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [start = '', ...lines] = raw.slice(0, end).split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (colon > 0 && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  const status = /^SIP\/2\.0 (\d{3})/.exec(start)?.[1];
  return {
    start,
    status: status ? Number(status) : 0,
    method: status ? '' : (start.split(' ')[0] ?? ''),
    header: (name) => headers.get(name) ?? '',
    body: raw.slice(end + 4),
    raw,
  };
}

function agree(request: PeerMessage, sdp: string, port: number): string {
  const copied = request.raw
    .split('\r\n')
    .filter((line) => /^(via|from|to|call-id|cseq|record-route):/i.test(line))
    .join('\r\n');
  const body = request.method === 'INVITE' ? sdp : '';
  const type = body ? 'Content-Type: application/sdp\r\n' : '';
  const contact = /Contact: .*/.exec(request.raw) ? `Contact: <sip:kit@127.0.0.1:${port}>\r\n` : '';
  return `SIP/2.0 200 OK\r\n${copied}\r\n${contact}${type}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
