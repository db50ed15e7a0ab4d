import { randomBytes } from 'node:crypto';
import { listOf, parseVia } from '../message/headers.js';
import { fieldOf, type SipMessage, type SipRequest } from '../message/message.js';
import { serialise, wireLength } from '../message/serialise.js';
import type { SipTimings, Timers } from '../timers.js';
import { type ReceivedRequest, type ReceivedResponse, replyPath } from '../transport/received.js';
import type { Peer } from '../transport/transport.js';
import {
  type ClientFailure,
  type ClientOwner,
  type ClientSetup,
  InviteClientTransaction,
  NonInviteClientTransaction,
} from './client-transaction.js';
import { InviteServerTransaction, NonInviteServerTransaction } from './server-transaction.js';

export type AnyServerTransaction = InviteServerTransaction | NonInviteServerTransaction;
export type AnyClientTransaction = InviteClientTransaction | NonInviteClientTransaction;

/** Hands text to the transport. */
export type Send = (text: string, peer: Peer, failed?: (error: Error) => void) => void;

/** Marks a branch made by RFC 3261's rules (8.1.1.7). */
const COOKIE = 'z9hG4bK';

/** A branch that nobody can guess: a response with a made-up one meets no transaction. */
export function newBranch(): string {
  return `${COOKIE}${randomBytes(12).toString('hex')}`;
}

/** Longest request that goes over UDP unless UDP was asked for by name, in bytes (RFC 3261 18.1.1). */
const UDP_MAX = 1300;

/** A request as it went out. */
export interface SentRequest {
  readonly request: SipRequest;
  readonly peer: Peer;
  readonly transaction: AnyClientTransaction;
}

/** Who gets a response: the owner is told where it came from as well. */
export interface ClientUser {
  response(received: ReceivedResponse): void;
  failed(failure: ClientFailure): void;
  /** The target did not answer: the request, with a new branch, goes to another one (RFC 3263 4.3). */
  moved?(sent: SentRequest): void;
  /** Whether another target is still worth trying; so by default. */
  wanted?(): boolean;
}

export interface TransactionsSetup {
  readonly timers: Timers;
  readonly timings: SipTimings;
  readonly send: Send;
  /** Told where a request goes, so that its responses are let in. */
  readonly expect: (peer: Peer) => void;
  /** The same request for another target: with a Via of its own. */
  readonly reroute: (request: SipRequest, peer: Peer) => SipRequest;
  /** Remembers where nothing was heard. */
  readonly health: { failed(peer: Peer): void; failing(peer: Peer): boolean };
}

/** All transactions that are going on, matched as RFC 3261 17.1.3 and 17.2.3 say. */
export class TransactionTable {
  readonly #setup: TransactionsSetup;
  readonly #clients = new Map<string, { transaction: AnyClientTransaction; latest: ReceivedResponse | undefined }>();
  readonly #servers = new Map<string, AnyServerTransaction>();

  constructor(setup: TransactionsSetup) {
    this.#setup = setup;
  }

  get count(): number {
    return this.#clients.size + this.#servers.size;
  }

  /** Requests sent that wait for their final response. */
  get unanswered(): number {
    let count = 0;
    for (const { transaction } of this.#clients.values()) if (transaction.waiting) count++;
    return count;
  }

  /** The transaction that this request belongs to: for ACK and CANCEL, the INVITE's. */
  findServer(received: ReceivedRequest): AnyServerTransaction | undefined {
    const { method } = received.message;
    return this.#servers.get(serverKey(received, method === 'ACK' ? 'INVITE' : method));
  }

  findInvite(received: ReceivedRequest): InviteServerTransaction | undefined {
    const found = this.#servers.get(serverKey(received, 'INVITE'));
    return found instanceof InviteServerTransaction ? found : undefined;
  }

  /** Starts the transaction of a new request; `ended` is called when it is over. */
  serve(received: ReceivedRequest, ended: (answered: boolean) => void): AnyServerTransaction {
    const key = serverKey(received, received.message.method);
    const path = replyPath(received);
    const { timers, timings, send } = this.#setup;
    const setup = {
      timers,
      timings,
      reliable: path.protocol !== 'udp',
      send: (response: SipMessage) => send(serialise(response), path),
      ended: (answered: boolean) => {
        this.#servers.delete(key);
        ended(answered);
      },
    };
    const invite = received.message.method === 'INVITE';
    const transaction = invite ? new InviteServerTransaction(setup) : new NonInviteServerTransaction(setup);
    this.#servers.set(key, transaction);
    return transaction;
  }

  /**
   * A request as it can go to this peer: one too long for UDP goes over TCP, and over UDP only if TCP is refused
   * (RFC 3261 18.1.1).
   */
  fit(request: SipRequest, peer: Peer): { request: SipRequest; peer: Peer } {
    if (peer.protocol !== 'udp' || peer.fixed || wireLength(request) <= UDP_MAX) return { request, peer };
    const { reroute, health } = this.#setup;
    const overTcp: Peer = { ...peer, protocol: 'tcp', alternative: { ...peer, fixed: true } };
    if (health.failing(overTcp)) return { request, peer: { ...peer, fixed: true } };
    return { request: reroute(request, overTcp), peer: overTcp };
  }

  /** Sends a request that has no transaction: the ACK of a 2xx. */
  sendAlone(given: SipRequest, target: Peer): void {
    const { request, peer } = this.fit(given, target);
    const { alternative } = peer;
    this.#setup.expect(peer);
    this.#setup.send(serialise(request), peer, () => {
      this.#setup.health.failed(peer);
      if (alternative) this.sendAlone(this.#setup.reroute(request, alternative), alternative);
    });
  }

