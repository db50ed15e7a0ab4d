import type { IncomingRefer } from '../../sip/dialog.js';

/** What persons' phones ask for by REFER, one request of a leg at a time, and what they are told of it. */
export class Referrals {
  private readonly open = new Map<string, { request: IncomingRefer; told?: ReturnType<IncomingRefer['accept']> }>();

  /** False when the leg's last request is not over: this one is refused. */
  begin(leg: string, request: IncomingRefer): boolean {
    const isFree = !this.open.has(leg);
    if (isFree) this.open.set(leg, { request });
    else request.refuse(491);
    return isFree;
  }

  /** 202 accepts it; whatever comes after that is its end, and what comes instead refuses it. */
  report(leg: string, status: number, reason: string): void {
    const referral = this.open.get(leg);
    if (!referral) return;
    if (!referral.told && status === 202) {
      referral.told = referral.request.accept();
      return;
    }
    if (referral.told) referral.told.report(status, reason || 'Not reached');
    else referral.request.refuse(status);
    this.open.delete(leg);
  }

  /** The leg is gone. */
  drop(leg: string): void {
    this.open.delete(leg);
  }
}
