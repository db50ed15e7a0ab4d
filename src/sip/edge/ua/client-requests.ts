import { randomUUID } from 'node:crypto';
import type { Application } from '../application/application.js';
import type { Frame } from '../application/frames.js';
import { cancelOf, plainResponse } from '../compose.js';
import type { Core } from '../core.js';
import type { Dialog } from '../dialog/dialog.js';
import type { SipRequest } from '../message/message.js';
import { LIMITS } from '../message/parse.js';
import { wireLength } from '../message/serialise.js';
import { InviteClientTransaction } from '../transaction/client-transaction.js';
import type { AnyClientTransaction } from '../transaction/transactions.js';
import type { ReceivedResponse } from '../transport/received.js';
import type { Peer } from '../transport/transport.js';

/** A request sent for an application, while its transaction lasts. */
export interface ClientRequest {
  readonly txnId: string;
  readonly app: Application;
  /** As it went out last: to another target it goes with another Via. */
  request: SipRequest;
  peer: Peer;
  transaction: AnyClientTransaction | undefined;
  /** The dialog it was sent in, or made. */
  dialog: Dialog | undefined;
  /** By the peer's tag: the early dialogs of a forked INVITE, and after its answer the forks that were ended. */
  readonly forks: Map<string, Dialog>;
  /** The application wants it cancelled; the CANCEL waits here for the first provisional response. */
  cancel: SipRequest | undefined;
  cancelSent: boolean;
  answered: boolean;
}

/** How the sender of a request handles what comes back; 100 is not among it. */
export interface ClientHandler {
  response(open: ClientRequest, received: ReceivedResponse): void;
  /** No answer: the application is told 408 or 503 by {@link ClientRequests}. */
  failed?(open: ClientRequest): void;
}

/** A CANCEL with nothing of its own. */
export const CANCEL: SipRequest = { kind: 'request', method: 'CANCEL', uri: '', headers: [], body: '' };

/** Sends a CANCEL if its INVITE is at the stage where one may be sent (RFC 3261 9.1); false when it has to wait. */
export function sendCancel(
  core: Core,
  invite: AnyClientTransaction | undefined,
  cancel: SipRequest,
  peer: Peer,
): boolean {
  if (!(invite instanceof InviteClientTransaction) || !invite.cancellable) return false;
  core.transactions.send(cancel, peer, { response: () => undefined, failed: () => undefined });
  invite.cancelled();
  return true;
}

/** The requests that applications have open towards the network. */
export class ClientRequests {
  readonly #core: Core;
  readonly #open = new Map<string, ClientRequest>();

  constructor(core: Core) {
    this.#core = core;
  }

  ofApplication(app: Application): ClientRequest[] {
    return [...this.#open.values()].filter((open) => open.app === app);
  }

  /**
   * Tells the application what goes out, then sends it. Without a peer (no such host) the answer is 503.
   *
   * @returns nothing when the message is too long to send; the application has been told
   */
  send(
    app: Application,
    frame: Frame,
    composed: SipRequest,
    next: Peer | undefined,
    dialog: Dialog | undefined,
    handler: ClientHandler,
  ): ClientRequest | undefined {
    if (wireLength(composed) > LIMITS.message) {
      app.refuse(frame, 'message is too long');
      return undefined;
    }
    const { request, peer } = next ? this.#core.transactions.fit(composed, next) : { request: composed, peer: next };
    const txnId = randomUUID();
    app.echoRequest(frame, peer, txnId, request);
    if (!peer) {
      this.#synthesise(app, txnId, dialog?.id ?? '', request, 503);
      return undefined;
    }
    const open: ClientRequest = {
      txnId,
      app,
      request,
      peer,
      transaction: undefined,
      dialog,
      forks: new Map(),
      cancel: undefined,
      cancelSent: false,
      answered: false,
    };
    this.#open.set(txnId, open);
    const transaction = this.#core.transactions.send(request, peer, {
      response: (received) => this.#response(open, received, handler),
      moved: (sent) => Object.assign(open, sent),
      wanted: () => !open.cancel && !app.closed,
      failed: (failure) => {
        this.#open.delete(txnId);
        open.answered = true;
        this.#synthesise(app, txnId, open.dialog?.id ?? '', request, failure === 'timeout' ? 408 : 503);
        handler.failed?.(open);
      },
    });
    open.transaction ??= transaction;
    return open;
  }

  #response(open: ClientRequest, received: ReceivedResponse, handler: ClientHandler): void {
    if (received.message.status >= 200) {
      open.answered = true;
      this.#open.delete(open.txnId);
    }
    this.#sendPendingCancel(open);
    if (received.message.status > 100) handler.response(open, received);
  }

  /** Passes a response on. */
  deliver(open: ClientRequest, received: ReceivedResponse, dialogId: string): void {
    const { message, source, bytes } = received;
    open.app.deliver({ source: 'network', bytes, peer: source, txnId: open.txnId, dialogId, message });
  }

  /** The application cancels an INVITE of its own. */
  cancel(app: Application, frame: Frame, txnId: string, message: SipRequest): void {
    const open = this.#open.get(txnId);
    if (message.method !== 'CANCEL' || open?.app !== app || open.request.method !== 'INVITE') {
      app.refuse(frame, 'Server error: unable to find transaction for the request');
      return;
    }
    const cancel = cancelOf(open.request, message);
    app.echoRequest(frame, open.peer, txnId, cancel);
    open.cancel ??= cancel;
    this.#sendPendingCancel(open);
  }

  /** Cancels without being asked by the application. */
  abandon(open: ClientRequest): void {
    if (open.request.method !== 'INVITE') return;
    open.cancel ??= cancelOf(open.request, CANCEL);
    this.#sendPendingCancel(open);
  }

  get(txnId: string): ClientRequest | undefined {
    return this.#open.get(txnId);
  }

  #sendPendingCancel(open: ClientRequest): void {
    const { transaction, cancel } = open;
    if (!cancel || open.cancelSent || open.answered) return;
    open.cancelSent = sendCancel(this.#core, transaction, cancel, open.peer);
  }

  #synthesise(app: Application, txnId: string, dialogId: string, request: SipRequest, status: 408 | 503): void {
    const message = plainResponse(request, status, status === 408 ? 'Request Timeout' : 'Service Unavailable', '');
    app.deliver({ source: 'network', bytes: 0, peer: undefined, txnId, dialogId, message });
  }
}
