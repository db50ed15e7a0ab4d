import type { Arrival } from '../rtp/rtcp/session.js';
import type { MediaWatchConfig } from './quality-config.js';

/** What a watch tells: once an outage, once for its action, and once when it is over. Times in ms monotonic. */
export type MediaWatchEvent =
  | { type: 'silent' | 'returned'; direction: 'received' | 'sent'; forMs: number; at: number }
  | { type: 'timeout'; direction: 'received' | 'sent'; action: MediaWatchConfig['action']; forMs: number; at: number };

interface WatchedDirection {
  readonly direction: 'received' | 'sent';
  active: boolean;
  alive: number;
  silent: boolean;
  acted: boolean;
}

/** Raises an alarm when a direction that should carry RTP carries none. Paused while on hold. Allocates nothing a packet. */
export class MediaWatch {
  private readonly received: WatchedDirection;
  private readonly sent: WatchedDirection;
  private heard = false;
  /** The peer's reports: what we send does not get there. Nor does it when they are wrong: then nothing is done about it. */
  private unheard: Exclude<Arrival, 'arrives'> | undefined;
  /** When what we send arrived last, as far as is known. */
  private arrivedAt: number;

  constructor(
    private readonly config: MediaWatchConfig,
    now: number,
    private readonly emit: (event: MediaWatchEvent) => void,
  ) {
    const watched = (direction: 'received' | 'sent') => ({
      direction,
      active: false,
      alive: now,
      silent: false,
      acted: false,
    });
    this.received = watched('received');
    this.sent = watched('sent');
    this.arrivedAt = now;
  }

  /** From negotiation: which directions should carry RTP now; one that begins anew has its full time again. */
  expect(receives: boolean, sends: boolean, now: number): void {
    if (sends && !this.sent.active) this.moved(now);
    this.activate(this.received, receives, now);
    this.activate(this.sent, sends, now);
  }

  /** What we send goes elsewhere now: reports of before count no more. */
  moved(now: number): void {
    this.unheard = undefined;
    this.arrivedAt = now;
  }

  /** RTP came. */
  onReceived(packet: { readonly at: number }): void {
    this.heard = true;
    if (this.received.silent) this.life(this.received, packet.at);
    else this.received.alive = packet.at;
  }

  /** Valid RTCP came: the peer lives, and may be silent by its own will. Without any RTP before, it proves nothing. */
  onRtcp(at: number): void {
    if (this.heard) this.life(this.received, at);
  }

  /** RTP left, or need not leave because there is silence. */
  onSent(at: number): void {
    if (!this.unheard) this.life(this.sent, at);
  }

  /** The peer has told whether what we send gets there. */
  onArrival(arrival: Arrival, at: number): void {
    if (arrival === 'arrives') {
      this.moved(at);
      return this.life(this.sent, at);
    }
    // It may be so since the last report that it was otherwise.
    if (!this.unheard) this.sent.alive = Math.min(this.sent.alive, this.arrivedAt);
    this.unheard = arrival;
  }

  /** To be called about every second. */
  tick(now: number): void {
    this.check(this.received, now);
    this.check(this.sent, now);
  }

  private activate(watched: WatchedDirection, active: boolean, now: number): void {
    if (active === watched.active) return;
    watched.active = active;
    if (active) watched.alive = now;
    else watched.silent = watched.acted = false;
  }

  private life(watched: WatchedDirection, at: number): void {
    const forMs = at - watched.alive;
    watched.alive = at;
    if (!watched.silent) return;
    watched.silent = watched.acted = false;
    this.emit({ type: 'returned', direction: watched.direction, forMs, at });
  }

  private check(watched: WatchedDirection, at: number): void {
    const forMs = at - watched.alive;
    if (!watched.active || forMs < 1000 * this.config.silentAfterS) return;
    const { direction } = watched;
    if (!watched.silent) {
      watched.silent = true;
      this.emit({ type: 'silent', direction, forMs, at });
    }
    if (watched.acted || forMs < 1000 * this.config.timeoutS) return;
    // A peer that never reports on us may hear us all the same.
    if (watched === this.sent && this.unheard === 'unheard') return;
    watched.acted = true;
    this.emit({ type: 'timeout', direction, action: this.config.action, forMs, at });
  }
}
