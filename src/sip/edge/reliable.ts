/** Reliable provisional responses of the server side (RFC 3262 3). */
import { randomInt } from 'node:crypto';
import { fieldOf, fieldsOf, header, type SipRequest, type SipResponse } from './message.js';
import { retransmit, type SipTimings, TimerGroup, type Timers } from './timers.js';

const OPTION = '100rel';

function lists(message: SipRequest | SipResponse, key: string): boolean {
  return fieldsOf(message, key).some((value) => value.split(',').some((tag) => tag.trim().toLowerCase() === OPTION));
}

/** Whether this provisional response is to be sent reliably. */
export function wantsReliability(response: SipResponse): boolean {
  return response.status > 100 && response.status < 200 && lists(response, 'require');
}

/** Whether the peer can acknowledge one. */
export function supportsReliability(request: SipRequest): boolean {
  return lists(request, 'supported') || lists(request, 'require');
}

/** The provisional responses of one INVITE: each has its RSeq, and is repeated until its PRACK comes. */
export class ReliableResponses {
  readonly #group: TimerGroup;
  readonly #timings: SipTimings;
  #rseq = randomInt(1, 1 << 20);
  #waiting = false;

  constructor(timers: Timers, timings: SipTimings) {
    this.#group = new TimerGroup(timers);
    this.#timings = timings;
  }

  /** Numbers a response; one that is still waiting for its PRACK is repeated no more. */
  number(response: SipResponse): SipResponse {
    this.#rseq++;
    return { ...response, headers: [...response.headers, header('RSeq', String(this.#rseq))] };
  }

  /** Calls `send` at T1 and doubling intervals; after 64*T1 without PRACK, `expired`. */
  repeat(send: () => void, expired: () => void): void {
    this.#waiting = true;
    retransmit(this.#group, '1xx', this.#timings.t1, Number.POSITIVE_INFINITY, send);
    this.#group.set('PRACK', 64 * this.#timings.t1, () => {
      this.stop();
      expired();
    });
  }

  /** Takes a PRACK; false when it acknowledges nothing that waits. */
  acknowledge(prack: SipRequest, cseq: number): boolean {
    const [rseq, number, method] = (fieldOf(prack, 'rack') ?? '').split(/[ \t]/).filter((part) => part !== '');
    const fits = Number(rseq) === this.#rseq && Number(number) === cseq && method === 'INVITE';
    if (!fits || !this.#waiting) return false;
    this.stop();
    return true;
  }

  stop(): void {
    this.#waiting = false;
    this.#group.clearAll();
  }
}
