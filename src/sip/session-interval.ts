/*
 * How long a session lasts without a refresh, and who refreshes it (RFC 4028): what is agreed, and the headers that say
 * so. The timers themselves run in the SIP server below, the embedded edge or a drachtio-server alike: both read what
 * was agreed in the 2xx, refresh or watch, and end a session that is not refreshed.
 */
import type { HeaderOf } from './header-of.js';

/** `sip.sessionTimer` of the configuration, s. */
export interface SessionTimerConfig {
  /** What Parley asks for, and the longest that it agrees to. */
  expires: number;
  /** The shortest that it agrees to. */
  min: number;
}

type Side = 'uac' | 'uas';

/** Why a request's session is too short to be taken; `undefined` when it is not (RFC 4028 6, 9). */
export function intervalRefusal(
  header: HeaderOf,
  { min }: SessionTimerConfig,
): { status: number; headers: Record<string, string> } | undefined {
  const asked = sessionExpires(header);
  return asked && asked.interval < min ? { status: 422, headers: { 'Min-SE': String(min) } } : undefined;
}

/** The session timer of one dialog: what was agreed last. */
export class SessionInterval {
  private agreed: { interval: number; refresher: 'us' | 'peer' } | undefined;
  /** The peer's least, learnt from a 422 or its own Min-SE, s. */
  private least = 0;

  constructor(private readonly config: SessionTimerConfig) {}

  /** What our 2xx to this request says. A caller that knows no timers is not given one, unless somebody asked for it. */
  answer(header: HeaderOf): Record<string, string> {
    const asked = sessionExpires(header);
    const knows = [...tags(header('Supported')), ...tags(header('Require'))].includes('timer');
    this.agreed = undefined;
    if (!asked && !knows) return {};
    const { expires, min } = this.config;
    this.least = Math.max(this.least, seconds(header('Min-SE')));
    const wanted = Math.max(expires, min, this.least);
    const interval = Math.min(asked?.interval ?? wanted, wanted);
    // Refreshing ourselves, we learn soonest that a peer is gone; one that knows no timers can't do it.
    const refresher = (knows && asked?.refresher) || 'uas';
    this.agreed = { interval, refresher: refresher === 'uas' ? 'us' : 'peer' };
    const agreed = { 'Session-Expires': `${interval};refresher=${refresher}`, Supported: 'timer' };
    // A client that is to refresh must know it (RFC 4028 9).
    return refresher === 'uac' ? { ...agreed, Require: 'timer' } : agreed;
  }

  /** What an offer of ours says: it refreshes the session, too, and would end its timer otherwise. */
  request(): Record<string, string> {
    if (!this.agreed) return { Supported: 'timer' };
    const refresher: Side = this.agreed.refresher === 'us' ? 'uac' : 'uas';
    const interval = Math.max(this.agreed.interval, this.least);
    const least: Record<string, string> = this.least > 0 ? { 'Min-SE': String(this.least) } : {};
    return { Supported: 'timer', 'Session-Expires': `${interval};refresher=${refresher}`, ...least };
  }

  /** The peer's 2xx to it. */
  accepted(header: HeaderOf): void {
    const given = sessionExpires(header);
    this.agreed = given && { interval: given.interval, refresher: given.refresher === 'uas' ? 'peer' : 'us' };
  }

  /** The peer's 422 to it; false when it says nothing new, so that asking again would be of no use. */
  tooShort(header: HeaderOf): boolean {
    const least = seconds(header('Min-SE'));
    if (!this.agreed || least <= Math.max(this.agreed.interval, this.least)) return false;
    this.least = least;
    return true;
  }
}

function sessionExpires(header: HeaderOf): { interval: number; refresher: Side | undefined } | undefined {
  const value = header('Session-Expires');
  const interval = /^\s*(\d{1,9})(?=\s|;|$)/.exec(value ?? '')?.[1];
  if (interval === undefined) return undefined;
  const refresher = /;\s*refresher\s*=\s*(uac|uas)\s*(?:;|$)/i.exec(value ?? '')?.[1]?.toLowerCase();
  return { interval: Number(interval), refresher: refresher === 'uac' || refresher === 'uas' ? refresher : undefined };
}

function seconds(value: string | undefined): number {
  return Number(/^\s*(\d{1,9})(?=\s|;|$)/.exec(value ?? '')?.[1] ?? 0);
}

function tags(value: string | undefined): string[] {
  return (value ?? '').split(',').map((tag) => tag.trim().toLowerCase());
}
