import { randomBytes } from 'node:crypto';
import {
  type ClientOwner,
  type ClientSetup,
  InviteClientTransaction,
  NonInviteClientTransaction,
} from './client-transaction.js';
import { parseVia } from './headers.js';
import { fieldOf, type SipMessage, type SipRequest } from './message.js';
import { type ReceivedRequest, type ReceivedResponse, replyPath } from './received.js';
import { serialise } from './serialise.js';
import { InviteServerTransaction, NonInviteServerTransaction } from './server-transaction.js';
import type { SipTimings, Timers } from './timers.js';
import type { Peer } from './transport.js';

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

/** Who gets a response: the owner is told where it came from as well. */
export interface ClientUser {
  response(received: ReceivedResponse): void;
  failed(failure: 'timeout' | 'transport'): void;
}

/** All transactions that are going on, matched as RFC 3261 17.1.3 and 17.2.3 say. */
export class TransactionTable {
  readonly #timers: Timers;
  readonly #timings: SipTimings;
  readonly #send: Send;
  readonly #expect: (peer: Peer) => void;
  readonly #clients = new Map<string, { transaction: AnyClientTransaction; latest: ReceivedResponse | undefined }>();
  readonly #servers = new Map<string, AnyServerTransaction>();

  /** @param expect told where a request goes, so that its responses are let in */
  constructor(timers: Timers, timings: SipTimings, send: Send, expect: (peer: Peer) => void) {
    this.#timers = timers;
    this.#timings = timings;
    this.#send = send;
    this.#expect = expect;
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
    const setup = {
      timers: this.#timers,
      timings: this.#timings,
      reliable: path.protocol === 'tcp',
      send: (response: SipMessage) => this.#send(serialise(response), path),
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

  /** Starts the transaction of a request whose top Via has a new branch, and sends it. */
  send(request: SipRequest, peer: Peer, user: ClientUser): AnyClientTransaction {
    this.#expect(peer);
    const branch = parseVia(fieldOf(request, 'via') ?? '')?.params.get('branch') ?? '';
    const key = `${branch}|${request.method}`;
    const setup: ClientSetup = {
      timers: this.#timers,
      timings: this.#timings,
      reliable: peer.protocol === 'tcp',
      request,
      send: (message) => this.#send(serialise(message), peer, () => transaction.transportFailed()),
      owner: this.#ownerOf(key, user),
      ended: () => this.#clients.delete(key),
    };
    const transaction =
      request.method === 'INVITE' ? new InviteClientTransaction(setup) : new NonInviteClientTransaction(setup);
    this.#clients.set(key, { transaction, latest: undefined });
    transaction.start();
    return transaction;
  }

  #ownerOf(key: string, user: ClientUser): ClientOwner {
    return {
      response: () => {
        const latest = this.#clients.get(key)?.latest;
        if (latest) user.response(latest);
      },
      failed: (failure) => user.failed(failure),
    };
  }

  /** Gives a response to its transaction; false when there is none (18.1.2: such a response is dropped). */
  receive(received: ReceivedResponse): boolean {
    const entry = this.#clients.get(`${received.via.params.get('branch') ?? ''}|${received.cseq.method}`);
    if (!entry) return false;
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
