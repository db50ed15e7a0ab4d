import { randomInt } from 'node:crypto';
import type Srf from 'drachtio-srf';
import { reasonOf } from '../errors.js';
import { scoped } from '../telemetry/call-scope.js';
import type { Logger } from '../telemetry/log.js';
import { DTMF_TYPES, type InfoKey, infoFor, readInfo } from './dtmf-info.js';
import { headersOf } from './header-of.js';
import { partsOf } from './headers/multipart.js';
import { checkLength } from './message-limit.js';
import { sdpOf } from './offer.js';
import { type OfferOutcome, overPresentConnection, Reinvites } from './re-invite.js';
import { type ReferTo, type Replaces, readReferTo, referToReplacing, statusOf } from './refer.js';
import type { ReplaceableDialogs } from './replaceable.js';
import { intervalRefusal, type SessionInterval, type SessionTimerConfig } from './session-interval.js';

/** How a REFER ended. */
export interface ReferOutcome {
  accepted: boolean;
  /** Last status that the peer reported of its call to the target. */
  status?: number;
  reason?: string;
}

/** What a dialog tells its call. */
export interface DialogEvents {
  /** The caller has our 200; `answer` is the SDP that came with a delayed offer's ACK. */
  ack: (answer: string | undefined) => void;
  /** The peer hung up, or the stack gave the dialog up. */
  ended: (reason: string) => void;
  /** A new offer mid-call (undefined: ours is asked for); resolves with our SDP, or throws to answer 488. */
  offered: (offer: string | undefined) => Promise<string>;
  /** A key that came by INFO. */
  key?: (key: InfoKey) => void;
  /** JSON that came by INFO; false when nobody is to be told such things. */
  json?: (body: string) => boolean;
  /** The peer asks us to call somebody in its place. Without a listener it is declined. */
  referred?: (request: IncomingRefer) => void;
  /** Another phone takes the peer's place: its INVITE is to be answered, and this dialog ended. Without a listener it is refused. */
  replaced?: Taker;
}

/** The INVITE of a phone that takes a dialog's place (RFC 3891): it is answered or rejected. */
export interface ReplacingInvite {
  readonly sipCallId: string;
  readonly from: string;
  /** Who calls, for people. */
  readonly caller: { name: string; uri: string };
  readonly offer: string | undefined;
  /** Rejects when the caller has given up meanwhile, or the response could not be sent. */
  answer(sdp: string): Promise<Dialog>;
  reject(status: number): void;
}

/** What becomes of it. */
export type Taker = (invite: ReplacingInvite) => void;

/** Nobody is to be told of a dialog any more. */
export const NOBODY: DialogEvents = {
  ack: () => undefined,
  ended: () => undefined,
  offered: async () => {
    throw new Error('nobody takes offers in this dialog any more');
  },
};

/** A REFER of the peer; exactly one of `accept` and `refuse` is used. */
export interface IncomingRefer extends ReferTo {
  /** Says 202; from then on `report` tells how the call goes, 200 and above for the last time. */
  accept(): { report(status: number, reason: string): void };
  refuse(status: number): void;
}

/** Characters of a reason for hanging up: it is there for people who read traces. */
const REASON_MAX = 200;

/** An established call leg's signalling: a thin layer over drachtio-srf's dialog. */
export class Dialog {
  private ended = false;
  private events: DialogEvents | undefined;
  /** What came before anybody listens, in order: much may come right after the ACK. */
  private readonly held: ((events: DialogEvents) => void)[] = [];
  private onReport: (outcome: ReferOutcome) => void = () => undefined;
  /** A REFER of ours was taken. */
  private referring = false;
  /** CSeq of REFERs whose reports are no longer waited for. */
  private readonly settled = new Set<string>();
  /** An offer of the peer is being answered. */
  private answering = false;
  private readonly reinvites: Reinvites;
  /** It can no longer be replaced. */
  private readonly forget: () => void;

  /** @param interval what the 200 that made the dialog says of its session timer */
  constructor(
    private readonly dialog: Srf.Dialog,
    private readonly timer: SessionTimerConfig,
    private readonly interval: SessionInterval,
    private readonly logger: Logger,
    replaceable: ReplaceableDialogs<Taker>,
    side: 'uas' | 'uac' = 'uas',
  ) {
    this.reinvites = new Reinvites(dialog, interval);
    // Until the ACK, which a caller of ours has sent already.
    this.reinvites.block(side === 'uas');
    this.forget = replaceable.add(
      { ...dialog.sip, early: false, contact: (dialog.local as { contact?: string }).contact },
      scoped((invite) => this.tell((events) => onReplaced(events, invite))),
    );
    dialog.on(
      'ack',
      scoped((req) => this.onAck(req.body || undefined)),
    );
    dialog.on('destroy', scoped((_req: unknown, reason?: string) => this.onEnded(reason ?? 'BYE')) as never);
    dialog.on(
      'modify',
      scoped((req, res) => void this.onOffer(req, res)),
    );
    dialog.on(
      'update',
      scoped((req, res) => void this.onOffer(req, res)),
    );
    dialog.on(
      'info',
      scoped((req, res) => this.tell((events) => onInfo(events, req, res))),
    );
    dialog.on(
      'refer',
      scoped((req, res) => this.tell((events) => this.onRefer(events, req, res))),
    );
    dialog.on(
      'notify',
      scoped((req, res) => this.onNotify(req, res)),
    );
  }

