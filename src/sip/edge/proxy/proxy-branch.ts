import { cancelOf } from '../compose.js';
import type { Core } from '../core.js';
import type { SipRequest } from '../message/message.js';
import { parseUri } from '../message/uri.js';
import { TimerGroup } from '../timers.js';
import type { AnyClientTransaction } from '../transaction/transactions.js';
import type { ReceivedResponse } from '../transport/received.js';
import type { Peer } from '../transport/transport.js';
import { CANCEL, sendCancel } from '../ua/client-requests.js';

/** Timer C: how long a branch that rings may go on, in ms (RFC 3261 16.6 step 11). */
const TIMER_C_MS = 185_000;

export interface BranchOwner {
  /** The request as it goes to this peer. */
  request(branch: Branch, peer: Peer): SipRequest;
  /** Any response but 100. */
  response(branch: Branch, received: ReceivedResponse): void;
  /** The branch will bring no final response any more. */
  over(branch: Branch): void;
}

export interface BranchLimits {
  /** ms until some response has to come. */
  readonly provisionalMs: number | undefined;
  /** ms until the final response has to come. */
  readonly finalMs: number | undefined;
}

/** One target of a request that is proxied. */
export class Branch {
  /** As the application, or a redirection, named it. */
  readonly target: string;
  readonly #core: Core;
  readonly #owner: BranchOwner;
  readonly #timers: TimerGroup;
  #state: 'waiting' | 'active' | 'over' = 'waiting';
  #sent: { request: SipRequest; peer: Peer; transaction: AnyClientTransaction } | undefined;
  #cancelling: 'no' | 'wanted' | 'sent' = 'no';

  constructor(core: Core, owner: BranchOwner, target: string) {
    this.#core = core;
    this.#owner = owner;
    this.target = target;
    this.#timers = new TimerGroup(core.timers);
  }

  get waiting(): boolean {
    return this.#state === 'waiting';
  }

  get active(): boolean {
    return this.#state === 'active';
  }

  /** @param next where it is sent; by default to the target itself */
  launch(limits: BranchLimits, next = this.target): void {
    this.#state = 'active';
    const hop = parseUri(next);
    if (!hop) return this.#finish();
    this.#core.resolver.resolve(hop, (peer) =>
      this.#core.guard('proxied request', () => {
        if (this.#state !== 'active') return;
        if (!peer || this.#core.local.isSelf(peer.host, peer.port)) this.#finish();
        else this.#send(peer, limits);
      }),
    );
  }

  #send(peer: Peer, { provisionalMs, finalMs }: BranchLimits): void {
    const request = this.#owner.request(this, peer);
    if (provisionalMs !== undefined) this.#timers.set('provisional', provisionalMs, () => this.#giveUp());
    const ring = finalMs ?? (request.method === 'INVITE' ? TIMER_C_MS : undefined);
    if (ring !== undefined) this.#timers.set('C', ring, () => this.#giveUp());
    const transaction = this.#core.transactions.send(request, peer, {
      response: (received) => this.#response(received),
      failed: () => this.#finish(),
      moved: (sent) => {
        this.#sent = sent;
      },
      wanted: () => this.#state === 'active' && this.#cancelling === 'no',
    });
    this.#sent ??= { request, peer, transaction };
  }

  #response(received: ReceivedResponse): void {
    const { status } = received.message;
    this.#timers.clear('provisional');
    if (this.#cancelling === 'wanted') this.#sendCancel();
    if (status < 200) {
      if (status > 100 && this.#state === 'active') this.#owner.response(this, received);
      return;
    }
    const late = this.#state === 'over';
    this.#state = 'over';
    this.#timers.clearAll();
    // A branch that was given up and answers all the same has made a call that the caller has to hear of.
    if (!late || status < 300) this.#owner.response(this, received);
  }

  /** A target that takes too long: its INVITE is cancelled, and nothing more is expected of it. */
  #giveUp(): void {
    this.cancel();
    this.#finish();
  }

  /** The answer of a branch that is cancelled still counts: it is the 487 that its caller waits for. */
  cancel(): void {
    if (this.#state === 'waiting') this.#state = 'over';
    if (this.#cancelling !== 'no') return;
    this.#cancelling = 'wanted';
    this.#sendCancel();
  }

  #sendCancel(): void {
    if (!this.#sent) return;
    const { request, peer, transaction } = this.#sent;
    if (sendCancel(this.#core, transaction, cancelOf(request, CANCEL), peer)) this.#cancelling = 'sent';
  }

  #finish(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#timers.clearAll();
    this.#owner.over(this);
  }

  /** Nobody waits for its answer any more. */
  drop(): void {
    this.#state = 'over';
    this.#timers.clearAll();
  }
}
