import type { Application } from '../application/application.js';
import { listOf, parseNameAddress, split, tagOf } from '../message/headers.js';
import {
  fieldOf,
  type Header,
  header,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../message/message.js';
import { parseUri, requestUri } from '../message/uri.js';
import type { ReceivedRequest, ReceivedResponse } from '../transport/received.js';
import type { Connection } from '../transport/transport.js';
import type { ReliableResponses } from './reliable.js';

/** A 2xx to an INVITE that is repeated until its ACK comes (RFC 3261 13.3.1.4). */
export interface OpenAnswer {
  readonly cseq: number;
  /** The application's name for the INVITE: the ACK is reported under it. */
  readonly txnId: string;
  stop(): void;
}

/** An INVITE of ours that was answered 2xx, and the ACK sent for it, repeated for each repeated 2xx (13.2.2.4). */
export interface AnsweredInvite {
  readonly invite: SipRequest;
  readonly cseq: number;
  /** Sends the ACK again; `undefined` until the application has sent one. */
  ack: (() => void) | undefined;
  /** Stops waiting for the application's ACK. */
  stop(): void;
}

/** A dialog (RFC 3261 12), made by INVITE or SUBSCRIBE in either direction. */
export class Dialog {
  /** drachtio's name for it, on which drachtio-srf relies. */
  readonly id: string;
  readonly callId: string;
  readonly localTag: string;
  /** Empty only for peers older than RFC 3261. */
  remoteTag: string;
  readonly app: Application;
  readonly method: string;
  /** From and To values with tags, as they stand in requests of ours. */
  readonly localParty: string;
  remoteParty: string;
  localSeq: number;
  remoteSeq: number | undefined;
  routeSet: readonly string[];
  remoteTarget: string;
  confirmed = false;
  /** The TCP connection the dialog was set up over. */
  connection: Connection | undefined;

  /** Our 2xx that waits for its ACK. */
  openAnswer: OpenAnswer | undefined;
  answered: AnsweredInvite | undefined;
  /** An INVITE of the peer, or of ours, that has no final response yet. */
  inviteFromPeer: string | undefined;
  inviteToPeer: string | undefined;
  /** An UPDATE of the peer, or one of ours with an offer, that has none yet. */
  updateFromPeer: string | undefined;
  updateToPeer: string | undefined;
  /** The provisional responses that the peer acknowledges. */
  reliable: ReliableResponses | undefined;
  /** The peer's provisional responses: the last RSeq, and those that have no PRACK yet. */
  rseq: number | undefined;
  readonly unacknowledged: number[] = [];
  /** The early dialogs of its INVITE, by the peer's tag: for the application they have one name. */
  forks: ReadonlyMap<string, Dialog> | undefined;
  /** Set when the call is over for the application: BYE follows as soon as the peer has its ACK, or has sent it. */
  endWhenAcknowledged: string | undefined;
  /** The application has sent its BYE. */
  ending = false;
  /** Our last session description, sent again when the edge refreshes the session (RFC 4028 7.4). */
  localSdp = '';
  /** Whether the dialog was made by a request of this side. */
  callIdIsOurs = false;
  /** The peer has said that it takes UPDATE (RFC 3311 4). */
  takesUpdate = false;
  /** The session timer, when one was agreed. */
  session: { stop(): void } | undefined;
  /** Requests that wait for the peer's ACK (RFC 3261 15: no BYE before it). */
  readonly afterAck: (() => void)[] = [];

  constructor(fields: {
    id: string;
    callId: string;
    localTag: string;
    remoteTag: string;
    app: Application;
    method: string;
    localParty: string;
    remoteParty: string;
    localSeq: number;
    remoteSeq: number | undefined;
    routeSet: readonly string[];
    remoteTarget: string;
    connection: Connection | undefined;
  }) {
    this.id = fields.id;
    this.callId = fields.callId;
    this.localTag = fields.localTag;
    this.remoteTag = fields.remoteTag;
    this.app = fields.app;
    this.method = fields.method;
    this.localParty = fields.localParty;
    this.remoteParty = fields.remoteParty;
    this.localSeq = fields.localSeq;
    this.remoteSeq = fields.remoteSeq;
    this.routeSet = fields.routeSet;
    this.remoteTarget = fields.remoteTarget;
    this.connection = fields.connection;
  }

  /** RFC 3261 12.1.1: from a request received and the first response with a tag sent for it. */
  static ofServer(received: ReceivedRequest, response: SipResponse, app: Application): Dialog {
    const { message, callId, fromTag, cseq, source } = received;
    const dialog = new Dialog({
      id: dialogId(callId, fromTag),
      callId,
      localTag: tagOf(fieldOf(response, 'to')),
      remoteTag: fromTag,
      app,
      method: message.method,
      localParty: fieldOf(response, 'to') ?? '',
      remoteParty: fieldOf(message, 'from') ?? '',
      localSeq: 0,
      remoteSeq: cseq.number,
      routeSet: listOf(message, 'record-route'),
      remoteTarget: contactUri(message) ?? parseNameAddress(fieldOf(message, 'from') ?? '')?.uri ?? '',
      connection: source.connection,
    });
    dialog.noteAllowed(message);
    return dialog;
  }

  /** RFC 3261 12.1.2: from a request of ours and a response with a tag received for it. */
  static ofClient(request: SipRequest, received: ReceivedResponse, app: Application): Dialog {
    const { message, callId, fromTag, cseq } = received;
    const dialog = new Dialog({
      id: dialogId(callId, fromTag),
      callId,
      localTag: fromTag,
      remoteTag: '',
      app,
      method: request.method,
      localParty: fieldOf(request, 'from') ?? '',
      remoteParty: fieldOf(message, 'to') ?? '',
      localSeq: cseq.number,
      remoteSeq: undefined,
      routeSet: [],
      remoteTarget: request.uri,
      connection: undefined,
    });
    dialog.callIdIsOurs = true;
    dialog.adopt(received);
    return dialog;
  }

  /** Takes over what a response to our dialog-making request says: the last one, the 2xx, counts (13.2.2.4). */
  adopt(received: ReceivedResponse): void {
    this.remoteTag = received.toTag;
    this.remoteParty = fieldOf(received.message, 'to') ?? this.remoteParty;
    this.routeSet = listOf(received.message, 'record-route').reverse();
    this.connection = received.source.connection;
    this.refreshTarget(received.message);
  }

  /** A Contact in a target refresh request, or in its 2xx, replaces the remote target (12.2). */
  refreshTarget(message: SipMessage): void {
    const uri = contactUri(message);
    if (uri !== undefined) this.remoteTarget = uri;
    this.noteAllowed(message);
  }

  /** What an Allow says holds until another comes. */
  private noteAllowed(message: SipMessage): void {
    const allowed = listOf(message, 'allow');
    if (allowed.length > 0) this.takesUpdate = allowed.some((method) => method.toUpperCase() === 'UPDATE');
  }

  /**
   * Request-URI, Route and next hop of a request in this dialog (RFC 3261 12.2.1.1), strict routers included.
   */
  routing(): { uri: string; routes: Header[]; next: string } {
    const uri = requestUri(this.remoteTarget);
    const [first, ...others] = this.routeSet;
    const firstUri = first === undefined ? undefined : parseNameAddress(first)?.uri;
    if (first === undefined || firstUri === undefined) {
      return { uri, routes: [], next: uri };
    }
    if (parseUri(firstUri)?.params.has('lr')) {
      return { uri, routes: this.routeSet.map((value) => header('Route', value)), next: firstUri };
    }
    const routes = [...others, `<${this.remoteTarget}>`].map((value) => header('Route', value));
    return { uri: requestUri(firstUri), routes, next: firstUri };
  }

  /** The early dialog that a PRACK of the application belongs to: the first whose response waits for it. */
  forPrack(prack: SipRequest): Dialog {
    const rseq = Number.parseInt(fieldOf(prack, 'rack') ?? '', 10);
    for (const fork of this.forks?.values() ?? []) {
      const at = fork.unacknowledged.indexOf(rseq);
      if (at < 0) continue;
      fork.unacknowledged.splice(at, 1);
      return fork;
    }
    return this;
  }

  /** Runs `action` once the peer has acknowledged our 2xx: at once when nothing is open. */
  whenAcknowledged(action: () => void): void {
    if (this.openAnswer) this.afterAck.push(action);
    else action();
  }

  /** The ACK came, or is no longer waited for. */
  acknowledged(): void {
    this.openAnswer?.stop();
    this.openAnswer = undefined;
    for (const action of this.afterAck.splice(0)) action();
  }
}

/** `<Call-ID>;from-tag=<From tag of the request that made the dialog>`, in both roles. */
export function dialogId(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

function contactUri(message: SipMessage): string | undefined {
  const value = fieldOf(message, 'contact');
  const first = value === undefined ? undefined : split(value, ',')[0];
  return first === undefined ? undefined : parseNameAddress(first)?.uri;
}

/** As a request of the peer names it. */
export function tagsOf({ callId, localTag, remoteTag }: Pick<Dialog, 'callId' | 'localTag' | 'remoteTag'>): string {
  return `${callId}|${localTag}|${remoteTag}`;
}

/** The dialogs that are alive. */
export class DialogTable {
  readonly #byId = new Map<string, Dialog>();
  readonly #byTags = new Map<string, Dialog>();

  get count(): number {
    return this.#byTags.size;
  }

  add(dialog: Dialog): void {
    this.#byId.set(dialog.id, dialog);
    this.#byTags.set(tagsOf(dialog), dialog);
  }

  /** Another early dialog of an INVITE that was forked: requests of its peer find it, its name stays the first one's. */
  addFork(dialog: Dialog): void {
    this.#byTags.set(tagsOf(dialog), dialog);
  }

  /** Told of confirmed dialogs that end. */
  onRemoved: ((id: string) => void) | undefined;

  remove(dialog: Dialog): void {
    if (dialog.confirmed && this.has(dialog)) this.onRemoved?.(dialog.id);
    if (this.#byId.get(dialog.id) === dialog) this.#byId.delete(dialog.id);
    if (this.#byTags.get(tagsOf(dialog)) === dialog) this.#byTags.delete(tagsOf(dialog));
    dialog.openAnswer?.stop();
    dialog.openAnswer = undefined;
    dialog.answered?.stop();
    dialog.session?.stop();
  }

  has(dialog: Dialog): boolean {
    return this.#byId.get(dialog.id) === dialog;
  }

  get(id: string): Dialog | undefined {
    return this.#byId.get(id);
  }

  /** The dialog of a request from the network (12.2.2): its To tag is ours. */
  match(received: ReceivedRequest): Dialog | undefined {
    return this.#byTags.get(`${received.callId}|${received.toTag}|${received.fromTag}`);
  }

  ofCall(callId: string, app: Application): Dialog | undefined {
    for (const dialog of this.#byId.values()) if (dialog.callId === callId && dialog.app === app) return dialog;
    return undefined;
  }

  all(): Dialog[] {
    return [...this.#byId.values()];
  }

  ofApplication(app: Application): Dialog[] {
    return this.all().filter((dialog) => dialog.app === app);
  }
}
