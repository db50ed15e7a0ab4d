/** The server transactions of RFC 3261 17.2, with the Accepted state of RFC 6026. */

import { tagOf } from '../message/headers.js';
import { fieldOf, type SipResponse } from '../message/message.js';
import { retransmit, TimerGroup } from '../timers.js';
import type { TransactionSetup } from './client-transaction.js';

export interface ServerSetup extends TransactionSetup {
  readonly send: (response: SipResponse) => void;
  /** The transaction is over and may be forgotten; `answered` tells whether a final response was ever sent. */
  readonly ended: (answered: boolean) => void;
}

/** How long an INVITE may go on without a final response, in ms: beyond the 3 min of timer C (RFC 3261 16.6). */
const RINGING_LIMIT_MS = 300_000;

type ServerState = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

abstract class ServerTransaction {
  protected readonly setup: ServerSetup;
  protected readonly group: TimerGroup;
  protected last: SipResponse | undefined;
  #state: ServerState = 'proceeding';
  #answered = false;

  constructor(setup: ServerSetup) {
    this.setup = setup;
    this.group = new TimerGroup(setup.timers);
  }

  get state(): ServerState {
    return this.#state;
  }

  /** The To tag of the last response; only who got it can know it. */
  get toTag(): string {
    return this.last ? tagOf(fieldOf(this.last, 'to')) : '';
  }

  protected enter(state: ServerState): void {
    this.#state = state;
    if (state !== 'proceeding') this.#answered = true;
  }

  end(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.group.clearAll();
    this.setup.ended(this.#answered);
  }

  /** ms: 64*T1. */
  protected get patience(): number {
    return 64 * this.setup.timings.t1;
  }

  /** Sends a response of the core; ignored once a final one was sent. */
  respond(response: SipResponse): void {
    if (this.#state !== 'proceeding') return;
    this.last = response;
    this.setup.send(response);
    this.responded(response.status);
  }

  protected abstract responded(status: number): void;
  /** The same request again: answered by what was answered before (17.2). */
  abstract repeated(): void;
}

/** RFC 3261 17.2.1 and RFC 6026 7.1: timers G, H, I, L. */
export class InviteServerTransaction extends ServerTransaction {
  constructor(setup: ServerSetup) {
    super(setup);
    this.group.set('ringing', RINGING_LIMIT_MS, () => this.end());
  }

  protected override responded(status: number): void {
    this.group.set('ringing', RINGING_LIMIT_MS, () => this.end());
    if (status < 200) return;
    this.group.clearAll();
    if (status < 300) {
      // Repetition of a 2xx is the dialog's (13.3.1.4); the transaction stays to absorb repeated INVITEs.
      this.enter('accepted');
      this.group.set('L', this.patience, () => this.end());
      return;
    }
    this.enter('completed');
    const { timings, reliable } = this.setup;
    if (!reliable) retransmit(this.group, 'G', timings.t1, timings.t2, () => this.#sendAgain());
    this.group.set('H', this.patience, () => this.end());
  }

  override repeated(): void {
    if (this.state === 'proceeding' || this.state === 'completed') this.#sendAgain();
  }

  /** The ACK of a non-2xx response. */
  acknowledged(): void {
    if (this.state !== 'completed') return;
    this.enter('confirmed');
    this.group.clearAll();
    this.group.set('I', this.setup.reliable ? 0 : this.setup.timings.t4, () => this.end());
  }

  #sendAgain(): void {
    if (this.last) this.setup.send(this.last);
  }
}

/**
 * RFC 3261 17.2.2: timer J. A request that the core never answers is dropped after 64*T1 without a response: by then
 * the client has given up (RFC 4320 4.2).
 */
export class NonInviteServerTransaction extends ServerTransaction {
  constructor(setup: ServerSetup) {
    super(setup);
    this.group.set('unanswered', this.patience, () => this.end());
  }

  protected override responded(status: number): void {
    if (status < 200) return;
    this.enter('completed');
    this.group.clearAll();
    this.group.set('J', this.setup.reliable ? 0 : this.patience, () => this.end());
  }

  override repeated(): void {
    if (this.last) this.setup.send(this.last);
  }
}
