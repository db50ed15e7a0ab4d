import type Srf from 'drachtio-srf';
import { reasonOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import { Dialog } from './dialog.js';
import { checkLength } from './message-limit.js';
import { sdpOf } from './offer.js';

/**
 * What the server says to a 200 that crossed a CANCEL. drachtio-srf does not tell of the CANCEL itself any more once
 * it was given the 200.
 */
const UNKNOWN_TRANSACTION = /unknown transaction/i;

/** An INVITE that waits for its answer. Exactly one of `answer`, `reject`, `redirect` is used. */
export class Invite {
  private canceled = false;
  private onCancel: () => void = () => {};

  constructor(
    private readonly srf: Srf,
    private readonly req: Srf.SrfRequest,
    private readonly res: Srf.SrfResponse,
    private readonly logger: Logger,
  ) {
    req.on('cancel', () => this.cancel());
  }

  get sipCallId(): string {
    return this.req.get('Call-ID');
  }

  /** Who calls: user part of From, or the whole URI's host when it has none. */
  get from(): string {
    return this.req.callingNumber || userOf(this.req.get('From'));
  }

  /** Dialled number: user part of the request URI. */
  get to(): string {
    return this.req.calledNumber || userOf(this.req.uri);
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
    return this.req.has(name) ? this.req.get(name) : undefined;
  }

  /** The caller gave up before the answer. */
  cancelled(listener: () => void): void {
    this.onCancel = listener;
    if (this.canceled) listener();
  }

  /** Sends 200 with this SDP. Rejects when the caller cancelled meanwhile or the response could not be sent. */
  answer(sdp: string): Promise<Dialog> {
    return new Promise((resolve, reject) => {
      checkLength({}, sdp);
      this.srf.createUAS(this.req, this.res, { localSdp: sdp }, (error: unknown, dialog) => {
        if (error || !dialog) {
          if (UNKNOWN_TRANSACTION.test(reasonOf(error))) this.cancel();
          reject(error);
        }
        // Made inside the callback: an ACK or BYE in the next frame must find its listeners.
        else resolve(new Dialog(dialog, this.logger));
      });
    });
  }

  reject(status: number, headers: Record<string, string> = {}): void {
    if (this.canceled) return;
    try {
      checkLength(headers);
      this.res.send(status, { headers });
    } catch (error) {
      this.logger.error({ err: error }, 'INVITE refused without a reason');
      this.res.send(500);
    }
  }

  redirect(to: string): void {
    this.reject(302, { Contact: `<${to}>` });
  }

  private cancel(): void {
    this.canceled = true;
    this.onCancel();
  }
}

function userOf(value: string): string {
  return /sips?:([^@>;]+)@/.exec(value)?.[1] ?? value;
}
