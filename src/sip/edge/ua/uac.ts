import type { Application } from '../application/application.js';
import type { Frame } from '../application/frames.js';
import { makesDialog, refusalOf, requestOutside } from '../compose.js';
import type { Core } from '../core.js';
import { Dialog, dialogId } from '../dialog/dialog.js';
import { fieldOf, type SipRequest } from '../message/message.js';
import { names } from '../message/option-tags.js';
import { parseUri } from '../message/uri.js';
import type { ReceivedResponse } from '../transport/received.js';
import type { ClientHandler, ClientRequest, ClientRequests } from './client-requests.js';
import type { DialogClient } from './dialog-client.js';

const GONE = 'application gone';

/** Branches of one INVITE that are told apart. */
const FORKS = 32;

/** Requests of applications outside any dialog, and the dialogs that INVITE and SUBSCRIBE make. */
export class Uac {
  readonly #core: Core;
  readonly #requests: ClientRequests;
  readonly #dialogs: DialogClient;
  readonly #handler: ClientHandler;

  constructor(core: Core, requests: ClientRequests, dialogs: DialogClient) {
    this.#core = core;
    this.#requests = requests;
    this.#dialogs = dialogs;
    this.#handler = {
      response: (open, received) => this.#response(open, received),
      failed: (open) => {
        this.#forget(open);
        if (open.request.method !== 'INVITE') return;
        this.#core.records.stop('application', 'system-error-initiated-termination', open.request);
      },
    };
  }

  /** @param routeUrl where to send it instead of to its Request-URI; empty when the application named none */
  request(app: Application, frame: Frame, message: SipRequest, routeUrl: string): void {
    const refuse = (reason: string) => app.refuse(frame, reason);
    const target = parseUri(message.uri);
    const hop = routeUrl === '' ? target : parseUri(/^sips?:/i.test(routeUrl) ? routeUrl : `sip:${routeUrl}`);
    if (!target && !(hop && /^tel:/i.test(message.uri))) return refuse(`invalid request-uri: ${message.uri}`);
    if (!hop) return refuse(`invalid proxy: ${routeUrl}`);
    if (message.method === 'ACK' || message.method === 'CANCEL') {
      return refuse('Error creating sip transaction for uac request');
    }
    const refusal = refusalOf(message);
    if (refusal !== undefined) return refuse(refusal);
    const { local, resolver, guard } = this.#core;
    if (!resolver.reaches(hop)) return refuse('requested protocol/transport not available');
    resolver.resolve(hop, (peer) =>
      guard('request of an application', () => {
        if (app.closed) return;
        if (peer && local.isSelf(peer.host, peer.port)) return refuse('can not send request to myself');
        const request = requestOutside(message, local.end(peer));
        const open = this.#requests.send(app, frame, request, peer, undefined, this.#handler);
        if (open?.request.method === 'INVITE') this.#core.records.attempt('application', open.request);
      }),
    );
  }

  #response(open: ClientRequest, received: ReceivedResponse): void {
    const { status } = received.message;
    if (!makesDialog(open.request.method)) {
      this.#requests.deliver(open, received, '');
      return;
    }
    if (status < 200 && !this.#provisional(open, received)) return;
    if (status >= 200 && status < 300) {
      this.#accepted(open, received);
      return;
    }
    if (status >= 300) this.#forget(open);
    if (status >= 300 && open.request.method === 'INVITE')
      this.#core.records.answered('network', 'uac', received.message);
    this.#requests.deliver(open, received, dialogId(received.callId, received.fromTag));
  }

  /**
   * A provisional response with a tag makes an early dialog, one for each branch of a forked INVITE (12.1.2), so that
   * PRACK and UPDATE have one; false: repeated, or out of its order (RFC 3262 4).
   */
  #provisional(open: ClientRequest, received: ReceivedResponse): boolean {
    const { forks } = open;
    const { toTag } = received;
    if (toTag !== '' && !forks.has(toTag) && forks.size < FORKS) {
      const early = Dialog.ofClient(open.request, received, open.app);
      if (open.dialog) this.#core.dialogs.addFork(early);
      else this.#core.dialogs.add(early);
      open.dialog ??= early;
      early.forks = forks;
      forks.set(toTag, early);
    }
    const rseq = Number(fieldOf(received.message, 'rseq') ?? 0);
    return rseq > 0 && names(received.message, '100rel', 'require') ? isNext(forks.get(toTag), rseq) : true;
  }

  /** No call came of it. */
  #forget(open: ClientRequest): void {
    for (const early of open.forks.values()) if (!early.confirmed) this.#core.dialogs.remove(early);
    open.forks.clear();
  }

  #accepted(open: ClientRequest, received: ReceivedResponse): void {
    if (open.dialog?.confirmed) {
      if (open.dialog.remoteTag === received.toTag) this.#dialogs.repeatedAnswer(open.dialog, open.request);
      else this.#endFork(open, received);
      return;
    }
    const dialog = open.forks.get(received.toTag) ?? Dialog.ofClient(open.request, received, open.app);
    // The other branches are about to be cancelled by who forked the INVITE.
    open.forks.delete(received.toTag);
    this.#forget(open);
    open.dialog = dialog;
    dialog.forks = undefined;
    dialog.adopt(received);
    dialog.confirmed = true;
    this.#core.dialogs.add(dialog);
    if (open.request.method === 'INVITE') {
      dialog.localSdp = open.request.body;
      this.#dialogs.awaitAck(dialog, open.request, received.cseq.number);
      this.#dialogs.sessions.agree(dialog, received.message, 'uac');
      this.#core.records.start('network', 'uac', received.message);
    }
    if (open.app.closed) {
      this.#hangUp(dialog);
      return;
    }
    if (open.cancel) dialog.endWhenAcknowledged = 'CANCEL crossed the answer';
    else if (fieldOf(received.message, 'contact') === undefined) dialog.endWhenAcknowledged = 'answer without Contact';
    this.#requests.deliver(open, received, dialog.id);
  }

  /** Another branch of a forked INVITE answered too: the application has one call already (13.2.2.4). */
  #endFork(open: ClientRequest, received: ReceivedResponse): void {
    const known = open.forks.get(received.toTag);
    if (known) {
      this.#dialogs.repeatedAnswer(known, open.request);
      return;
    }
    if (open.forks.size >= FORKS) return;
    const fork = Dialog.ofClient(open.request, received, open.app);
    open.forks.set(received.toTag, fork);
    fork.answered = { invite: open.request, cseq: received.cseq.number, ack: undefined, stop: () => undefined };
    this.#dialogs.acknowledge(fork);
    this.#dialogs.bye(fork, 'answered elsewhere', false);
  }

  #hangUp(dialog: Dialog): void {
    if (dialog.answered && !dialog.answered.ack) this.#dialogs.acknowledge(dialog);
    this.#dialogs.end(dialog, GONE, false);
  }

  /** An application went away: its calls being set up are cancelled, its dialogs ended. */
  applicationGone(app: Application): void {
    for (const open of this.#requests.ofApplication(app)) this.#requests.abandon(open);
    for (const dialog of this.#core.dialogs.ofApplication(app)) {
      // One that is being set up goes with the final response that its CANCEL brings.
      if (!dialog.confirmed || dialog.ending) continue;
      if (dialog.openAnswer) dialog.endWhenAcknowledged = GONE;
      else this.#hangUp(dialog);
    }
  }
}

/** Reliable provisional responses are numbered without gaps, for each dialog by itself. */
function isNext(early: Dialog | undefined, rseq: number): boolean {
  if (!early || (early.rseq !== undefined && rseq !== early.rseq + 1)) return false;
  early.rseq = rseq;
  early.unacknowledged.push(rseq);
  return true;
}
