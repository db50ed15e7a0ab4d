import { ParleyError, reasonOf } from '../../errors.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { Logger } from '../../telemetry/log.js';
import { callIdOf, type WireMessage } from '../trace/wire.js';
import type { Application } from './application.js';
import { Applications } from './applications.js';
import { CallRecords } from './call-records.js';
import { ClientRequests } from './client-requests.js';
import { newTag, plainResponse, reroute } from './compose.js';
import type { Core } from './core.js';
import { Counters, type EdgeCounts } from './counters.js';
import { DialogTable, tagsOf } from './dialog.js';
import { DialogClient } from './dialog-client.js';
import { type DialogRecord, dialogOf, recordOf } from './dialog-record.js';
import { openDns } from './dns.js';
import type { Frame } from './frames.js';
import { sentBy, split } from './headers.js';
import { LocalAddress } from './local-address.js';
import { LogThrottle } from './log-throttle.js';
import { fieldOf, header, type SipMessage } from './message.js';
import { isScanner, NetworkFilter } from './network-filter.js';
import { NextHopResolver } from './next-hop.js';
import { type Fault, parseMessage } from './parse.js';
import { SipProxy } from './proxy.js';
import {
  admit,
  cutBody,
  markSource,
  type Received,
  type ReceivedRequest,
  type ReceivedResponse,
  replyPath,
} from './received.js';
import { type RequestHandler, RequestHandlers } from './request-handlers.js';
import { serialise } from './serialise.js';
import { DEFENCE, type Defence, SourceGuard } from './source-guard.js';
import { DEFAULT_TIMINGS, type SipTimings, Timers } from './timers.js';
import type { TlsOptions } from './tls.js';
import { type Send, TransactionTable } from './transactions.js';
import type { Peer } from './transport.js';
import { Transports } from './transports.js';
import { Uac } from './uac.js';
import { Uas } from './uas.js';
import { hostText } from './uri.js';

/** What an edge needs to know; the same for one in-process and one in its own thread. */
export interface EdgeServerOptions {
  /** Port 0: any free port, the same number on UDP and TCP. */
  readonly sip: { readonly host: string; readonly port: number };
  readonly control: { readonly host: string; readonly port: number };
  readonly secret: string;
  /** CIDR blocks; sources outside get no answer at all. */
  readonly allowedNetworks: readonly string[];
  /** Host put into Via and Contact when behind NAT; by default the local address. */
  readonly externalAddress?: string;
  readonly tls?: TlsOptions;
  /** Name servers, `address` or `address:port`, instead of the system's. */
  readonly dnsServers?: readonly string[];
  readonly log: Logger;
  /** Requests that go to no connected application. */
  readonly requestHandlers?: readonly RequestHandler[];
  /** Bounds on what one source may ask for; what is left out has its default. */
  readonly defence?: Partial<Defence>;
  /** Told of each message of a call, repetitions and those of the edge itself included. */
  readonly wire?: (message: WireMessage) => void;
  /** Dialogs of an edge before this one, which crashed: they go on with the application that connects first. */
  readonly dialogs?: readonly DialogRecord[];
  /** Dialogs of a process before this one, which nobody knows any more: they are ended with BYE. */
  readonly left?: readonly DialogRecord[];
  /** Told what of each confirmed dialog such an edge needs, whenever it changes; undefined when it has ended. */
  readonly keep?: (id: string, record: DialogRecord | undefined) => void;
  /** For tests: shorter RFC 3261 base intervals. */
  readonly timings?: Partial<SipTimings>;
}

/** How long open requests (the BYEs above all) may take to be answered when the edge is closed, in ms. */
const CLOSING_MS = 400;

const REASONS: Readonly<Record<Fault['status'], string>> = {
  400: 'Bad Request',
  413: 'Request Entity Too Large',
  416: 'Unsupported URI Scheme',
  505: 'Version Not Supported',
};

/** The embedded SIP edge: SIP on one side, drachtio's control protocol on the other. */
export class EdgeServer {
  readonly #core: Core;
  readonly #transports: Transports;
  readonly #filter: NetworkFilter;
  readonly #throttle: LogThrottle;
  readonly #requests: ClientRequests;
  readonly #dialogs: DialogClient;
  readonly #uac: Uac;
  readonly #uas: Uas;
  readonly #proxy: SipProxy;
  readonly #handlers: RequestHandlers;
  /** Dialogs of the edge before, until the application is there, by Call-ID and both tags. */
  readonly #waiting: Map<string, DialogRecord>;
  #left: readonly DialogRecord[];
  #keep: NonNullable<EdgeServerOptions['keep']> = () => undefined;
  readonly sipHost: string;

