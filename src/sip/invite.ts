import type Srf from 'drachtio-srf';
import { reasonOf } from '../errors.js';
import { scoped } from '../telemetry/call-scope.js';
import type { Logger } from '../telemetry/log.js';
import { type CallerIdentity, callerIdentity } from './caller-identity.js';
import { Dialog, type ReplacingInvite, type Taker } from './dialog.js';
import { headersOf } from './header-of.js';
import { userOf } from './headers/address.js';
import { checkLength } from './message-limit.js';
import { sdpOf } from './offer.js';
import type { ReplaceableDialogs } from './replaceable.js';
import { SessionInterval, type SessionTimerConfig } from './session-interval.js';

/**
 * What the server says to a 200 that crossed a CANCEL. drachtio-srf does not tell of the CANCEL itself any more once
 * it was given the 200.
 */
const UNKNOWN_TRANSACTION = /unknown transaction/i;

/** Version 00; ids of zeros are none. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What drachtio-srf really has; its typings lack what is called when the PRACK comes. */
interface Progressing {
  send(status: number, options: object, sent: (error: unknown) => void, acknowledged: () => void): void;
}

/** An INVITE that waits for its answer. Exactly one of `answer`, `reject`, `redirect` is used. */
export class Invite implements ReplacingInvite {
  /** The SIP user who has shown that it is them. */
  user: string | undefined;
  private canceled = false;
  private onCancel: () => void = () => {};
  /** Resolves when the caller has acknowledged our reliable 183, or is gone. */
  private acknowledged: Promise<void> = Promise.resolve();
  private onAcknowledged: () => void = () => {};

  constructor(
    private readonly srf: Srf,
    private readonly req: Srf.SrfRequest,
    private readonly res: Srf.SrfResponse,
    private readonly timer: SessionTimerConfig,
    private logger: Logger,
    private readonly replaceable: ReplaceableDialogs<Taker>,
  ) {
    req.on(
      'cancel',
      scoped(() => this.cancel()),
    );
  }

  /** Which call it has become, for its lines in the log. */
  belongsTo(call: string): void {
    this.logger = this.logger.child({ call, leg: 'caller' });
  }

  get sipCallId(): string {
    return this.req.get('Call-ID');
  }

  /** Who calls, by name and number, and whether others may know. */
  get identity(): CallerIdentity {
    return callerIdentity((name) => this.header(name), this.user);
  }

  /** Number or name of who calls. */
  get from(): string {
    return this.identity.from;
  }

