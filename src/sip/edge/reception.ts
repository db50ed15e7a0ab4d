import { newTag, plainResponse } from './compose.js';
import type { Core } from './core.js';
import { sentBy, split } from './message/headers.js';
import { fieldOf, header, type SipMessage } from './message/message.js';
import { type Fault, parseMessage } from './message/parse.js';
import { serialise } from './message/serialise.js';
import type { SipProxy } from './proxy/proxy.js';
import type { RequestHandlers } from './request-handlers.js';
import { LogThrottle } from './transport/log-throttle.js';
import { isScanner, type NetworkFilter } from './transport/network-filter.js';
import {
  admit,
  cutBody,
  markSource,
  type Received,
  type ReceivedRequest,
  type ReceivedResponse,
  replyPath,
} from './transport/received.js';
import type { Peer } from './transport/transport.js';
import type { Uas } from './ua/uas.js';

const REASONS: Readonly<Record<Fault['status'], string>> = {
  400: 'Bad Request',
  413: 'Request Entity Too Large',
  416: 'Unsupported URI Scheme',
  505: 'Version Not Supported',
};

/** Who the messages of the network are for. */
export interface Receivers {
  readonly uas: Uas;
  readonly proxy: SipProxy;
  /** Of requests outside dialogs. */
  readonly handlers: RequestHandlers;
  /** Whether a request is of a dialog that nobody can answer for yet, and will be in a moment. */
  isAwaited(received: ReceivedRequest): boolean;
}

/** What comes from the network: what is unreadable or unwelcome stops here, the rest goes to whom it is for. */
export class Reception {
  readonly #core: Core;
  readonly #filter: NetworkFilter;
  readonly #to: Receivers;
  readonly #throttle: LogThrottle;

  constructor(core: Core, filter: NetworkFilter, to: Receivers) {
    this.#core = core;
    this.#filter = filter;
    this.#to = to;
    this.#throttle = new LogThrottle(core.log);
  }

  /** One message of the network. */
  receive(text: string, source: Peer): void {
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
  unreadable(reason: string, source: Peer, text: string): void {
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
    const { uas, proxy, handlers } = this.#to;
    if (method === 'ACK') return this.#acknowledge(received);
    const known = this.#core.transactions.findServer(received);
    if (known) return known.repeated();
    const onRoute = method !== 'CANCEL' && proxy.owns(received);
    if (!this.#isTaken(received, onRoute)) return;
    if (method === 'CANCEL') uas.cancel(received);
    else if (onRoute) proxy.pass(received);
    else uas.receive(received, (request) => handlers.take(request));
  }

  #acknowledge(received: ReceivedRequest): void {
    const known = this.#core.transactions.findServer(received);
    if (known && 'acknowledged' in known && known.state !== 'accepted') {
      if (received.toTag === known.toTag) this.#core.sources.confirm(received.source.host);
      known.acknowledged();
    } else if (this.#to.proxy.owns(received)) this.#to.proxy.passAck(received);
    else this.#to.uas.acknowledge(received);
  }

  /** @param onRoute whether it only passes through us, in a dialog of others */
  #isTaken(received: ReceivedRequest, onRoute: boolean): boolean {
    const { dialogs, sources, counters } = this.#core;
    const { host } = received.source;
    if (dialogs.match(received)) {
      sources.confirm(host);
      return true;
    }
    // It comes again: a moment later there is who can answer it.
    if (this.#to.isAwaited(received)) return false;
    if (onRoute) return true;
    // A host that was called may go on in its dialogs, and nothing else.
    if (!this.#filter.allows(host)) {
      counters.dropped('network');
      return false;
    }
    return received.message.method === 'CANCEL' || this.#isWelcome(received);
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
}

function isRequest(received: Received): received is ReceivedRequest {
  return received.message.kind === 'request';
}

function isResponse(received: Received): received is ReceivedResponse {
  return received.message.kind === 'response';
}