  get sipCallId(): string {
    return this.dialog.sip.callId;
  }

  /** As an INVITE to the peer names this dialog to take its place (RFC 3891). */
  get replaces(): Replaces {
    const { callId, localTag, remoteTag } = this.dialog.sip;
    return { callId, toTag: remoteTag, fromTag: localTag };
  }

  /** Where the peer is reached: its Contact. */
  get remoteTarget(): string {
    return this.dialog.remote.uri;
  }

  /** Sets the listeners; what came before them is told at once, in order. */
  listen(events: DialogEvents): void {
    this.events = events;
    for (const tell of this.held.splice(0)) tell(events);
  }

  private tell(what: (events: DialogEvents) => void): void {
    if (this.events) what(this.events);
    else this.held.push(scoped(what));
  }

  /** Hangs up. Never rejects: a dialog that is gone is what was wanted. */
  async bye(reason?: string): Promise<void> {
    // Who came before the peer's own BYE waits for an answer, too.
    if (!this.events) this.listen(NOBODY);
    if (this.ended) return;
    this.ended = true;
    this.forget();
    this.reinvites.end();
    this.onReport({ accepted: false, reason: 'hung up' });
    const headers: Record<string, string> = reason
      ? { Reason: `SIP;cause=200;text="${reason.replace(/["\\\r\n]/g, ' ').slice(0, REASON_MAX)}"` }
      : {};
    await new Promise<void>((resolve) => {
      overPresentConnection(this.dialog).destroy({ headers }, (error: unknown) => {
        if (error) this.logger.debug({ reason: reasonOf(error) }, 'BYE not answered');
        resolve();
      });
    });
  }

  /**
   * Offers the session anew by re-INVITE; after the answer, whatever it is, offers of the peer are taken again.
   *
   * @param describe makes our SDP, anew for each attempt
   * @throws ParleyError `PARLEY_ERR_SIP_TOO_LONG`
   */
  offer(describe: () => string): Promise<OfferOutcome> {
    return this.reinvites.offer(describe);
  }

  /** Sends a key by INFO; resolves with the status of the answer, 0 when it could not be sent. */
  async info(key: InfoKey): Promise<number> {
    const { contentType, body } = infoFor(key);
    try {
      const headers = { 'Content-Type': contentType };
      const { status } = await overPresentConnection(this.dialog).request({ method: 'INFO', headers, body } as never);
      return status;
    } catch (error) {
      this.logger.debug({ reason: reasonOf(error) }, 'INFO not sent');
      return 0;
    }
  }

  /**
   * Asks the peer to call the target in our place (RFC 3515) and follows its reports to the end.
   *
   * @param target SIP URI from configuration
   * @param timeoutMs longest wait for the final report
   * @param replaces our dialog with the target, which the peer's call takes over (attended transfer, RFC 5589)
   * @throws ParleyError `PARLEY_ERR_SIP_TOO_LONG`
   */
  async refer(target: string, timeoutMs: number, replaces?: Replaces): Promise<ReferOutcome> {
    const headers = {
      'Refer-To': replaces ? referToReplacing(target, replaces) : `<${target}>`,
      'Referred-By': `<${this.dialog.local.uri.replace(/[<>]/g, '')}>`,
    };
    checkLength(headers);
    const reported = new Promise<ReferOutcome>((resolve) => {
      this.onReport = resolve;
    });
    const timer = setTimeout(() => this.onReport({ accepted: false, reason: 'no report in time' }), timeoutMs);
    let sequence: string | undefined;
    try {
      const answered = overPresentConnection(this.dialog)
        .request({ method: 'REFER', headers } as never)
        .then((response) => {
          const { status, reason } = response;
          sequence = /\d+/.exec(headersOf(response)('CSeq') ?? '')?.[0];
          this.referring = status < 300;
          return status >= 300 ? { accepted: false, status, reason } : reported;
        });
      return await Promise.race([answered, reported]);
    } finally {
      clearTimeout(timer);
      this.referring = false;
      if (sequence !== undefined) this.settled.add(sequence);
    }
  }

  /** Whether the peer has taken a REFER of ours, and has not told its end. */
  get handingOver(): boolean {
    return this.referring;
  }

  /** The peer's report of its call to the target (RFC 3515 section 2.4.5). */
  private onNotify(req: Srf.SrfRequest, res: Srf.SrfResponse): void {
    res.send(200);
    const header = headersOf(req);
    const id = /;\s*id=(\d+)/.exec(header('Event') ?? '')?.[1];
    if (id !== undefined && this.settled.has(id)) return;
    const { status, reason } = statusOf(req.body);
    const told = reason === '' ? {} : { reason };
    if (status >= 200) this.onReport({ accepted: status < 300, status, ...told });
    else if (/^\s*terminated\b/i.test(header('Subscription-State') ?? '')) {
      this.onReport({ accepted: false, reason: 'its reports ended without a result' });
    }
  }

