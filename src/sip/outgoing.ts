import type Srf from 'drachtio-srf';
import { reasonOf } from '../errors.js';
import { scoped } from '../telemetry/call-scope.js';
import type { Logger } from '../telemetry/log.js';
import { Dialog, type Taker } from './dialog.js';
import { type HeaderOf, headersOf } from './header-of.js';
import { parseRedirectContacts } from './headers/contact.js';
import { checkLength } from './message-limit.js';
import { sdpOf } from './offer.js';
import type { ReplaceableDialogs } from './replaceable.js';
import { SessionInterval, type SessionTimerConfig } from './session-interval.js';

/** An INVITE of ours. */
export interface OutgoingRequest {
  /** From configuration only. */
  uri: string;
  headers: Record<string, string>;
  /** The offer, or a multipart body that holds it: then `headers` has its Content-Type. */
  body: string;
  /** Where it is sent instead of to its URI. */
  proxy?: string | undefined;
  auth?: { username: string; password: string } | undefined;
  /** Of which call, and what the leg is called there. */
  leg?: { call: string; name: string } | undefined;
}

/** Whom an INVITE of ours tells. */
export interface OutgoingEvents {
  /** At each 180 or 183. */
  ringing(): void;
  /** Somebody picks the call up before who is called: their INVITE is to be answered, and ours cancelled. */
  replaced: Taker;
}

/** What came of it. */
export type OutgoingOutcome =
  /** `answer`: the peer's SDP. ACK has been sent. */
  | { answered: true; dialog: Dialog; answer: string | undefined }
  /** `status` 0: nothing could be sent. `contacts`: where it was redirected to, which is followed by nobody here. */
  | { answered: false; status: number; reason: string; contacts?: readonly string[] };

interface Failure {
  status?: number;
  reason?: string;
  message?: string;
  res?: { has(name: string): boolean; get(name: string): string };
}

/**
 * A call that Parley makes: INVITE to its end. A 200 that crosses our CANCEL is acknowledged and hung up; so are
 * further 200s of a forked INVITE, by the SIP server below (RFC 3261 13.2.2.4).
 */
export class OutgoingCall {
  /** Resolves once, never rejects. */
  readonly outcome: Promise<OutgoingOutcome>;
  private cancelled = false;
  private request: Srf.SrfRequest | undefined;
  private early: string | undefined;
  private least = 0;
  /** Early dialogs by their tag, which somebody may pick up. */
  private readonly ringing = new Map<string, () => void>();

  /** @param sent told the Call-ID of each INVITE */
  constructor(
    private readonly srf: Srf,
    private readonly options: OutgoingRequest,
    private readonly timer: SessionTimerConfig,
    private readonly logger: Logger,
    private readonly replaceable: ReplaceableDialogs<Taker>,
    private readonly events: OutgoingEvents,
    private readonly sent: (callId: string) => void = () => undefined,
  ) {
    this.outcome = this.place().finally(() => this.forget());
  }

  /** Gives it up; a call that stands is its dialog's to end. */
  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.request?.cancel(() => undefined);
  }

  /** Nobody rings any more. */
  private forget(): void {
    for (const forget of this.ringing.values()) forget();
    this.ringing.clear();
  }

  private async place(): Promise<OutgoingOutcome> {
    for (;;) {
      try {
        const outcome = await this.attempt();
        if (!this.cancelled || !outcome.answered) return outcome;
        await outcome.dialog.bye('cancelled');
        return CANCELLED;
      } catch (error) {
        const { status = 0, reason, message, res } = error as Failure;
        if (status === 422 && res && !this.cancelled && this.tooShort(headersOf(res)('Min-SE'))) continue;
        const contacts = res && isRedirect(status) ? parseRedirectContacts(headersOf(res)('Contact') ?? '') : [];
        return { answered: false, status, reason: reason ?? message ?? reasonOf(error), contacts };
      }
    }
  }

  private async attempt(): Promise<OutgoingOutcome> {
    if (this.cancelled) return CANCELLED;
    const { uri, headers: given, body, proxy, auth } = this.options;
    const { expires, min } = this.timer;
    const timers = {
      'Session-Expires': String(Math.max(expires, this.least)),
      'Min-SE': String(Math.max(min, this.least)),
    };
    const headers = {
      'Content-Type': 'application/sdp',
      Allow: ALLOW,
      Supported: 'replaces, timer',
      ...timers,
      ...given,
    };
    checkLength(headers, body);
    return new Promise((resolve, reject) => {
      this.srf.createUAC(
        uri,
        { localSdp: body, headers, ...(proxy && { proxy }), ...(auth && { auth }) },
        {
          cbRequest: (_error: unknown, request: Srf.SrfRequest) => {
            this.request = request;
            if (request) this.sent(request.get('Call-ID'));
            if (this.cancelled) request?.cancel(() => undefined);
          },
          cbProvisional: scoped((response: Srf.SrfResponse) => this.progress(response as unknown as Progress)),
        } as never,
        scoped((error: unknown, dialog: Srf.Dialog | undefined) => {
          if (error || !dialog) return reject(error ?? new Error('no dialog'));
          resolve(this.accepted(dialog));
        }),
      );
    });
  }

  private get log(): Logger {
    const { leg } = this.options;
    return leg ? this.logger.child({ call: leg.call, leg: leg.name }) : this.logger;
  }

  /** At once, within the callback: a BYE in the next frame must find its listeners. */
  private accepted(made: Srf.Dialog): OutgoingOutcome {
    const interval = new SessionInterval(this.timer);
    const response = (made as unknown as { res: Progress }).res;
    interval.accepted(headersOf(response));
    this.forget();
    const dialog = new Dialog(made, this.timer, interval, this.log, this.replaceable, 'uac');
    return { answered: true, dialog, answer: bodyOf(response) ?? this.early };
  }

  private progress(response: Progress): void {
    this.early = bodyOf(response) ?? this.early;
    this.pickable(headersOf(response));
    if (response.status >= 180) this.events.ringing();
  }

  private pickable(header: HeaderOf): void {
    const [localTag, remoteTag] = [header('From'), header('To')].map(
      (text) => /;\s*tag=([^;\s]+)/i.exec(text ?? '')?.[1],
    );
    const callId = header('Call-ID');
    if (!callId || !localTag || !remoteTag || this.ringing.has(remoteTag)) return;
    const early = { callId, localTag, remoteTag, early: true, contact: this.request?.get('Contact') };
    this.ringing.set(
      remoteTag,
      this.replaceable.add(early, (invite) => this.events.replaced(invite)),
    );
  }

  private tooShort(value: string | undefined): boolean {
    const least = Number(/^\s*(\d{1,9})/.exec(value ?? '')?.[1] ?? 0);
    if (least <= Math.max(this.timer.expires, this.least)) return false;
    this.least = least;
    return true;
  }
}

interface Progress {
  status: number;
  body: string;
  has(name: string): boolean;
  get(name: string): string;
}

const CANCELLED: OutgoingOutcome = { answered: false, status: 487, reason: 'cancelled' };
const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY, PRACK, REFER, UPDATE';

/** 300, 301 and 302: somewhere else. What 305 and 380 ask for is done by nobody any more. */
export function isRedirect(status: number): boolean {
  return status >= 300 && status <= 302;
}

function bodyOf(message: Progress): string | undefined {
  return message.body ? sdpOf(headersOf(message)('Content-Type') ?? 'application/sdp', message.body) : undefined;
}