  /** Starts the transaction of a request whose top Via has a new branch, and sends it. */
  send(request: SipRequest, peer: Peer, user: ClientUser): AnyClientTransaction {
    const fitted = this.fit(request, peer);
    return this.#attempt(fitted.request, fitted.peer, user);
  }

  #attempt(request: SipRequest, peer: Peer, user: ClientUser): AnyClientTransaction {
    const { timers, timings, send, expect } = this.#setup;
    expect(peer);
    const branch = parseVia(fieldOf(request, 'via') ?? '')?.params.get('branch') ?? '';
    const key = `${branch}|${request.method}`;
    const setup: ClientSetup = {
      timers,
      timings,
      reliable: peer.protocol !== 'udp',
      request,
      send: (message) => send(serialise(message), peer, () => transaction.transportFailed()),
      owner: this.#ownerOf(key, request, peer, user),
      ended: () => this.#clients.delete(key),
    };
    const transaction =
      request.method === 'INVITE' ? new InviteClientTransaction(setup) : new NonInviteClientTransaction(setup);
    this.#clients.set(key, { transaction, latest: undefined });
    transaction.start();
    return transaction;
  }

  #ownerOf(key: string, request: SipRequest, peer: Peer, user: ClientUser): ClientOwner {
    return {
      response: () => {
        const latest = this.#clients.get(key)?.latest;
        if (!latest || (latest.message.status === 503 && this.#move(request, peer, user))) return;
        user.response(latest);
      },
      failed: (failure) => {
        if (!this.#move(request, peer, user)) user.failed(failure);
      },
    };
  }

  /** No answer, or 503: the next target gets the request (RFC 3263 4.3). */
  #move(request: SipRequest, peer: Peer, user: ClientUser): boolean {
    const { health, reroute } = this.#setup;
    const { alternative } = peer;
    health.failed(peer);
    if (!alternative || request.method === 'CANCEL' || user.wanted?.() === false) return false;
    const fitted = this.fit(reroute(request, alternative), alternative);
    const transaction = this.#attempt(fitted.request, fitted.peer, user);
    user.moved?.({ ...fitted, transaction });
    return true;
  }

  /** Gives a response to its transaction; false when there is none (18.1.2: such a response is dropped). */
  receive(received: ReceivedResponse): boolean {
    const entry = this.#clients.get(`${received.via.params.get('branch') ?? ''}|${received.cseq.method}`);
    if (!entry) return false;
    // More Vias than the request had: this is another element's response (8.1.3.3).
    if (listOf(received.message, 'via').length !== listOf(entry.transaction.request, 'via').length) return false;
    entry.latest = received;
    entry.transaction.receive(received.message);
    return true;
  }

  endAll(): void {
    for (const { transaction } of [...this.#clients.values()]) transaction.end();
    for (const transaction of [...this.#servers.values()]) transaction.end();
  }
}

function serverKey(received: ReceivedRequest, method: string): string {
  const { via, callId, fromTag, cseq } = received;
  const branch = via.params.get('branch') ?? '';
  if (branch.startsWith(COOKIE) && branch.length > COOKIE.length) {
    return `${branch}|${via.host.toLowerCase()}|${via.port ?? 5060}|${method}`;
  }
  // RFC 2543 clients (17.2.3): no branch to go by.
  return `2543|${callId}|${fromTag}|${cseq.number}|${via.host.toLowerCase()}|${via.port ?? 5060}|${method}`;
}
