/** The client transactions of RFC 3261 17.1, with the Accepted state of RFC 6026. */
import { fieldOf, fieldsOf, header, type SipRequest, type SipResponse } from '../message/message.js';
import { retransmit, type SipTimings, TimerGroup, type Timers } from '../timers.js';

export type ClientFailure = 'timeout' | 'transport';

/** What a transaction tells the core above it. */
export interface ClientOwner {
  /** Every response but absorbed retransmissions; for INVITE, every 2xx, repeated ones too. */
  response(response: SipResponse): void;
  /** No final response came (timer B or F), or the request could not be sent. */
  failed(failure: ClientFailure): void;
}

export interface TransactionSetup {
  readonly timers: Timers;
  readonly timings: SipTimings;
  /** TCP: nothing is retransmitted, and the lingering states last no time. */
  readonly reliable: boolean;
}

export interface ClientSetup extends TransactionSetup {
  readonly request: SipRequest;
  readonly send: (request: SipRequest) => void;
  readonly owner: ClientOwner;
  /** The transaction is over and may be forgotten. */
  readonly ended: () => void;
}

/** What both client machines share: sending, timers, ending once. */
abstract class ClientTransaction<State extends string> {
  protected readonly setup: ClientSetup;
  protected readonly group: TimerGroup;
  protected abstract state: State | 'terminated';

  constructor(setup: ClientSetup) {
    this.setup = setup;
    this.group = new TimerGroup(setup.timers);
  }

  get request(): SipRequest {
    return this.setup.request;
  }

  /** Whether no final response has come yet. */
  abstract get waiting(): boolean;

  /** The transport gave the request up (RFC 3261 17.1.4). */
  abstract transportFailed(): void;

  end(): void {
    if (this.state === 'terminated') return;
    this.state = 'terminated';
    this.group.clearAll();
    this.setup.ended();
  }

  protected fail(failure: ClientFailure): void {
    this.end();
    this.setup.owner.failed(failure);
  }

  protected sendRequest(): void {
    this.setup.send(this.setup.request);
  }

  /** ms: 64*T1, how long an answer is awaited. */
  protected get patience(): number {
    return 64 * this.setup.timings.t1;
  }
}

/** RFC 3261 17.1.1 and RFC 6026 7.2: timers A, B, D, M. */
export class InviteClientTransaction extends ClientTransaction<'calling' | 'proceeding' | 'accepted' | 'completed'> {
  protected override state: 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated' = 'calling';
  #ack: SipRequest | undefined;

  /** A provisional response came and no final one yet: the only time at which CANCEL may be sent (9.1). */
  get cancellable(): boolean {
    return this.state === 'proceeding';
  }

  override get waiting(): boolean {
    return this.state === 'calling' || this.state === 'proceeding';
  }

  start(): void {
    const { timings, reliable } = this.setup;
    if (!reliable) retransmit(this.group, 'A', timings.t1, Number.POSITIVE_INFINITY, () => this.sendRequest());
    this.group.set('B', this.patience, () => this.fail('timeout'));
    this.sendRequest();
  }

  /** After a CANCEL, a peer that stays silent has 64*T1 left to answer (RFC 3261 9.1). */
  cancelled(): void {
    if (this.state === 'proceeding') this.group.set('B', this.patience, () => this.fail('timeout'));
  }

  receive(response: SipResponse): void {
    const ringing = this.waiting;
    if (response.status < 200) {
      if (!ringing) return;
      if (this.state === 'calling') this.group.clearAll();
      this.state = 'proceeding';
      this.setup.owner.response(response);
    } else if (response.status < 300) {
      if (!ringing && this.state !== 'accepted') return;
      if (ringing) this.#linger('accepted', 'M', this.patience);
      this.setup.owner.response(response);
    } else if (ringing) {
      this.#ack = ackFor(this.setup.request, response);
      this.setup.send(this.#ack);
      this.#linger('completed', 'D', this.setup.reliable ? 0 : this.patience);
      this.setup.owner.response(response);
    } else if (this.state === 'completed' && this.#ack) {
      this.setup.send(this.#ack);
    }
  }

  override transportFailed(): void {
    if (this.state === 'calling') this.fail('transport');
  }

  #linger(state: 'accepted' | 'completed', letter: string, ms: number): void {
    this.state = state;
    this.group.clearAll();
    this.group.set(letter, ms, () => this.end());
  }
}

/** RFC 3261 17.1.2: timers E, F, K. */
export class NonInviteClientTransaction extends ClientTransaction<'trying' | 'proceeding' | 'completed'> {
  protected override state: 'trying' | 'proceeding' | 'completed' | 'terminated' = 'trying';

  override get waiting(): boolean {
    return this.state === 'trying' || this.state === 'proceeding';
  }

  start(): void {
    const { timings, reliable } = this.setup;
    if (!reliable) retransmit(this.group, 'E', timings.t1, timings.t2, () => this.sendRequest());
    this.group.set('F', this.patience, () => this.fail('timeout'));
    this.sendRequest();
  }

  receive(response: SipResponse): void {
    if (!this.waiting) return;
    if (response.status < 200) {
      if (this.state === 'trying') this.#slowDown();
      this.state = 'proceeding';
    } else {
      this.state = 'completed';
      this.group.clearAll();
      this.group.set('K', this.setup.reliable ? 0 : this.setup.timings.t4, () => this.end());
    }
    this.setup.owner.response(response);
  }

  override transportFailed(): void {
    if (this.state === 'trying') this.fail('transport');
  }

  /** In Proceeding the request is repeated every T2 (17.1.2.2). */
  #slowDown(): void {
    const { timings, reliable } = this.setup;
    if (!reliable) retransmit(this.group, 'E', timings.t2, timings.t2, () => this.sendRequest());
  }
}

/** The ACK for a non-2xx final response (RFC 3261 17.1.1.3): same branch, the response's To. */
function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  const copy = (key: string) => invite.headers.filter((line) => line.key === key);
  const sequence = (fieldOf(invite, 'cseq') ?? '').split(' ')[0];
  const headers = [
    header('Via', fieldsOf(invite, 'via')[0] ?? ''),
    ...copy('route'),
    header('Max-Forwards', '70'),
    ...copy('from'),
    header('To', fieldOf(response, 'to') ?? ''),
    ...copy('call-id'),
    header('CSeq', `${sequence} ACK`),
  ];
  return { kind: 'request', method: 'ACK', uri: invite.uri, headers, body: '' };
}
