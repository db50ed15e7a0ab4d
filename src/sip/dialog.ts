import type Srf from 'drachtio-srf';
import { reasonOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import { checkLength } from './message-limit.js';

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
}

/** Characters of a reason for hanging up: it is there for people who read traces. */
const REASON_MAX = 200;

/** An established call leg's signalling: a thin layer over drachtio-srf's dialog. */
export class Dialog {
  private ended = false;
  private events: DialogEvents | undefined;
  private acked: { answer: string | undefined } | undefined;
  private gone: string | undefined;
  private onReport: (outcome: ReferOutcome) => void = () => undefined;

  constructor(
    private readonly dialog: Srf.Dialog,
    private readonly logger: Logger,
  ) {
    dialog.on('ack', (req) => this.onAck(req.body || undefined));
    dialog.on('destroy', ((_req: unknown, reason?: string) => this.onEnded(reason ?? 'BYE')) as never);
    dialog.on('modify', (req, res) => void this.onOffer(req, res));
    dialog.on('update', (req, res) => void this.onOffer(req, res));
    dialog.on('info', (_req, res) => res.send(200));
    dialog.on('refer', (_req, res) => res.send(603));
    dialog.on('notify', (req, res) => this.onNotify(req, res));
  }

  get sipCallId(): string {
    return this.dialog.sip.callId;
  }

  /** Sets the listeners; what came before them is told at once. */
  listen(events: DialogEvents): void {
    this.events = events;
    if (this.acked) events.ack(this.acked.answer);
    if (this.gone !== undefined) events.ended(this.gone);
  }

  /** Hangs up. Never rejects: a dialog that is gone is what was wanted. */
  async bye(reason?: string): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    this.onReport({ accepted: false, reason: 'hung up' });
    const headers: Record<string, string> = reason
      ? { Reason: `SIP;cause=200;text="${reason.replace(/["\\\r\n]/g, ' ').slice(0, REASON_MAX)}"` }
      : {};
    await new Promise<void>((resolve) => {
      this.dialog.destroy({ headers }, (error: unknown) => {
        if (error) this.logger.debug({ reason: reasonOf(error) }, 'BYE not answered');
        resolve();
      });
    });
  }

  /**
   * Asks the peer to call the target in our place (RFC 3515) and follows its reports to the end.
   *
   * @param target SIP URI from configuration
   * @param timeoutMs longest wait for the final report
   * @throws ParleyError `PARLEY_ERR_SIP_TOO_LONG`
   */
  async refer(target: string, timeoutMs: number): Promise<ReferOutcome> {
    const headers = { 'Refer-To': `<${target}>`, 'Referred-By': `<${this.dialog.local.uri.replace(/[<>]/g, '')}>` };
    checkLength(headers);
    const reported = new Promise<ReferOutcome>((resolve) => {
      this.onReport = resolve;
    });
    const timer = setTimeout(() => this.onReport({ accepted: false, reason: 'no report in time' }), timeoutMs);
    try {
      const answered = this.dialog
        .request({ method: 'REFER', headers } as never)
        .then(({ status, reason }) => (status >= 300 ? { accepted: false, status, reason } : reported));
      return await Promise.race([answered, reported]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The peer's report of its call to the target (RFC 3515 section 2.4.5). */
  private onNotify(req: Srf.SrfRequest, res: Srf.SrfResponse): void {
    res.send(200);
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(req.body ?? '')?.[1]);
    if (status >= 200) this.onReport({ accepted: status < 300, status });
  }

  private onAck(answer: string | undefined): void {
    this.acked = { answer };
    this.events?.ack(answer);
  }

  private onEnded(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.gone = reason;
    this.events?.ended(reason);
    // Many peers hang up as soon as they have taken the REFER: that is its success.
    this.onReport({ accepted: true });
  }

  private async onOffer(req: Srf.SrfRequest, res: Srf.SrfResponse): Promise<void> {
    if (req.method === 'UPDATE' && !req.body) return res.send(200);
    try {
      const sdp = await this.events?.offered(req.body || undefined);
      checkLength({}, sdp);
      res.send(200, { body: sdp, headers: { 'Content-Type': 'application/sdp' } });
    } catch (error) {
      this.logger.warn({ reason: reasonOf(error) }, 'offer refused');
      res.send(488);
    }
  }
}
