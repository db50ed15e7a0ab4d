import type { Application } from '../application/application.js';
import type { Frame } from '../application/frames.js';
import { applicationResponse, makesDialog, newTag, plainResponse } from '../compose.js';
import type { Core } from '../core.js';
import { Dialog, dialogId } from '../dialog/dialog.js';
import { ReliableResponses } from '../dialog/reliable.js';
import { tagOf } from '../message/headers.js';
import { fieldOf, type Header, header, type SipResponse } from '../message/message.js';
import { supportsReliability, wantsReliability } from '../message/option-tags.js';
import { serialise } from '../message/serialise.js';
import { Passages, type Passed } from '../passage.js';
import { retransmit, TimerGroup } from '../timers.js';
import type { InviteServerTransaction } from '../transaction/server-transaction.js';
import { type ReceivedRequest, replyPath } from '../transport/received.js';
import type { DialogClient } from './dialog-client.js';
import { OngoingRequests } from './merged.js';
import { isLastNotify, type OpenRequest, openRequest } from './open-request.js';
import { dialogRefusal, generalRefusal, type Refusal } from './refusals.js';
import { agreedSession } from './session-timer.js';

/** Longest that an INVITE's Expires is heeded: beyond it the transaction's own limit rules, in s. */
const EXPIRES_MAX_S = 300;

/** Methods that mean nothing outside a dialog. */
const IN_DIALOG_ONLY = new Set(['BYE', 'UPDATE', 'PRACK']);

/** Requests from the network: given to applications, and answered as they say (RFC 3261 8.2, 12.2.2, 13.3). */
export class Uas {
  readonly #core: Core;
  readonly #client: DialogClient;
  readonly #open = new Map<string, OpenRequest>();
  readonly #ongoing = new OngoingRequests<OpenRequest>();
  /** Requests that were handed back to be passed on. */
  readonly passages: Passages;

  constructor(core: Core, client: DialogClient) {
    this.#core = core;
    this.#client = client;
    this.passages = new Passages(core);
  }

  /**
   * A request that belongs to no transaction yet; neither ACK nor CANCEL.
   *
   * @param elsewhere takes new requests that go to no application connected here
   */
  receive(received: ReceivedRequest, elsewhere: (received: ReceivedRequest) => boolean): void {
    if (received.toTag !== '') {
      this.#receiveInDialog(received);
      return;
    }
    const { method } = received.message;
    if (IN_DIALOG_ONLY.has(method)) return this.#reject(received, 481, 'Call/Transaction Does Not Exist');
    if (this.#isMerged(received)) return this.#reject(received, 482, 'Loop Detected');
    const refusal = generalRefusal(received, this.#core.local.tlsPort !== undefined);
    if (refusal) return this.#refuse(received, refusal);
    if (elsewhere(received)) return;
    const app = this.#core.applications.choose(method);
    if (!app) {
      if (method === 'INVITE') this.#core.records.attempt('network', received.message);
      const response = this.#rejected(received, 503, 'Service Unavailable');
      if (method === 'INVITE') this.#core.records.answered('application', 'uas', response);
      return;
    }
    this.#hand(received, app, undefined);
  }

  /** The same call by another way (RFC 3261 8.2.2.2); also keeps the names of dialogs apart. */
  #isMerged(received: ReceivedRequest): boolean {
    const { callId, fromTag, message } = received;
    if (this.#ongoing.includes(received)) return true;
    return makesDialog(message.method) && this.#core.dialogs.get(dialogId(callId, fromTag)) !== undefined;
  }

  #receiveInDialog(received: ReceivedRequest): void {
    const { method } = received.message;
    const dialog = this.#core.dialogs.match(received);
    if (!dialog || (dialog.endWhenAcknowledged !== undefined && method !== 'BYE')) {
      return this.#reject(received, 481, 'Call/Transaction Does Not Exist');
    }
    const secure = this.#core.local.tlsPort !== undefined;
    const refusal = dialogRefusal(dialog, received) ?? generalRefusal(received, secure);
    if (refusal) return this.#refuse(received, refusal);
    if (method === 'BYE') return this.#receiveBye(received, dialog);
    if (method === 'PRACK') return this.#receivePrack(received, dialog);
    this.#hand(received, dialog.app, dialog);
  }

  #receivePrack(received: ReceivedRequest, dialog: Dialog): void {
    if (!dialog.reliable?.acknowledge(received.message)) {
      return this.#reject(received, 481, 'Call/Transaction Does Not Exist');
    }
    const invite = dialog.inviteFromPeer === undefined ? undefined : this.#open.get(dialog.inviteFromPeer);
    // An application that has given its final answer expects no PRACK any more.
    if (!invite || invite.accepting) this.#reject(received, 200, 'OK');
    else this.#hand(received, dialog.app, dialog);
    dialog.reliable.proceed();
  }

