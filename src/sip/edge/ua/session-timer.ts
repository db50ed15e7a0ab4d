/** Session timers (RFC 4028), kept as drachtio-server keeps them: the edge refreshes, the application is not told. */
import { glareBackoffMs } from '../../glare.js';
import type { StopReason } from '../application/call-records.js';
import type { Core } from '../core.js';
import type { Dialog } from '../dialog/dialog.js';
import type { DialogRecord } from '../dialog/dialog-record.js';
import { split } from '../message/headers.js';
import {
  fieldOf,
  type Header,
  header,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../message/message.js';

/** Shortest session interval taken, s (RFC 4028 4). */
export const MIN_SESSION_S = 90;

type Side = 'uac' | 'uas';

interface SessionExpires {
  /** s */
  readonly interval: number;
  readonly refresher: Side | undefined;
}

export function sessionExpires(message: SipMessage): SessionExpires | undefined {
  const [interval = '', ...params] = split(fieldOf(message, 'session-expires') ?? '', ';');
  if (!/^\d{1,9}$/.test(interval)) return undefined;
  const named = params.map((param) => /^refresher[ \t]*=[ \t]*(uac|uas)$/i.exec(param)?.[1]?.toLowerCase());
  const refresher = named.find((side) => side !== undefined);
  return { interval: Number(interval), refresher: refresher === 'uac' || refresher === 'uas' ? refresher : undefined };
}

/** Whether a request asks for a shorter session than is taken. */
export function isTooShort(request: SipRequest): boolean {
  return (sessionExpires(request)?.interval ?? MIN_SESSION_S) < MIN_SESSION_S;
}

/** What a 2xx says of the session when the application left it out, and the request named who refreshes. */
export function agreedSession(request: SipRequest, response: SipResponse): Header[] {
  if (response.status < 200 || response.status > 299 || fieldOf(response, 'session-expires') !== undefined) return [];
  const asked = request.method === 'INVITE' || request.method === 'UPDATE' ? sessionExpires(request) : undefined;
  if (!asked?.refresher) return [];
  const agreed = header('Session-Expires', `${Math.max(MIN_SESSION_S, asked.interval)};refresher=${asked.refresher}`);
  // A client that is to refresh must know it (RFC 4028 9).
  return asked.refresher === 'uac' ? [agreed, header('Require', 'timer')] : [agreed];
}

/** How a refresh ended. `response`: what the peer refused it with. */
export interface RefreshOutcome {
  accepted(response: SipResponse): void;
  failed(status: number, response: SipResponse | undefined): void;
}

/** Sends what a session asks for within its dialog. */
interface SessionClient {
  refresh(dialog: Dialog, interval: number, outcome: RefreshOutcome): void;
  end(dialog: Dialog, reason: string, tell: boolean, how: StopReason): void;
}

/** The session timers of all dialogs. */
export class SessionTimers {
  readonly #core: Core;
  readonly #client: SessionClient;
  /** Told of each 2xx that makes or changes a dialog, and what it says of the session. */
  onAgreed: ((dialog: Dialog, session: DialogRecord['session']) => void) | undefined;

  constructor(core: Core, client: SessionClient) {
    this.#core = core;
    this.#client = client;
  }

  /**
   * A 2xx to INVITE or UPDATE, given or received, sets the session anew.
   *
   * @param side ours in that transaction
   */
  agree(dialog: Dialog, answer: SipMessage, side: Side): void {
    dialog.session?.stop();
    dialog.session = undefined;
    if (dialog.method !== 'INVITE') return;
    const agreed = sessionExpires(answer);
    const interval = Math.max(MIN_SESSION_S, agreed?.interval ?? 0);
    const session = agreed && { interval, ours: (agreed.refresher ?? 'uac') === side };
    this.onAgreed?.(dialog, session);
    if (session) this.begin(dialog, session);
  }

  /** The session lasts from now on. */
  begin(dialog: Dialog, { interval, ours }: NonNullable<DialogRecord['session']>): void {
    if (ours) this.#after(dialog, interval / 2, () => this.#refresh(dialog, interval));
    else this.#after(dialog, beforeEnd(interval), () => this.#expired(dialog));
  }

  /** @param seconds 2*T1 each, so that the timings of tests shorten them too */
  #after(dialog: Dialog, seconds: number, action: () => void): void {
    const { timers, timings } = this.#core;
    dialog.session?.stop();
    const timer = timers.set(seconds * 2 * timings.t1, action);
    dialog.session = { stop: () => timers.clear(timer) };
  }

  #expired(dialog: Dialog): void {
    this.#client.end(dialog, 'Session timer expired', true, 'session-expired');
  }

  #refresh(dialog: Dialog, interval: number): void {
    const busy = dialog.openAnswer || dialog.inviteFromPeer !== undefined || dialog.inviteToPeer !== undefined;
    if (busy) {
      this.#after(dialog, 2, () => this.#refresh(dialog, interval));
      return;
    }
    this.#client.refresh(dialog, interval, {
      accepted: (response) => this.agree(dialog, response, 'uac'),
      failed: (status, response) => this.#notRefreshed(dialog, interval, status, response),
    });
    this.#after(dialog, beforeEnd(interval) - interval / 2, () => this.#expired(dialog));
  }

  /** 408 and 481 end the dialog, glare is waited out; after most other refusals the session lasts until it expires. */
  #notRefreshed(dialog: Dialog, interval: number, status: number, response: SipResponse | undefined): void {
    const least = Number(/^\d{1,9}/.exec((response && fieldOf(response, 'min-se')) ?? '')?.[0] ?? 0);
    if (status === 408 || status === 481) this.#expired(dialog);
    else if (status === 491) {
      this.#after(dialog, glareBackoffMs(dialog.callIdIsOurs) / 1000, () => this.#refresh(dialog, interval));
    } else if (status === 422 && least > interval) this.#refresh(dialog, least);
    else if (dialog.takesUpdate) {
      // It said that it takes UPDATE, and does not.
      dialog.takesUpdate = false;
      this.#refresh(dialog, interval);
    }
  }
}

/** When a session that is not refreshed is ended: a little before it is over (RFC 4028 10), s. */
function beforeEnd(interval: number): number {
  return interval - Math.min(32, interval / 3);
}
