/** Reliable provisional responses of the server side (RFC 3262 3). */
import { randomInt } from 'node:crypto';
import { fieldOf, header, type SipRequest, type SipResponse } from '../message/message.js';
import { retransmit, type SipTimings, TimerGroup, type Timers } from '../timers.js';

/** What is done with a response of an INVITE that has reliable ones. */
interface Actions {
  send(): void;
  /** Sends it once more. */
  again(): void;
  /** No PRACK came in 64*T1. */
  expired(): void;
}

/** The provisional responses of one INVITE: each has its RSeq, and is repeated until its PRACK comes. */
export class ReliableResponses {
  readonly #group: TimerGroup;
  readonly #timings: SipTimings;
  readonly #cseq: number;
  #rseq = randomInt(1, 1 << 20);
  /** Sent, and not acknowledged yet; kept past the final response, whose PRACK may be on its way. */
  readonly #unacknowledged = new Set<number>();
  #waiting: { rseq: number; described: boolean } | undefined;
  readonly #held: (() => void)[] = [];

  /** @param cseq of the INVITE */
  constructor(timers: Timers, timings: SipTimings, cseq: number) {
    this.#group = new TimerGroup(timers);
    this.#timings = timings;
    this.#cseq = cseq;
  }

  number(response: SipResponse): SipResponse {
    this.#rseq++;
    return { ...response, headers: [...response.headers, header('RSeq', String(this.#rseq))] };
  }

  /** Sends a numbered response, and repeats it; while another waits for its PRACK, it is held back. */
  submit(response: SipResponse, actions: Actions): void {
    if (this.#waiting) {
      this.#held.push(() => this.submit(response, actions));
      return;
    }
    const rseq = Number(fieldOf(response, 'rseq'));
    this.#waiting = { rseq, described: response.body !== '' };
    this.#unacknowledged.add(rseq);
    actions.send();
    retransmit(this.#group, '1xx', this.#timings.t1, Number.POSITIVE_INFINITY, actions.again);
    this.#group.set('PRACK', 64 * this.#timings.t1, () => {
      this.stop();
      actions.expired();
    });
  }

  /** Runs what sends a 2xx: after the PRACK when a session description waits for one. */
  beforeAccepting(send: () => void): void {
    if (this.#waiting?.described || this.#held.length > 0) this.#held.push(send);
    else send();
  }

  /** Takes a PRACK; false when it acknowledges nothing that waits. */
  acknowledge(prack: SipRequest): boolean {
    const [rseq, number, method] = (fieldOf(prack, 'rack') ?? '').split(/[ \t]/).filter((part) => part !== '');
    const fits = Number(number) === this.#cseq && method === 'INVITE';
    if (!fits || !this.#unacknowledged.delete(Number(rseq))) return false;
    if (this.#waiting?.rseq !== Number(rseq)) return true;
    this.#waiting = undefined;
    this.#group.clearAll();
    return true;
  }

  /** What was held back goes out now, once the PRACK has been handed on. */
  proceed(): void {
    while (!this.#waiting) {
      const next = this.#held.shift();
      if (!next) return;
      next();
    }
  }

  /** A final response goes out: nothing is repeated any more. */
  stop(): void {
    this.#waiting = undefined;
    this.#held.length = 0;
    this.#group.clearAll();
  }
}
