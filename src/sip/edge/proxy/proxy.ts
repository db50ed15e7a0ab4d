import { createHmac } from 'node:crypto';
import type { Application } from '../application/application.js';
import type { Frame } from '../application/frames.js';
import { applicationHeaders, newTag, plainResponse } from '../compose.js';
import type { Core } from '../core.js';
import { listOf, parseNameAddress } from '../message/headers.js';
import { fieldOf, fieldsOf, type Header, type SipRequest } from '../message/message.js';
import { parseMessage } from '../message/parse.js';
import { serialise } from '../message/serialise.js';
import { hostText, parseUri } from '../message/uri.js';
import type { Passed } from '../passage.js';
import type { ReceivedRequest } from '../transport/received.js';
import type { Peer } from '../transport/transport.js';
import type { Uas } from '../ua/uas.js';
import { ProxyCall, type ProxyPlan } from './proxy-call.js';
import { forwardedRequest, milliseconds, routeOnwards } from './proxy-messages.js';

/** Targets whose challenge is remembered, so that the credentials go to them. */
const CHALLENGES = 1000;

/** What is asked of the proxy. */
interface ProxyOrder {
  /** URIs, the one to try first in front. */
  readonly destination: readonly string[];
  readonly recordRoute: boolean;
  readonly followRedirects: boolean;
  readonly simultaneous: boolean;
  /** `2s` or `1500ms`; anything else is no limit. */
  readonly provisionalTimeout: string;
  readonly finalTimeout: string;
  /** Set instead of what came. */
  readonly headers?: readonly Header[];
}

/** The application that is told what becomes of a request, and the frame by which it asked. */
interface Told {
  readonly app: Application;
  readonly frame: Frame;
}

/**
 * The proxy of the edge (RFC 3261 16): requests that an application hands back to be passed on, and what follows in
 * the dialogs that they make. Whether a later request belongs to such a dialog is told by the URI that it was given
 * in Record-Route, which nobody else can make: no state is kept for a call, and nothing else is relayed.
 */
export class SipProxy {
  readonly #core: Core;
  readonly #uas: Uas;
  readonly #key: string;
  /** By nonce: the target that challenged with it. */
  readonly #challenges = new Map<string, string>();

  constructor(core: Core, uas: Uas, secret: string) {
    this.#core = core;
    this.#uas = uas;
    this.#key = `route ${secret}`;
  }