  /** Who calls, for people: the display name, or as {@link from}. */
  get caller(): { name: string; uri: string } {
    const text = this.req.get('From');
    const display = /^\s*"?([^"<]*?)"?\s*</.exec(text)?.[1]?.trim();
    return { name: display || this.from, uri: /<([^>]*)>/.exec(text)?.[1] ?? text };
  }

  /** Dialled number: user part of the request URI, decoded; the whole URI when it has none. */
  get to(): string {
    return plain(userOf(this.req.uri) || this.req.uri);
  }

  /** The whole request URI. */
  get uri(): string {
    return this.req.uri;
  }

  /** Address that the INVITE came from. */
  get source(): string {
    return this.req.source_address;
  }

  /** The offer; undefined when our answer has to make it (delayed offer). */
  get offer(): string | undefined {
    return this.req.body ? sdpOf(this.header('Content-Type') ?? 'application/sdp', this.req.body) : undefined;
  }

  header(name: string): string | undefined {
    return headersOf(this.req)(name);
  }

  /** What it says besides its offer: headers by name as written, values of one name joined by commas. */
  get text(): {
    headers: Readonly<Record<string, string>>;
    contentType: string | undefined;
    body: string;
    uri: string;
  } {
    const { headers, body, uri } = this.req as unknown as {
      headers: Record<string, string>;
      body?: string;
      uri: string;
    };
    return { headers, contentType: this.header('Content-Type'), body: body ?? '', uri };
  }

  /** W3C Trace Context in this header; what is none is left out. */
  traceContext(header: string | undefined): string | undefined {
    const value = header === undefined ? undefined : this.header(header)?.trim().toLowerCase();
    return value !== undefined && TRACEPARENT.test(value) ? value : undefined;
  }

  /** The caller gave up before the answer. */
  cancelled(listener: () => void): void {
    this.onCancel = listener;
    if (this.canceled) listener();
  }

  /**
   * Sends 183 with this SDP, reliably to a caller that knows how (RFC 3262): from then on they can hear us. Resolves
   * when it is on its way, rejects when it could not be sent.
   *
   * @param offered a new offer before the answer (UPDATE); returns our SDP, or throws to answer 488
   */
  async progress(sdp: string, offered: (offer: string) => string): Promise<void> {
    const reliable = [this.header('Supported'), this.header('Require')].some((tags) => /\b100rel\b/i.test(tags ?? ''));
    const headers = { 'Content-Type': 'application/sdp', ...(reliable ? { Require: '100rel' } : {}) };
    checkLength(headers, sdp);
    this.req.on(
      'update' as 'cancel',
      ((req: Srf.SrfRequest, res: Srf.SrfResponse) => this.update(req, res, offered)) as never,
    );
    if (reliable && !this.canceled) {
      this.acknowledged = new Promise((resolve) => {
        this.onAcknowledged = resolve;
      });
    }
    await new Promise<void>((resolve, reject) => {
      const sent = (error: unknown) => {
        if (!error) return resolve();
        this.onAcknowledged();
        reject(error);
      };
      (this.res as unknown as Progressing).send(183, { headers, body: sdp }, sent, () => this.onAcknowledged());
    });
  }

  /** Sends 200 with this SDP. Rejects when the caller cancelled meanwhile or the response could not be sent. */
  async answer(sdp: string): Promise<Dialog> {
    // A session description that waits for its PRACK must not be overtaken (RFC 3262 3).
    await this.acknowledged;
    if (this.canceled) throw new Error('cancelled');
    const interval = new SessionInterval(this.timer);
    const agreed = interval.answer(headersOf(this.req));
    const headers = { ...agreed, Supported: ['replaces', agreed.Supported].filter(Boolean).join(', ') };
    checkLength(headers, sdp);
    return new Promise((resolve, reject) => {
      const answered = scoped((error: unknown, dialog: Srf.Dialog | undefined) => {
        if (error || !dialog) {
          if (UNKNOWN_TRANSACTION.test(reasonOf(error))) this.cancel();
          reject(error);
        }
        // Made inside the callback: an ACK or BYE in the next frame must find its listeners.
        else resolve(new Dialog(dialog, this.timer, interval, this.logger, this.replaceable));
      });
      this.srf.createUAS(this.req, this.res, { localSdp: sdp, headers }, answered);
    });
  }

  /** @param phrase reason phrase; the status's own when left out */
  reject(status: number, headers: Record<string, string> = {}, phrase?: string): void {
    if (this.canceled) return;
    try {
      checkLength(headers);
      if (phrase === undefined) this.res.send(status, { headers });
      else this.res.send(status, phrase, { headers });
    } catch (error) {
      this.logger.error({ err: error }, 'INVITE refused without a reason');
      this.res.send(500);
    }
  }

  /** 302 to these URIs, the first preferred; the number that was dialled goes along (RFC 5806). */
  redirect(uris: readonly string[]): void {
    const contacts = uris.map((uri, n) =>
      uris.length > 1 ? `<${uri}>;q=${(1 - n / uris.length).toFixed(2)}` : `<${uri}>`,
    );
    const dialled = this.req.uri.replace(/[<>;?].*$/s, '');
    const diversion: Record<string, string> = /^sips?:[^\s"]+$/i.test(dialled)
      ? { Diversion: `<${dialled}>;reason=deflection;counter=1` }
      : {};
    this.reject(302, { Contact: contacts.join(', '), ...diversion });
  }

  /** Before the answer: a refresh, or another offer once ours was acknowledged. */
  private update(req: Srf.SrfRequest, res: Srf.SrfResponse, offered: (offer: string) => string): void {
    try {
      if (!req.body) return res.send(200);
      const offer = sdpOf(headersOf(req)('Content-Type') ?? 'application/sdp', req.body);
      if (offer === undefined) return res.send(415, { headers: { Accept: 'application/sdp' } });
      const body = offered(offer);
      res.send(200, { body, headers: { 'Content-Type': 'application/sdp' } });
    } catch (error) {
      this.logger.warn({ reason: reasonOf(error) }, 'offer refused');
      res.send(488);
    }
  }

  private cancel(): void {
    this.canceled = true;
    this.onAcknowledged();
    this.onCancel();
  }
}

/** What was escaped may be anything. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, '');
}
