import { ParleyError, reasonOf } from '../../errors.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { Logger } from '../../telemetry/log.js';
import { callIdOf, type WireMessage } from '../trace/wire.js';
import type { Application } from './application/application.js';
import { Applications } from './application/applications.js';
import { CallRecords } from './application/call-records.js';
import type { Frame } from './application/frames.js';
import { reroute } from './compose.js';
import type { Core } from './core.js';
import { Counters, type EdgeCounts } from './counters.js';
import { DialogTable } from './dialog/dialog.js';
import { type Inheritance, InheritedDialogs } from './inherited-dialogs.js';
import { fieldOf } from './message/message.js';
import { parseMessage } from './message/parse.js';
import { hostText } from './message/uri.js';
import { SipProxy } from './proxy/proxy.js';
import { Reception } from './reception.js';
import { type RequestHandler, RequestHandlers } from './request-handlers.js';
import { DEFAULT_TIMINGS, type SipTimings, Timers } from './timers.js';
import { type Send, TransactionTable } from './transaction/transactions.js';
import { openDns } from './transport/dns.js';
import { LocalAddress } from './transport/local-address.js';
import { NetworkFilter } from './transport/network-filter.js';
import { NextHopResolver } from './transport/next-hop.js';
import { DEFENCE, type Defence, SourceGuard } from './transport/source-guard.js';
import type { TlsOptions } from './transport/tls.js';
import type { Peer } from './transport/transport.js';
import { Transports } from './transport/transports.js';
import { ClientRequests } from './ua/client-requests.js';
import { DialogClient } from './ua/dialog-client.js';
import { Uac } from './ua/uac.js';
import { Uas } from './ua/uas.js';

/** What an edge needs to know; the same for one in-process and one in its own thread. */
export interface EdgeServerOptions extends Inheritance {
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
  /** For tests: shorter RFC 3261 base intervals. */
  readonly timings?: Partial<SipTimings>;
}

/** How long open requests (the BYEs above all) may take to be answered when the edge is closed, in ms. */
const CLOSING_MS = 400;

/** The embedded SIP edge: SIP on one side, drachtio's control protocol on the other. */
export class EdgeServer {
  readonly #core: Core;
  readonly #transports: Transports;
  readonly #filter: NetworkFilter;
  readonly #requests: ClientRequests;
  readonly #dialogs: DialogClient;
  readonly #uac: Uac;
  readonly #uas: Uas;
  readonly #proxy: SipProxy;
  readonly #reception: Reception;
  readonly #inherited: InheritedDialogs;
  readonly sipHost: string;

  private constructor(options: EdgeServerOptions, core: Core, transports: Transports, filter: NetworkFilter) {
    this.#core = core;
    this.#transports = transports;
    this.#filter = filter;
    this.sipHost = options.sip.host;
    this.#requests = new ClientRequests(core);
    this.#dialogs = new DialogClient(core, this.#requests);
    this.#uac = new Uac(core, this.#requests, this.#dialogs);
    this.#uas = new Uas(core, this.#dialogs);
    this.#proxy = new SipProxy(core, this.#uas, options.secret);
    this.#inherited = new InheritedDialogs(core, this.#dialogs, options);
    this.#reception = new Reception(core, filter, {
      uas: this.#uas,
      proxy: this.#proxy,
      handlers: new RequestHandlers(core, this.#uas, this.#proxy, options.requestHandlers ?? []),
      isAwaited: (received) => this.#inherited.isAwaited(received),
    });
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
    let server: EdgeServer | undefined;
    // What arrives before everything is open is dropped: it comes again.
    const serve = (what: string, work: (server: EdgeServer) => void) => guard(what, () => server && work(server));
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
          serve('message', (edge) => edge.#reception.receive(text, source));
        },
        malformed: (reason, source, text) =>
          serve('message', (edge) => edge.#reception.unreadable(reason, source, text)),
      },
    });
    const local = new LocalAddress(sip.host, transports.port, options.externalAddress, transports.tlsPort);
    const applications = await Applications.listen(control, {
      secret,
      endpoints: local.endpoints,
      timers,
      events: {
        sip: (app, frame) => serve('frame', (edge) => edge.#frame(app, frame)),
        proxy: (app, frame) => serve('frame', (edge) => edge.#proxy.request(app, frame)),
        gone: (app) => serve('application gone', (edge) => edge.#gone(app)),
        connected: (app) => serve('application', (edge) => edge.#inherited.restore(app)),
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

  /** A `sip` frame of an application, told apart as drachtio-server does. */
  #frame(app: Application, frame: Frame): void {
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

  #gone(app: Application): void {
    this.#core.log.info('application gone');
    this.#release(app);
  }

  /** Ends everything an application has open. */
  #release(app: Application): void {
    this.#uas.applicationGone(app);
    this.#uac.applicationGone(app);
  }
}
