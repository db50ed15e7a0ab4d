import { makesDialog } from '../compose.js';
import { dialogId } from '../dialog/dialog.js';
import type { ReceivedRequest } from '../transport/received.js';

/** Requests outside dialogs that are going on, to notice one that comes by two ways (RFC 3261 8.2.2.2). */
export class OngoingRequests<T extends { readonly transaction: { readonly state: string } }> {
  readonly #byRequest = new Map<string, T>();
  /** Those that may make a dialog: two of the same name can't be kept apart. */
  readonly #byDialog = new Map<string, T>();

  add(received: ReceivedRequest, request: T): void {
    this.#byRequest.set(requestKey(received), request);
    if (makesDialog(received.message.method)) this.#byDialog.set(dialogKey(received), request);
  }

  remove(received: ReceivedRequest, request: T): void {
    const key = requestKey(received);
    if (this.#byRequest.get(key) === request) this.#byRequest.delete(key);
    if (this.#byDialog.get(dialogKey(received)) === request) this.#byDialog.delete(dialogKey(received));
  }

  /** Whether this, of no transaction that is known, is the same request again. */
  includes(received: ReceivedRequest): boolean {
    if (received.fromTag === '') return false;
    const making = makesDialog(received.message.method) && this.#byDialog.get(dialogKey(received))?.transaction.state;
    return making === 'proceeding' || this.#byRequest.has(requestKey(received));
  }
}

function requestKey({ callId, fromTag, cseq }: ReceivedRequest): string {
  return `${callId}|${fromTag}|${cseq.number}|${cseq.method}`;
}

function dialogKey({ callId, fromTag }: ReceivedRequest): string {
  return dialogId(callId, fromTag);
}
