import type Srf from 'drachtio-srf';
import { reasonOf } from '../errors.js';
import { glareBackoffMs } from './glare.js';
import { headersOf } from './header-of.js';
import { checkLength } from './message-limit.js';
import type { SessionInterval } from './session-interval.js';

/** What became of an offer of ours. */
export type OfferOutcome =
  | { accepted: true; answer: string }
  /** The session stays as it was (RFC 3261 14.1), unless it is `gone`: the call has to be ended. */
  | { accepted: false; status: number; reason: string; gone: boolean };

interface Response {
  status: number;
  reason: string;
  body: string;
  has(name: string): boolean;
  get(name: string): string;
}

/** What drachtio-srf really has; its typings lack some of it. */
interface Requesting {
  readonly type: 'uac' | 'uas';
  readonly local: { contact?: string };
  request(options: object, callback: (error: unknown, response: Response | undefined) => void): void;
}

/** An INVITE has its answer, or a 408 of the edge, by then (64*T1 and what DNS takes), ms. */
const LOST_MS = 40_000;
/** An offer that crosses the peer's is made again so often. */
const GLARES = 6;

/** Offers that this side makes in a dialog, one after another: re-INVITE, with its glare and its refusals. */
export class Reinvites {
  private last: Promise<unknown> = Promise.resolve();
  private waiting: (() => void) | undefined;
  private blocked = false;
  private unblocked: (() => void) | undefined;
  private ended = false;
  /** An offer of ours has no answer yet. */
  open = false;

  constructor(
    private readonly dialog: Srf.Dialog,
    private readonly interval: SessionInterval,
  ) {}

  /**
   * Offers a session and waits for the answer.
   *
   * @param describe makes the SDP anew for each attempt: the peer may have changed the session meanwhile
   */
  offer(describe: () => string): Promise<OfferOutcome> {
    const outcome = this.last.then(() => this.attempt(describe));
    this.last = outcome.catch(() => undefined);
    return outcome;
  }

  /** An INVITE of the peer is open, or is no more: none of ours may be meanwhile (RFC 3261 14.1). */
  block(on: boolean): void {
    this.blocked = on;
    if (!on) this.unblocked?.();
  }

  /** The dialog is over. */
  end(): void {
    this.ended = true;
    this.block(false);
    this.waiting?.();
  }

  private async attempt(describe: () => string): Promise<OfferOutcome> {
    for (let glares = 0; ; ) {
      while (this.blocked && !this.ended) {
        await new Promise<void>((resolve) => {
          this.unblocked = resolve;
        });
      }
      if (this.ended) return GONE;
      const response = await this.send(describe());
      if (this.ended) return GONE;
      const { status, reason, body } = response;
      const header = headersOf(response);
      if (status < 300) {
        this.interval.accepted(header);
        return { accepted: true, answer: body };
      }
      if (status === 491 && ++glares < GLARES) await this.pause(glareBackoffMs(dialogOf(this.dialog).type === 'uac'));
      else if (status !== 422 || !this.interval.tooShort(header)) {
        return { accepted: false, status, reason, gone: status === 408 || status === 481 };
      }
    }
  }

  private send(sdp: string): Promise<Response> {
    const dialog = dialogOf(overPresentConnection(this.dialog));
    const contact: Record<string, string> = dialog.local.contact === undefined ? {} : { Contact: dialog.local.contact };
    const headers = { 'Content-Type': 'application/sdp', ...contact, ...this.interval.request() };
    checkLength(headers, sdp);
    this.open = true;
    return new Promise<Response>((resolve) => {
      // The edge that had the INVITE may have crashed.
      const timer = setTimeout(() => resolve({ ...FAILED, status: 408, reason: 'no answer' }), LOST_MS);
      this.waiting = () => {
        clearTimeout(timer);
        resolve(FAILED);
      };
      // Not by `modify`, which lets nothing more through after a refusal. It acknowledges a 2xx itself.
      dialog.request({ method: 'INVITE', body: sdp, headers }, (error, response) => {
        if (!error && response && response.status < 200) return;
        // At once: an offer of the peer may be read in the same breath.
        this.open = false;
        clearTimeout(timer);
        resolve(response ?? { ...FAILED, reason: reasonOf(error) });
      });
    });
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.waiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const GONE: OfferOutcome = { accepted: false, status: 481, reason: 'the call is over', gone: true };
const FAILED: Response = { status: 500, reason: '', body: '', has: () => false, get: () => '' };

interface Connected {
  readonly req: { socket: { destroyed: boolean } };
  readonly res: { agent: { _getDefaultSocket?: () => { destroyed: boolean } | undefined } };
}

/** drachtio-srf sends over the connection that a dialog was made over; after a reconnect that is another. */
export function overPresentConnection(dialog: Srf.Dialog): Srf.Dialog {
  const { req, res } = dialog as unknown as Connected;
  if (req?.socket?.destroyed) req.socket = res.agent._getDefaultSocket?.() ?? req.socket;
  return dialog;
}

function dialogOf(dialog: Srf.Dialog): Requesting {
  return dialog as unknown as Requesting;
}
