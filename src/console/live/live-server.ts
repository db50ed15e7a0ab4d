import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { ParleyError } from '../../errors.js';
import type { JournalFeed } from '../../journal/feed.js';
import type { Logger } from '../../telemetry/log.js';
import { type Access, mustBe } from '../access.js';
import type { AuditLog } from '../audit.js';
import { errorAnswer } from '../refusal.js';
import type { Principal, Role } from '../tokens.js';
import type { AudibleCall } from './audible.js';
import { audioQuery, listenIn } from './audio-socket.js';
import { guard } from './guard.js';
import { CLOSE } from './outlet.js';
import { type LiveJournals, Subscriber, type Subscription } from './subscriber.js';

const FRAME_BYTES = 16_384;
const SOCKETS_MAX = 500;
const HEARTBEAT_MS = 15_000;
/** Who shows a token that was revoked, or is worth less now. */
const NO_LONGER = new Set(['PARLEY_ERR_HTTP_UNAUTHORIZED', 'PARLEY_ERR_HTTP_FORBIDDEN', 'PARLEY_ERR_HTTP_ROLE']);
/** Browsers can set no header: the token is a subprotocol beside this one. */
const PROTOCOL = 'parley.v1';
const TOKEN_PROTOCOL = 'parley.token.';

/**
 * The WebSockets `/v1/calls/{id}/events` and `/v1/events`, see docs/guides/live-journal.md, and `/v1/calls/{id}/audio`, see
 * docs/guides/call-control.md.
 */
export class LiveServer {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_BYTES,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });

  constructor(
    private readonly journals: LiveJournals & Pick<JournalFeed, 'has'>,
    private readonly access: Access,
    private readonly logger: Logger,
    private readonly calls: { get(id: string): AudibleCall | undefined },
    private readonly audit: Pick<AuditLog, 'note'>,
    private readonly heartbeatMs = HEARTBEAT_MS,
  ) {}

  /** Takes an upgrade request of the HTTP server. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', (error) => this.logger.debug({ reason: error.message }, 'live socket'));
    try {
      const audible = /^\/v1\/calls\/([^/]{1,100})\/audio$/.exec(pathOf(request))?.[1];
      if (audible !== undefined) return await this.#listenIn(decodeURIComponent(audible), request, socket, head);
      const subscription = await this.#subscription(request);
      this.#server.handleUpgrade(request, socket, head, (ws) => {
        this.#guard(ws, request, 'viewer');
        void new Subscriber(ws, this.journals, subscription, this.logger, this.heartbeatMs).run();
      });
    } catch (error) {
      refuse(socket, error);
    }
  }

  /** How many readers there are. */
  get readers(): number {
    return this.#server.clients.size;
  }

  close(): void {
    for (const client of this.#server.clients) {
      client.close(CLOSE.away, 'the server stops');
      setTimeout(() => client.terminate(), 500).unref();
    }
  }

  async #listenIn(id: string, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const who = await this.#identify(request, 'supervisor');
    const call = this.calls.get(id);
    if (!call) throw new ParleyError('PARLEY_ERR_HTTP_NO_CALL', { call: id });
    const { searchParams } = new URL(request.url ?? '/', 'http://parley');
    const query = audioQuery.safeParse(Object.fromEntries(searchParams));
    if (!query.success) {
      const [issue] = query.error.issues;
      throw new ParleyError('PARLEY_ERR_HTTP_BODY', { reason: `${issue?.path.join('.')}: ${issue?.message}` });
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      this.#guard(ws, request, 'supervisor');
      listenIn(ws, call, id, query.data, who, this.audit);
    });
  }

  #guard(ws: WebSocket, request: IncomingMessage, role: Role): void {
    const allowed = () =>
      this.#principal(request, role).then(
        () => true,
        // A store that is away says nothing about a token.
        (error) => !(error instanceof ParleyError && NO_LONGER.has(error.code)),
      );
    guard(ws, allowed, this.heartbeatMs);
  }

  /** @throws ParleyError as `Access.identify`, PARLEY_ERR_HTTP_ROLE, PARLEY_ERR_LIVE_FULL */
  async #identify(request: IncomingMessage, role: Role): Promise<Principal> {
    const principal = await this.#principal(request, role);
    if (this.readers >= SOCKETS_MAX) throw new ParleyError('PARLEY_ERR_LIVE_FULL', { limit: SOCKETS_MAX });
    return principal;
  }

  /** @throws ParleyError as `Access.identify`, PARLEY_ERR_HTTP_ROLE */
  async #principal({ headers, socket }: IncomingMessage, role: Role): Promise<Principal> {
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
    const token = offered.find((one) => one.startsWith(TOKEN_PROTOCOL))?.slice(TOKEN_PROTOCOL.length);
    const authorization = headers.authorization ?? (token === undefined ? undefined : `Bearer ${token}`);
    const { origin, host } = headers;
    const principal = await this.access.identify({ authorization, address: socket.remoteAddress, origin, host });
    mustBe(principal, role);
    return principal;
  }

  async #subscription(request: IncomingMessage): Promise<Subscription> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://parley');
    await this.#identify(request, 'viewer');
    const partials = searchParams.get('partials') !== 'false';
    const one = /^\/v1\/calls\/([^/]{1,100})\/events$/.exec(pathname)?.[1];
    if (one !== undefined) {
      const call = decodeURIComponent(one);
      if (!(await this.journals.has(call))) throw new ParleyError('PARLEY_ERR_HTTP_NO_CALL', { call });
      return { call, after: seqOf(searchParams.get('after') ?? '0'), partials };
    }
    if (pathname !== '/v1/events') throw new ParleyError('PARLEY_ERR_HTTP_NO_CALL', { call: pathname.slice(0, 100) });
    const pairs = (searchParams.get('after') ?? '').split(',').filter((pair) => pair !== '');
    const after = pairs.map((pair): [string, number] => {
      const colon = pair.lastIndexOf(':');
      return [pair.slice(0, Math.max(0, colon)), seqOf(pair.slice(colon + 1))];
    });
    return { since: searchParams.get('since') ?? undefined, after: new Map(after), partials };
  }
}

function pathOf({ url }: IncomingMessage): string {
  return new URL(url ?? '/', 'http://parley').pathname;
}

function seqOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ParleyError('PARLEY_ERR_HTTP_BODY', { reason: `"${text.slice(0, 40)}" is no sequence number` });
}

function refuse(socket: Duplex, error: unknown): void {
  const { status, body } = errorAnswer(error);
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
}
