import { plainResponse } from './compose.js';
import type { Core } from './core.js';
import type { AnyServerTransaction } from './transaction/transactions.js';
import type { ReceivedRequest } from './transport/received.js';

/** A request that is passed on instead of being answered by an application. */
export interface Passed {
  readonly received: ReceivedRequest;
  readonly transaction: AnyServerTransaction;
}

/** What has become of a request that is passed on. */
export interface Passage {
  /** Its sender wants it no more. */
  cancel(): void;
  /** Its server transaction is over. */
  ended(): void;
}

/** The requests that are being passed on. */
export class Passages {
  readonly #core: Core;
  readonly #followed = new Map<AnyServerTransaction, Passage>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** Opens the transaction of a request that no application sees. */
  open(received: ReceivedRequest): Passed {
    const transaction = this.#core.transactions.serve(received, () => this.ended(transaction));
    if (received.message.method === 'INVITE') transaction.respond(plainResponse(received.message, 100, 'Trying', ''));
    return { received, transaction };
  }

  /** From now on CANCEL and the end of the transaction are the passage's. */
  follow(passed: Passed, passage: Passage): void {
    this.#followed.set(passed.transaction, passage);
  }

  cancel(invite: AnyServerTransaction): void {
    this.#followed.get(invite)?.cancel();
  }

  ended(transaction: AnyServerTransaction): void {
    this.#followed.get(transaction)?.ended();
    this.#followed.delete(transaction);
  }
}
