import { randomUUID } from 'node:crypto';
import type { Application } from '../application/application.js';
import { newTag } from '../compose.js';
import type { Dialog } from '../dialog/dialog.js';
import type { ReliableResponses } from '../dialog/reliable.js';
import { fieldOf } from '../message/message.js';
import type { Passed } from '../passage.js';
import type { Timer } from '../timers.js';
import type { AnyServerTransaction } from '../transaction/transactions.js';
import type { ReceivedRequest } from '../transport/received.js';

/** A request of the network that an application has, while its transaction lasts. */
export interface OpenRequest {
  readonly txnId: string;
  readonly received: ReceivedRequest;
  readonly transaction: AnyServerTransaction;
  readonly app: Application;
  /** Fixed by the first response; ours unless the application chose one. */
  toTag: string;
  /** Whether the application has responded: from then on the dialog has its name. */
  responded: boolean;
  /** The dialog it came in, or makes. */
  dialog: Dialog | undefined;
  /** Made when the first provisional response is sent reliably. */
  reliable: ReliableResponses | undefined;
  /** A 2xx is given, and may wait for a PRACK. */
  accepting: boolean;
  /** Ends an INVITE that is good for a certain time. */
  expiry: Timer | undefined;
  readonly inDialog: boolean;
}

/** A request that an application is about to get. @param dialog the one it came in */
export function openRequest(
  { received, transaction }: Passed,
  app: Application,
  dialog: Dialog | undefined,
): OpenRequest {
  return {
    txnId: randomUUID(),
    received,
    transaction,
    app,
    toTag: received.toTag || newTag(),
    responded: false,
    dialog,
    reliable: undefined,
    accepting: false,
    expiry: undefined,
    inDialog: dialog !== undefined,
  };
}

/** The NOTIFY that ends a subscription (RFC 6665 4.4.1). */
export function isLastNotify(open: OpenRequest): boolean {
  const { message } = open.received;
  if (message.method !== 'NOTIFY' || open.dialog?.method !== 'SUBSCRIBE') return false;
  return /^terminated/i.test(fieldOf(message, 'subscription-state') ?? '');
}