  /** `proxy|<txnId>|remainInDialog?|fullResponse?|followRedirects?|simultaneous?|<prov>|<final>|uri|uri...` */
  request(app: Application, frame: Frame): void {
    const [txnId = '', remain = '', full = '', follow = '', fork = '', provisional = '', final = '', ...uris] =
      frame.fields;
    const passed = this.#uas.release(app, txnId);
    if (!passed) {
      app.refuse(frame, `Unknown transaction id: ${txnId}`);
      return;
    }
    if (fieldOf(passed.received.message, 'max-forwards') === '0') {
      app.refuse(frame, 'Rejected with 483 Too Many Hops due to Max-Forwards value of 0');
      return this.#reject(passed, 483, 'Too Many Hops');
    }
    const given = parseMessage(frame.payload).message;
    const done = this.#forward(
      passed,
      {
        destination: uris,
        recordRoute: remain !== '',
        followRedirects: follow !== '',
        simultaneous: fork === 'simultaneous',
        provisionalTimeout: provisional,
        finalTimeout: final,
        headers: given ? applicationHeaders({ ...given, body: '' }) : [],
      },
      full === '' ? undefined : { app, frame },
    );
    if (!done) app.refuse(frame, 'error proxying request to ');
    else if (full === '') app.proxied(frame);
  }

  /** Passes a request on as a request handler said. */
  forward(passed: Passed, order: ProxyOrder): void {
    if (fieldOf(passed.received.message, 'max-forwards') === '0') this.#reject(passed, 483, 'Too Many Hops');
    else this.#forward(passed, order, undefined);
  }

  /** @returns false when there is nobody to pass it on to; the request has been answered */
  #forward(passed: Passed, order: ProxyOrder, told: Told | undefined): boolean {
    const { message, callId, source } = passed.received;
    const challenger = this.#challengerOf(message);
    const targets = challenger === undefined ? order.destination.filter((uri) => this.#isReachable(uri)) : [challenger];
    if (targets.length === 0) {
      this.#reject(passed, 500, 'Internal Server Error');
      return false;
    }
    this.#start(passed, told, {
      targets,
      simultaneous: order.simultaneous,
      followRedirects: order.followRedirects,
      provisionalMs: milliseconds(order.provisionalTimeout),
      finalMs: milliseconds(order.finalTimeout),
      recordRoute: (peer) => (order.recordRoute ? this.#ownUri(callId, source, peer) : undefined),
      headers: order.headers ?? [],
      routes: this.#otherRoutes(message),
      uri: this.#isLocal(message.uri) ? undefined : message.uri,
      next: undefined,
    });
    return true;
  }

  #start(passed: Passed, told: Told | undefined, plan: ProxyPlan): void {
    const { records } = this.#core;
    const invite = passed.received.message.method === 'INVITE';
    const call = new ProxyCall(this.#core, passed, plan, {
      sent: (request) => invite && records.attempt('application', request),
      answered: (branch, received) => {
        const { message, source, bytes } = received;
        this.#remember(branch.target, fieldsOf(message, 'www-authenticate'));
        this.#remember(branch.target, fieldsOf(message, 'proxy-authenticate'));
        if (invite) records.answered('network', 'proxy-uac', message);
        told?.app.proxyResponse(told.frame, source, bytes, message);
      },
      done: (response) => {
        if (response) this.#core.sources.answered(passed.received, response.status);
        if (invite && response) records.answered('application', 'proxy-uas', response);
        told?.app.proxied(told.frame);
      },
    });
    this.#uas.passages.follow(passed, call);
    call.start();
  }

  #reject(passed: Passed, status: number, reason: string): void {
    const response = plainResponse(passed.received.message, status, reason, newTag());
    passed.transaction.respond(response);
    if (passed.received.message.method === 'INVITE') this.#core.records.answered('application', 'proxy-uas', response);
  }

  #isReachable(target: string): boolean {
    const uri = parseUri(target);
    return uri !== undefined && this.#core.resolver.reaches(uri);
  }

  /** A Request-URI that names this edge is replaced by the target; any other one stays, as drachtio-server does it. */
  #isLocal(text: string): boolean {
    const uri = parseUri(text);
    if (!uri) return false;
    const { local } = this.#core;
    return (
      local.isSelf(uri.host, uri.port ?? 5060) || (uri.host === local.announced && (uri.port ?? 5060) === local.port)
    );
  }

  /** Some clients preload a Route to their proxy, which is us. */
  #otherRoutes(message: SipRequest): string[] {
    return listOf(message, 'route').slice(1);
  }

  #remember(target: string, challenges: readonly string[]): void {
    for (const challenge of challenges) {
      const nonce = nonceOf(challenge);
      if (nonce !== undefined) this.#challenges.set(nonce, target);
    }
    for (const oldest of this.#challenges.keys()) {
      if (this.#challenges.size <= CHALLENGES) break;
      this.#challenges.delete(oldest);
    }
  }

  #challengerOf(message: SipRequest): string | undefined {
    const credentials = message.headers.filter((line) => line.key.endsWith('authorization'));
    return credentials.map((line) => this.#challenges.get(nonceOf(line.value) ?? '')).find((uri) => uri !== undefined);
  }

  /** A URI of this edge that proves, for requests of this call, that the edge itself gave it out. */
  #ownUri(callId: string, from: Peer, to: Peer): string {
    const { host, port } = this.#core.local.end(
      from.protocol === to.protocol ? to : { protocol: 'udp', host: to.host },
    );
    const transport = from.protocol === to.protocol && to.protocol !== 'udp' ? `;transport=${to.protocol}` : '';
    return `sip:${hostText(host)}:${port}${transport};lr;call=${this.#tokenOf(callId)}`;
  }

  #tokenOf(callId: string): string {
    return createHmac('sha256', this.#key).update(callId).digest('hex').slice(0, 24);
  }

  /** Whether a request follows a route that this edge laid for its call. */
  owns({ message, callId }: ReceivedRequest): boolean {
    const first = listOf(message, 'route')[0];
    const isOwn = this.#isOwn(callId);
    return isOwn(message.uri) || (first !== undefined && isOwn(parseNameAddress(first)?.uri ?? ''));
  }

  #isOwn(callId: string): (uri: string) => boolean {
    return (uri) => uri.includes(';call=') && parseUri(uri)?.params.get('call') === this.#tokenOf(callId);
  }

  /** A request in a dialog that was made through here; neither ACK nor CANCEL. */
  pass(received: ReceivedRequest): void {
    const { message, callId } = received;
    const way = routeOnwards(message, this.#isOwn(callId));
    if (!way) return;
    const passed = this.#uas.passages.open(received);
    const { records } = this.#core;
    if (fieldOf(message, 'max-forwards') === '0') return this.#reject(passed, 483, 'Too Many Hops');
    if (message.method === 'BYE') records.stop('network', 'normal-release', message);
    const plan: ProxyPlan = {
      targets: [way.uri],
      simultaneous: false,
      followRedirects: false,
      provisionalMs: undefined,
      finalMs: undefined,
      // A target refresh does not change the route set, but peers expect to see it confirmed.
      recordRoute: (peer) => (message.method === 'BYE' ? undefined : this.#ownUri(callId, received.source, peer)),
      headers: [],
      routes: way.routes,
      uri: way.uri,
      next: way.next,
    };
    const call = new ProxyCall(this.#core, passed, plan, {
      sent: (request) => request.method === 'BYE' && records.stop('application', 'normal-release', request),
    });
    this.#uas.passages.follow(passed, call);
    call.start();
  }

  /** The ACK of a 2xx has no transaction: it is passed on as it comes. */
  passAck({ message, callId }: ReceivedRequest): void {
    const way = routeOnwards(message, this.#isOwn(callId));
    const hop = way && parseUri(way.next);
    if (!way || !hop || fieldOf(message, 'max-forwards') === '0') return;
    const { local, resolver, guard, send } = this.#core;
    resolver.resolve(hop, (peer) =>
      guard('proxied ACK', () => {
        if (!peer || local.isSelf(peer.host, peer.port)) return;
        const forwarding = { uri: way.uri, recordRoute: undefined, headers: [], routes: way.routes };
        send(serialise(forwardedRequest(message, forwarding, local.end(peer))), peer);
      }),
    );
  }
}

function nonceOf(credentials: string): string | undefined {
  return /[ ,]nonce[ ]?=[ ]?"([^"]+)"/i.exec(credentials)?.[1];
}