  private constructor(options: EdgeServerOptions, core: Core, transports: Transports, filter: NetworkFilter) {
    this.#core = core;
    this.#transports = transports;
    this.#filter = filter;
    this.sipHost = options.sip.host;
    this.#throttle = new LogThrottle(core.log);
    this.#requests = new ClientRequests(core);
    this.#dialogs = new DialogClient(core, this.#requests);
    this.#uac = new Uac(core, this.#requests, this.#dialogs);
    this.#uas = new Uas(core, this.#dialogs);
    this.#proxy = new SipProxy(core, this.#uas, options.secret);
    this.#handlers = new RequestHandlers(core, this.#uas, this.#proxy, options.requestHandlers ?? []);
    this.#left = options.left ?? [];
    this.#waiting = new Map((options.dialogs ?? []).map((record) => [tagsOf(record), record]));
    const { keep } = options;
    if (!keep) return;
    this.#keep = keep;
    for (const record of this.#waiting.values()) keep(record.id, record);
    core.dialogs.onRemoved = (id) => keep(id, undefined);
    this.#dialogs.sessions.onAgreed = (dialog, session) => keep(dialog.id, recordOf(dialog, session));
  }

  /**
   * Binds SIP on UDP, TCP and, when configured, TLS, then the control port.
   *
   * @throws ParleyError `PARLEY_ERR_EDGE_LISTEN`, `PARLEY_ERR_EDGE_NETWORK`, `PARLEY_ERR_EDGE_TLS`
   */
  static async start(options: EdgeServerOptions): Promise<EdgeServer> {
    const { log, control, secret, sip } = options;
    const guard = (what: string, work: () => void) => {
      try {
        work();
      } catch (error) {
        log.error({ err: error, what }, 'the edge failed on one event');
      }
    };
    // Nothing can arrive for the server before this function, having opened the sockets, has made it.
    let server: EdgeServer | undefined;
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const timers = new Timers((error) => log.error({ err: error }, 'the edge failed on a timer'));
    const filter = new NetworkFilter(options.allowedNetworks);
    const sources = new SourceGuard({ ...DEFENCE, ...options.defence });
    const counters = new Counters();
    const note = (out: boolean, text: string, { protocol, host, port }: Peer) => {
      if (options.wire && callIdOf(text) !== undefined)
        options.wire({ at: Date.now(), out, protocol, host, port, text });
    };
    const transports = await Transports.open({
      ...sip,
      tls: options.tls,
      filter,
      timers,
      events: {
        message: (text, source) => {
          // Before anything answers it.
          note(false, text, source);
          guard('message', () => server?.receive(text, source));
        },
        malformed: (reason, source, text) => guard('message', () => server?.unreadable(reason, source, text)),
      },
    });
    const local = new LocalAddress(sip.host, transports.port, options.externalAddress, transports.tlsPort);
    const applications = await Applications.listen(control, {
      secret,
      endpoints: local.endpoints,
      timers,
      events: {
        sip: (app, frame) => guard('frame', () => server?.frame(app, frame)),
        proxy: (app, frame) => guard('frame', () => server?.proxyFrame(app, frame)),
        gone: (app) => guard('application gone', () => server?.gone(app)),
        connected: (app) => guard('application', () => server?.restore(app)),
        log: (level, text) => log[level](text),
      },
    }).catch(async (error: unknown) => {
      await transports.close();
      const address = `${hostText(control.host)}:${control.port}`;
      throw new ParleyError('PARLEY_ERR_EDGE_LISTEN', { address, reason: reasonOf(error) }, { cause: error });
    });
    const send: Send = (text, peer, failed) => {
      counters.message('out', text);
      note(true, text, peer);
      transports.send(text, peer, failed);
    };
    const { families } = local;
    const dns = openDns(options.dnsServers);
    const resolver = new NextHopResolver({ protocols: transports.protocols, families, dns });
    const core: Core = {
      log,
      timers,
      timings,
      transactions: new TransactionTable({
        timers,
        timings,
        send,
        expect: (peer) => filter.expect(peer.host),
        reroute: (request, peer) => reroute(request, local.end(peer)),
        health: resolver,
      }),
      dialogs: new DialogTable(),
      applications,
      records: new CallRecords(applications),
      counters,
      sources,
      local,
      resolver,
      send,
      guard,
    };
    server = new EdgeServer(options, core, transports, filter);
    return server;
  }

  get controlPort(): number {
    return this.#core.applications.port;
  }

  get sipPort(): number {
    return this.#core.local.port;
  }

  get tlsPort(): number | undefined {
    return this.#core.local.tlsPort;
  }

  /** Who may send SIP from now on. @throws ParleyError `PARLEY_ERR_EDGE_NETWORK` */
  allow(networks: readonly string[]): void {
    this.#filter.replace(networks);
  }

  counts(): EdgeCounts {
    const { transactions, dialogs, timers, applications } = this.#core;
    return {
      transactions: transactions.count,
      dialogs: dialogs.count,
      tcpConnections: this.#transports.connections,
      timers: timers.count,
      applications: applications.count,
    };
  }

  /** What it has done so far, in Prometheus' text format. */
  metrics(): string {
    return this.#core.counters.text(this.counts());
  }

  /** Ends what applications have open, gives the peers a moment to answer, then closes everything. */
  async close(): Promise<void> {
    const { transactions, timers, applications } = this.#core;
    for (const app of applications.all()) this.#core.guard('closing', () => this.#release(app));
    // What still waits for an ACK, or for the answer to a CANCEL, can wait no longer.
    for (const dialog of this.#core.dialogs.all()) {
      if (dialog.confirmed && !dialog.ending) this.#dialogs.end(dialog, 'server closing', false);
      else this.#core.dialogs.remove(dialog);
    }
    const until = monotonicMs() + CLOSING_MS;
    while (transactions.unanswered > 0 && monotonicMs() < until)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await applications.close();
    this.#core.resolver.close();
    transactions.endAll();
    timers.clearAll();
    await this.#transports.close();
    timers.clearAll();
  }

  /** One message of the network. */
  private receive(text: string, source: Peer): void {
    const { counters } = this.#core;
    counters.message('in', text);
    const { message, fault } = parseMessage(text);
    if (!message) {
      counters.dropped('malformed');
      this.#throttle.malformed(fault?.reason ?? 'unreadable', source, text);
      return;
    }
    if (message.kind === 'request' && isScanner(fieldOf(message, 'user-agent') ?? '')) {
      counters.dropped('scanner');
      return;
    }
    const whole = source.protocol === 'udp' ? cutBody(message) : message;
    const received = fault ?? ('kind' in whole ? admit(whole, source, text.length) : whole);
    if ('status' in received) this.#refuse(message, received, source, text);
    else if (isResponse(received)) this.#response(received);
    else if (isRequest(received)) this.#request(received);
  }

  /** Stream input that can't be cut into messages. */
  private unreadable(reason: string, source: Peer, text: string): void {
    const { message } = parseMessage(text);
    if (message) this.#refuse(message, { status: 400, reason }, source, text);
    else this.#throttle.malformed(reason, source, text);
  }

  /** A request that can't be taken is answered without a transaction (RFC 3261 8.2.7); the rest is only logged. */
  #refuse(message: SipMessage, fault: Fault, source: Peer, text: string): void {
    if (!this.#filter.allows(source.host)) return;
    if (message.kind === 'request' && isScanner(fieldOf(message, 'user-agent') ?? '')) return;
    this.#throttle.malformed(fault.reason, source, text);
    const via = sentBy(split(fieldOf(message, 'via') ?? '', ',')[0] ?? '');
    if (message.kind === 'response' || message.method === 'ACK' || !via) return;
    if (!this.#core.sources.mayAnswer(source.host)) return this.#core.counters.dropped('rate');
    const request = markSource(message, via, source);
    const reason = fault.status === 400 ? `Bad Request (${fault.reason})` : REASONS[fault.status];
    const response = plainResponse(request, fault.status, reason, newTag());
    this.#core.send(serialise(response), replyPath({ source, via }));
  }

  #response(received: ReceivedResponse): void {
    if (!this.#core.transactions.receive(received)) {
      this.#core.log.debug({ callId: received.callId, from: received.source.host }, 'response of no transaction');
    }
  }

  #request(given: ReceivedRequest): void {
    const received = { ...given, message: markSource(given.message, given.via, given.source) };
    const { method } = received.message;
    const known = this.#core.transactions.findServer(received);
    if (method === 'ACK') {
      if (known && 'acknowledged' in known && known.state !== 'accepted') {
        if (received.toTag === known.toTag) this.#core.sources.confirm(received.source.host);
        known.acknowledged();
      } else if (this.#proxy.owns(received)) this.#proxy.passAck(received);
      else this.#uas.acknowledge(received);
      return;
    }
    if (known) {
      known.repeated();
      return;
    }
    // A host that was called may go on in its dialogs, and nothing else.
    const onRoute = method !== 'CANCEL' && this.#proxy.owns(received);
    const inDialog = this.#core.dialogs.match(received) !== undefined;
    // Comes again: a moment later there is who can answer it.
    if (!inDialog && this.#waiting.has(`${received.callId}|${received.toTag}|${received.fromTag}`)) return;
    if (inDialog) this.#core.sources.confirm(received.source.host);
    else if (!onRoute && !this.#filter.allows(received.source.host)) return this.#core.counters.dropped('network');
    else if (!onRoute && method !== 'CANCEL' && !this.#isWelcome(received)) return;
    if (method === 'CANCEL') this.#uas.cancel(received);
    else if (onRoute) this.#proxy.pass(received);
    else this.#uas.receive(received, (request) => this.#handlers.take(request));
  }

  /** Whether a new request of this source is looked at; the others are not answered, except by a busy edge. */
  #isWelcome(received: ReceivedRequest): boolean {
    const { sources, counters, transactions } = this.#core;
    const verdict = sources.admit(received, transactions.count);
    if (verdict === 'take') return true;
    counters.dropped(verdict);
    if (verdict !== 'overload') return false;
    const extra = [header('Retry-After', '10')];
    const response = plainResponse(received.message, 503, 'Service Unavailable', newTag(), extra);
    this.#core.send(serialise(response), replyPath(received));
    return false;
  }

  /** A `sip` frame of an application, told apart as drachtio-server does. */
  private frame(app: Application, frame: Frame): void {
    const [txnId = '', dialogId = '', routeUrl = ''] = frame.fields;
    const { message } = parseMessage(frame.payload);
    if (!message) app.refuse(frame, 'unreadable message');
    else if (message.kind === 'response') {
      if (txnId === '') app.reject(frame, 'transaction id missing');
      else this.#uas.respond(app, frame, txnId, message);
    } else if (dialogId !== '') this.#dialogs.request(app, frame, this.#core.dialogs.get(dialogId), message);
    else if (txnId !== '') this.#requests.cancel(app, frame, txnId, message);
    else {
      const callId = fieldOf(message, 'call-id');
      const dialog = callId === undefined ? undefined : this.#core.dialogs.ofCall(callId, app);
      if (dialog) this.#dialogs.request(app, frame, dialog, message);
      else this.#uac.request(app, frame, message, routeUrl);
    }
  }

  private proxyFrame(app: Application, frame: Frame): void {
    this.#proxy.request(app, frame);
  }

  private restore(app: Application): void {
    for (const record of this.#waiting.values()) {
      const dialog = dialogOf(record, app);
      this.#core.dialogs.add(dialog);
      this.#keep(dialog.id, recordOf(dialog, record.session));
      if (record.session) this.#dialogs.sessions.begin(dialog, record.session);
    }
    if (this.#waiting.size > 0)
      this.#core.log.warn({ dialogs: this.#waiting.size }, 'dialogs of the edge before go on');
    this.#waiting.clear();
    for (const record of this.#left) {
      const dialog = dialogOf(record, app);
      this.#core.dialogs.add(dialog);
      this.#dialogs.end(dialog, 'the server was started anew', false);
    }
    this.#left = [];
  }

  private gone(app: Application): void {
    this.#core.log.info('application gone');
    this.#release(app);
  }

  /** Ends everything an application has open. */
  #release(app: Application): void {
    this.#uas.applicationGone(app);
    this.#uac.applicationGone(app);
  }
}

function isRequest(received: Received): received is ReceivedRequest {
  return received.message.kind === 'request';
}

function isResponse(received: Received): received is ReceivedResponse {
  return received.message.kind === 'response';
}