  private onRefer({ referred }: DialogEvents, req: Srf.SrfRequest, res: Srf.SrfResponse): void {
    const header = headersOf(req);
    const to = readReferTo(header('Refer-To'));
    if (!to) return res.send(400);
    if (!referred) return res.send(603);
    const silent = /^\s*false\b/i.test(header('Refer-Sub') ?? '');
    referred({
      ...to,
      accept: () => {
        // RFC 4488: who does not want to know is not told.
        res.send(202, silent ? { headers: { 'Refer-Sub': 'false' } } : {});
        const id = /\d+/.exec(header('CSeq') ?? '')?.[0] ?? '';
        if (!silent) this.report(id, 100, 'Trying');
        return { report: (status, reason) => silent || this.report(id, status, reason) };
      },
      refuse: (status) => res.send(status),
    });
  }

  private report(id: string, status: number, reason: string): void {
    if (this.ended) return;
    const headers = {
      Event: `refer;id=${id}`,
      'Subscription-State': status < 200 ? 'active;expires=180' : 'terminated;reason=noresource',
      'Content-Type': 'message/sipfrag;version=2.0',
    };
    const body = `SIP/2.0 ${status} ${reason}`;
    const failed = (error: unknown) => this.logger.debug({ reason: reasonOf(error) }, 'NOTIFY not sent');
    overPresentConnection(this.dialog)
      .request({ method: 'NOTIFY', headers, body } as never)
      .catch(failed);
  }

  private onAck(answer: string | undefined): void {
    this.reinvites.block(false);
    this.tell((events) => events.ack(answer));
  }

  private onEnded(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.forget();
    this.reinvites.end();
    this.tell((events) => events.ended(reason));
    // Many peers hang up as soon as they have taken the REFER: that is its success.
    this.onReport({ accepted: this.referring, reason: 'hung up' });
  }

  private async onOffer(req: Srf.SrfRequest, res: Srf.SrfResponse): Promise<void> {
    const header = headersOf(req);
    const refusal = intervalRefusal(header, this.timer) ?? this.glare(req);
    if (refusal) return res.send(refusal.status, { headers: refusal.headers });
    if (req.method === 'UPDATE' && !req.body) return res.send(200, { headers: this.interval.answer(header) });
    this.answering = true;
    if (req.method === 'INVITE') this.reinvites.block(true);
    const accepted = await this.answerOffer(req, res);
    this.answering = false;
    // A 200 to an INVITE keeps it open until its ACK.
    if (!accepted && req.method === 'INVITE') this.reinvites.block(false);
  }

  private async answerOffer(req: Srf.SrfRequest, res: Srf.SrfResponse): Promise<boolean> {
    const header = headersOf(req);
    try {
      const type = header('Content-Type') ?? 'application/sdp';
      const offer = req.body ? sdpOf(type, req.body) : undefined;
      if (req.body && offer === undefined) {
        res.send(415, { headers: { Accept: 'application/sdp' } });
        return false;
      }
      const sdp = await new Promise<string>((resolve, reject) =>
        this.tell((events) => events.offered(offer).then(resolve, reject)),
      );
      const headers = { 'Content-Type': 'application/sdp', ...this.interval.answer(header) };
      checkLength(headers, sdp);
      res.send(200, { body: sdp, headers });
      return true;
    } catch (error) {
      this.logger.warn({ reason: reasonOf(error) }, 'offer refused');
      res.send(488);
      return false;
    }
  }

  /** Offers must not cross (RFC 3261 14.2, RFC 3311 5.2). */
  private glare(req: Srf.SrfRequest): { status: number; headers: Record<string, string> } | undefined {
    if (req.method === 'UPDATE' && !req.body) return undefined;
    if (this.reinvites.open) return { status: 491, headers: {} };
    return this.answering ? { status: 500, headers: { 'Retry-After': String(randomInt(1, 11)) } } : undefined;
  }
}

function onReplaced({ replaced }: DialogEvents, invite: ReplacingInvite): void {
  if (replaced) replaced(invite);
  else invite.reject(481);
}

function onInfo({ key: onKey, json: onJson }: DialogEvents, req: Srf.SrfRequest, res: Srf.SrfResponse): void {
  const type = headersOf(req)('Content-Type');
  const key = readInfo(type, req.body ?? '');
  if (key === 'other' && onJson) {
    const json = partsOf(type ?? '', req.body ?? '').filter((part) => part.type === 'application/json');
    const taken = json.map(({ body }) => onJson(body));
    if (taken.some(Boolean)) return res.send(200);
  }
  if (key === 'other') return res.send(415, { headers: { Accept: DTMF_TYPES } });
  if (key === 'invalid') return res.send(400);
  res.send(200);
  if (key !== 'nothing') onKey?.(key);
}