  #receiveBye(received: ReceivedRequest, dialog: Dialog): void {
    const told = dialog.endWhenAcknowledged !== undefined;
    const ringing = dialog.inviteFromPeer === undefined ? undefined : this.#open.get(dialog.inviteFromPeer);
    dialog.acknowledged();
    this.#core.dialogs.remove(dialog);
    if (dialog.confirmed) this.#core.records.stop('network', 'normal-release', received.message);
    if (ringing) this.#terminate(ringing);
    if (told || (ringing && !dialog.confirmed)) {
      // The application knows of no dialog: for it, this is a CANCEL.
      this.#reject(received, 200, 'OK');
      if (ringing) this.#forwardCancel(ringing, received);
      return;
    }
    this.#hand(received, dialog.app, dialog);
  }

  /** Opens the transaction and gives the request to the application. */
  #hand(received: ReceivedRequest, app: Application, dialog: Dialog | undefined): void {
    const transaction = this.#core.transactions.serve(received, () => {
      this.#finished(open);
      this.passages.ended(transaction);
    });
    if (received.message.method === 'INVITE') transaction.respond(plainResponse(received.message, 100, 'Trying', ''));
    const open = this.#enter({ received, transaction }, app, dialog);
  }

  /** Gives a request whose transaction is open already to an application. */
  adopt(passed: Passed, app: Application): void {
    const open = this.#enter(passed, app, undefined);
    this.passages.follow(passed, { cancel: () => undefined, ended: () => this.#finished(open) });
  }

  #enter(passed: Passed, app: Application, dialog: Dialog | undefined): OpenRequest {
    const { received } = passed;
    const { message, source, bytes, callId } = received;
    const open = openRequest(passed, app, dialog);
    const { txnId } = open;
    this.#open.set(txnId, open);
    if (!dialog) this.#ongoing.add(received, open);
    if (message.method === 'UPDATE' && dialog) dialog.updateFromPeer = txnId;
    if (message.method === 'INVITE') {
      if (dialog) dialog.inviteFromPeer = txnId;
      else this.#core.records.attempt('network', message);
      this.#expire(open);
    }
    this.#core.log.debug({ method: message.method, callId, from: source.host }, 'request received');
    const { local } = this.#core;
    app.deliver({
      source: 'network',
      bytes,
      peer: source,
      txnId,
      dialogId: dialog?.id ?? '',
      ...(dialog ? {} : { receivedOn: [local.towards(source.host), local.port] as const }),
      message,
    });
    return open;
  }

  #finished(open: OpenRequest): void {
    this.#open.delete(open.txnId);
    this.#ongoing.remove(open.received, open);
    open.reliable?.stop();
    this.#core.timers.clear(open.expiry);
    const { dialog } = open;
    if (dialog?.inviteFromPeer === open.txnId) dialog.inviteFromPeer = undefined;
    if (dialog?.updateFromPeer === open.txnId) dialog.updateFromPeer = undefined;
    if (dialog && !dialog.confirmed && !open.inDialog) this.#core.dialogs.remove(dialog);
  }

  /** An INVITE may say how long it is good for (13.3.1). */
  #expire(open: OpenRequest): void {
    const seconds = /^\d{1,9}$/.exec(fieldOf(open.received.message, 'expires') ?? '')?.[0];
    if (seconds === undefined || Number(seconds) > EXPIRES_MAX_S) return;
    open.expiry = this.#core.timers.set(Number(seconds) * 1000, () => {
      if (open.transaction.state !== 'proceeding' || !this.#open.has(open.txnId)) return;
      this.#terminate(open);
      this.#forwardCancel(open, open.received);
    });
  }

  /** Takes a new request, which its application has not touched yet, away from it. */
  release(app: Application, txnId: string): Passed | undefined {
    const open = this.#open.get(txnId);
    if (open?.app !== app || open.inDialog || open.responded || open.transaction.state !== 'proceeding')
      return undefined;
    this.#open.delete(txnId);
    return open;
  }

  #refuse(received: ReceivedRequest, { status, reason, headers }: Refusal): void {
    this.#reject(received, status, reason, headers);
  }

  /** Answers without an application; INVITE gets its 100 first. */
  #reject(received: ReceivedRequest, status: number, reason: string, extra: readonly Header[] = []): void {
    this.#rejected(received, status, reason, extra);
  }

  #rejected(received: ReceivedRequest, status: number, reason: string, extra: readonly Header[] = []): SipResponse {
    const { message } = received;
    const transaction = this.#core.transactions.serve(received, () => undefined);
    if (message.method === 'INVITE') transaction.respond(plainResponse(message, 100, 'Trying', ''));
    const response = plainResponse(message, status, reason, newTag(), extra);
    transaction.respond(response);
    return response;
  }

  /** A response of an application. */
  respond(app: Application, frame: Frame, txnId: string, given: SipResponse): void {
    const open = this.#open.get(txnId);
    if (!open || open.app !== app || open.transaction.state !== 'proceeding' || open.accepting) {
      app.refuse(frame, 'Response not sent due to unknown transaction');
      return;
    }
    const { received } = open;
    const reliable = wantsReliability(given);
    if (reliable && !(received.message.method === 'INVITE' && supportsReliability(received.message))) {
      app.refuse(frame, 'Remote endpoint does not support 100rel');
      return;
    }
    const chosen = tagOf(fieldOf(given, 'to'));
    if (!open.responded && received.toTag === '' && /^[^\s|"]+$/.test(chosen)) open.toTag = chosen;
    open.responded = open.responded || given.status > 100;
    const end = this.#core.local.end(received.source);
    const composed = applicationResponse(received.message, given, open.toTag, end);
    const session = agreedSession(received.message, composed);
    const whole = session.length > 0 ? { ...composed, headers: [...composed.headers, ...session] } : composed;
    const response = reliable ? this.#numbered(open, whole) : whole;
    if (reliable) this.#submit(open, response);
    else if (open.reliable && given.status >= 200 && given.status < 300) {
      open.accepting = true;
      open.reliable.beforeAccepting(() => this.#answer(open, response));
    } else this.#answer(open, response);
    app.echoResponse(frame, received.source, txnId, this.#dialogIdOf(open), response);
  }

  /** Sends a response, and does to the dialog what it means for it. */
  #answer(open: OpenRequest, response: SipResponse): void {
    if (response.status >= 200) open.reliable?.stop();
    open.transaction.respond(response);
    const first = !open.inDialog && open.received.message.method === 'INVITE';
    if (!open.inDialog && response.status >= 200) this.#noteAnswer(open.received, response.status);
    if (first && response.status >= 200) this.#core.records.answered('application', 'uas', response);
    this.#updateDialog(open, response);
  }

  /** A source whose requests are refused one after another is looking for something. */
  #noteAnswer(received: ReceivedRequest, status: number): void {
    const { sources, log } = this.#core;
    if (sources.answered(received, status))
      log.warn({ from: received.source.host }, 'scanner: not answered for a while');
  }

  #numbered(open: OpenRequest, response: SipResponse): SipResponse {
    const { timers, timings } = this.#core;
    open.reliable ??= new ReliableResponses(timers, timings, open.received.cseq.number);
    return open.reliable.number(response);
  }

  /** RFC 3262 3: a reliable provisional response that is never acknowledged ends the call. */
  #submit(open: OpenRequest, response: SipResponse): void {
    const path = replyPath(open.received);
    const actions = {
      send: () => this.#answer(open, response),
      again: () => this.#core.send(serialise(response), path),
      expired: () => {
        this.#answer(open, plainResponse(open.received.message, 504, 'Server Time-out', open.toTag));
        this.#forwardCancel(open, open.received);
      },
    };
    open.reliable?.submit(response, actions);
  }

  #dialogIdOf(open: OpenRequest): string {
    if (open.inDialog) return open.dialog?.id ?? '';
    const { message, callId, fromTag } = open.received;
    return makesDialog(message.method) && open.responded ? dialogId(callId, fromTag) : '';
  }

  #updateDialog(open: OpenRequest, response: SipResponse): void {
    const { status } = response;
    const { method } = open.received.message;
    if (!open.inDialog && makesDialog(method) && status > 100 && status < 300 && !open.dialog) {
      open.dialog = Dialog.ofServer(open.received, response, open.app);
      open.dialog.inviteFromPeer = open.txnId;
      this.#core.dialogs.add(open.dialog);
    }
    const { dialog } = open;
    if (dialog && open.reliable) dialog.reliable = open.reliable;
    if (dialog && status < 300 && (method === 'INVITE' || method === 'UPDATE')) {
      dialog.localSdp = response.body || dialog.localSdp;
    }
    if (!dialog || status < 200) return;
    if (dialog.inviteFromPeer === open.txnId) dialog.inviteFromPeer = undefined;
    if (dialog.updateFromPeer === open.txnId) dialog.updateFromPeer = undefined;
    if (status >= 300) {
      if (!open.inDialog) this.#core.dialogs.remove(dialog);
      return;
    }
    // An UPDATE or PRACK that is taken does not answer the INVITE.
    if (makesDialog(method)) dialog.confirmed = true;
    if (makesDialog(method) || method === 'UPDATE') dialog.refreshTarget(open.received.message);
    if (method === 'INVITE' || method === 'UPDATE') this.#client.sessions.agree(dialog, response, 'uas');
    if (method === 'INVITE') this.#repeatUntilAck(open, dialog, response);
    if (isLastNotify(open)) this.#core.dialogs.remove(dialog);
  }

  /** RFC 3261 13.3.1.4: a 2xx is repeated, over TCP too, until its ACK comes; without one in 64*T1 the call is ended. */
  #repeatUntilAck(open: OpenRequest, dialog: Dialog, response: SipResponse): void {
    const { timers, timings, send } = this.#core;
    const group = new TimerGroup(timers);
    const text = serialise(response);
    const path = replyPath(open.received);
    retransmit(group, '2xx', timings.t1, timings.t2, () => send(text, path));
    group.set('ACK', 64 * timings.t1, () => this.#neverAcknowledged(dialog));
    dialog.openAnswer = { cseq: open.received.cseq.number, txnId: open.txnId, stop: () => group.clearAll() };
  }

  #neverAcknowledged(dialog: Dialog): void {
    const ending = dialog.afterAck.length > 0;
    const told = dialog.endWhenAcknowledged !== undefined;
    dialog.acknowledged();
    if (!ending) this.#client.end(dialog, 'ACK timeout', !told);
  }

  /** An ACK of no transaction: it acknowledges a 2xx. Only the first is shown to the application. */
  acknowledge(received: ReceivedRequest): void {
    const dialog = this.#core.dialogs.match(received);
    const answer = dialog?.openAnswer;
    if (!dialog || answer?.cseq !== received.cseq.number) return;
    const { message, source, bytes } = received;
    this.#core.sources.confirm(source.host);
    if (dialog.endWhenAcknowledged !== undefined) {
      dialog.acknowledged();
      this.#client.end(dialog, dialog.endWhenAcknowledged, false);
      return;
    }
    const { txnId } = answer;
    dialog.app.deliver({ source: 'network', bytes, peer: source, txnId, dialogId: dialog.id, message });
    dialog.acknowledged();
  }

  /** RFC 3261 9.2. */
  cancel(received: ReceivedRequest): void {
    const invite = this.#core.transactions.findInvite(received);
    const open = invite && this.#openOf(invite);
    if (!invite || invite.state === 'accepted') {
      // Both answers to one caller carry one tag (9.2).
      const gone = plainResponse(received.message, 481, 'Call/Transaction Does Not Exist', open?.toTag ?? newTag());
      this.#core.transactions.serve(received, () => undefined).respond(gone);
      // The caller does not want the call that was answered just before: as drachtio does, it is ended.
      const dialog = open?.dialog;
      const unwanted = dialog?.openAnswer && !open?.inDialog && dialog.endWhenAcknowledged === undefined;
      if (dialog && unwanted) this.#client.endAfterAck(dialog, 'CANCEL crossed the answer');
      return;
    }
    const transaction = this.#core.transactions.serve(received, () => undefined);
    transaction.respond(plainResponse(received.message, 200, 'OK', open?.toTag ?? newTag()));
    if (invite.state !== 'proceeding') return;
    this.passages.cancel(invite);
    if (!open) return;
    this.#terminate(open);
    this.#forwardCancel(open, received);
  }

  #openOf(invite: InviteServerTransaction): OpenRequest | undefined {
    for (const open of this.#open.values()) if (open.transaction === invite) return open;
    return undefined;
  }

  #terminate(open: OpenRequest): void {
    this.#answer(open, plainResponse(open.received.message, 487, 'Request Terminated', open.toTag));
  }

  #forwardCancel(open: OpenRequest, received: ReceivedRequest): void {
    const { message, source, bytes } = received;
    const headers = message.headers.map((line) =>
      line.key === 'cseq' ? header('CSeq', `${open.received.cseq.number} CANCEL`) : line,
    );
    const id = this.#dialogIdOf(open);
    const cancel = { ...message, method: 'CANCEL', headers };
    open.app.deliver({ source: 'network', bytes, peer: source, txnId: open.txnId, dialogId: id, message: cancel });
  }

  /** An application went away: what it has not answered gets 503. */
  applicationGone(app: Application): void {
    for (const open of [...this.#open.values()]) {
      if (open.app !== app || open.transaction.state !== 'proceeding') continue;
      this.#answer(open, plainResponse(open.received.message, 503, 'Service Unavailable', open.toTag));
    }
  }
}
