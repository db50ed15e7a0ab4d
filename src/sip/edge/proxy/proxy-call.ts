import { newTag, plainResponse } from '../compose.js';
import type { Core } from '../core.js';
import { listOf, parseNameAddress } from '../message/headers.js';
import type { Header, SipRequest, SipResponse } from '../message/message.js';
import { serialise } from '../message/serialise.js';
import type { Passage, Passed } from '../passage.js';
import { type ReceivedResponse, replyPath } from '../transport/received.js';
import type { Peer } from '../transport/transport.js';
import { Branch, type BranchLimits, type BranchOwner } from './proxy-branch.js';
import { bestOf, forwardedRequest, forwardedResponse, withChallenges } from './proxy-messages.js';

/** How a request is passed on. */
export interface ProxyPlan extends BranchLimits {
  /** Tried one after another, or all at once. */
  readonly targets: readonly string[];
  readonly simultaneous: boolean;
  readonly followRedirects: boolean;
  /** Own URI for Record-Route, towards this peer. */
  readonly recordRoute: (peer: Peer) => string | undefined;
  readonly headers: readonly Header[];
  readonly routes: readonly string[];
  /** Request-URI; by default the target. */
  readonly uri: string | undefined;
  /** Next hop when it is not the target. */
  readonly next: string | undefined;
}

/** Who is told what becomes of it. */
export interface ProxyListener {
  /** A request went out. */
  sent?(request: SipRequest): void;
  /** A final response came from a target. */
  answered?(branch: Branch, received: ReceivedResponse): void;
  /** The final response that went back. */
  done?(response: SipResponse | undefined): void;
}

/** Contacts that redirections may add to one request. */
const REDIRECTS = 10;

/** One request that is passed on to one target or several (RFC 3261 16). */
export class ProxyCall implements Passage, BranchOwner {
  readonly #core: Core;
  readonly #passed: Passed;
  readonly #plan: ProxyPlan;
  readonly #listener: ProxyListener;
  readonly #branches: Branch[];
  readonly #finals: SipResponse[] = [];
  #redirects = 0;
  #cancelled = false;
  #settled = false;

  constructor(core: Core, passed: Passed, plan: ProxyPlan, listener: ProxyListener) {
    this.#core = core;
    this.#passed = passed;
    this.#plan = plan;
    this.#listener = listener;
    this.#branches = plan.targets.map((target) => new Branch(core, this, target));
  }

  start(): void {
    this.#advance();
  }

  request(branch: Branch, peer: Peer): SipRequest {
    const { headers, routes, uri, recordRoute } = this.#plan;
    const forwarding = { uri: uri ?? branch.target, recordRoute: recordRoute(peer), headers, routes };
    const request = forwardedRequest(this.#passed.received.message, forwarding, this.#core.local.end(peer));
    this.#listener.sent?.(request);
    return request;
  }

  response(branch: Branch, received: ReceivedResponse): void {
    const { status } = received.message;
    const response = forwardedResponse(received.message);
    if (status < 200) {
      if (!this.#settled) this.#passed.transaction.respond(response);
      return;
    }
    if (status < 300) return this.#accepted(branch, received, response);
    this.#listener.answered?.(branch, received);
    if (this.#settled) return;
    this.#finals.push(response);
    if (status >= 600) this.#stopOthers(branch);
    // The caller has to answer the challenge before any other target can be of use.
    if (status === 401 || status === 407) this.#dropWaiting();
    if (status < 400 && this.#plan.followRedirects) this.#redirect(branch, response);
    this.#advance();
  }

  over(): void {
    this.#advance();
  }

  /** RFC 3261 16.7 step 5: a 2xx goes back at once, and so does every other one, and every repetition. */
  #accepted(branch: Branch, received: ReceivedResponse, response: SipResponse): void {
    if (this.#settled) {
      if (received.cseq.method !== 'INVITE') return;
      this.#core.send(serialise(response), replyPath(this.#passed.received));
      return;
    }
    this.#settled = true;
    this.#passed.transaction.respond(response);
    this.#stopOthers(branch);
    this.#listener.answered?.(branch, received);
    this.#listener.done?.(response);
  }

  #stopOthers(but: Branch): void {
    this.#dropWaiting();
    for (const branch of this.#branches) if (branch !== but && branch.active) branch.cancel();
  }

  #dropWaiting(): void {
    for (const branch of this.#branches) if (branch.waiting) branch.drop();
  }

  #redirect(from: Branch, response: SipResponse): void {
    const known = new Set(this.#branches.map((branch) => branch.target));
    const contacts = listOf(response, 'contact').map((value) => parseNameAddress(value)?.uri ?? '');
    const fresh = contacts.filter((uri) => uri !== '' && !known.has(uri)).slice(0, REDIRECTS - this.#redirects);
    this.#redirects += fresh.length;
    const branches = fresh.map((uri) => new Branch(this.#core, this, uri));
    this.#branches.splice(this.#branches.indexOf(from) + 1, 0, ...branches);
    if (fresh.length > 0) this.#finals.splice(this.#finals.indexOf(response), 1);
  }

  /** Tries the next target, or, when none is left, sends back the best answer. */
  #advance(): void {
    if (this.#settled) return;
    const waiting = this.#cancelled ? [] : this.#branches.filter((branch) => branch.waiting);
    const busy = this.#branches.some((branch) => branch.active);
    const next = this.#plan.simultaneous ? waiting : busy ? [] : waiting.slice(0, 1);
    for (const branch of next) if (branch.waiting) branch.launch(this.#plan, this.#plan.next);
    if (next.length > 0 || busy || this.#settled) return;
    this.#settled = true;
    const response = this.#conclusion();
    this.#passed.transaction.respond(response);
    this.#listener.done?.(response);
  }

  #conclusion(): SipResponse {
    const best = bestOf(this.#finals);
    if (best) return withChallenges(best, this.#finals);
    const { message } = this.#passed.received;
    if (this.#cancelled) return plainResponse(message, 487, 'Request Terminated', newTag());
    return plainResponse(message, 408, 'Request Timeout', newTag());
  }

  /** RFC 3261 16.10: what is open is cancelled; its 487 comes back by itself. */
  cancel(): void {
    if (this.#settled || this.#cancelled) return;
    this.#cancelled = true;
    this.#dropWaiting();
    for (const branch of this.#branches) if (branch.active) branch.cancel();
    this.#advance();
  }

  /** The server transaction ended: without an answer, nobody waits for one any more. */
  ended(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#dropWaiting();
    for (const branch of this.#branches) {
      if (branch.active) branch.cancel();
      branch.drop();
    }
    this.#listener.done?.(undefined);
  }
}
