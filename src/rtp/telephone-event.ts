/*
 * DTMF as telephone-event (RFC 4733, 2.3):
 *  |     event     |E|R| volume    |          duration             |
 * All packets of one key press carry the RTP timestamp of its beginning; the last is sent three times with E set. A key
 * held longer than 0xffff units goes on under a new timestamp, where the segment before ended (2.5.1.3). A packet may
 * hold several events, each beginning where the one before ended (2.5.1.5).
 */

/** Keys by their event code (RFC 4733, 3.2). */
export const EVENT_DIGITS = '0123456789*#ABCD';
/** Octets of one event. */
export const EVENT_BYTES = 4;

/** A press whose packets stop without an end is over after this, ms. */
const LOST_END_MS = 120;
/** No receiver is held to see a shorter pause (Q.24), so what follows within it belongs to the same press, ms. */
const SHORTEST_PAUSE_MS = 40;
/** A timestamp that moves on by less than this is that of a sender that stamps each packet by the clock, ms. */
const DRIFT_MS = 100;
/** A sender whose timestamps stand still: packets that begin again after this are another press, ms. */
const STUCK_MS = 500;
/** An event so far behind belongs to an earlier press, s. */
const OLD_SECONDS = 10;

/**
 * Finds key presses in telephone-event packets: each is reported once, however many of its packets are lost, repeated
 * or stamped wrongly. A press is known by its digit and timestamp, its end by E or by silence; the marker is only a
 * hint. Volume is not looked at: a key with a wrong volume is still a key. Flash and tones of fax are passed over.
 */
export class TelephoneEvents {
  private digit = '';
  /** Of the press's first packet, and of its present segment. */
  private firstTimestamp = 0;
  private timestamp = 0;
  /** Where what is known of the press ends, RTP timestamp. */
  private coveredTo = 0;
  /** Of the present segment, as sent. */
  private duration = 0;
  /** Longest that the press is known to have been held, timestamp units. */
  private held = 0;
  private firstAt = 0;
  private lastAt = 0;
  private reported = true;
  private seen = false;

  /** Of the events' timestamps and durations, as negotiated, Hz. */
  clockRate = 8000;

  /** @param report called with the digit (0-9 * # A-D) and how long it was held, ms */
  constructor(private readonly report: (digit: string, durationMs: number, at: number) => void) {}

  /** A key is down. */
  get pressed(): boolean {
    return !this.reported;
  }

  /**
   * Takes the payload `bytes[start..end)`; false when it is no event. `at` in ms monotonic.
   *
   * @param marker of the packet: a press begins. May be missing, as it often is
   */
  push(bytes: Uint8Array, start: number, end: number, timestamp: number, at: number, marker = false): boolean {
    if (end - start < EVENT_BYTES) return false;
    let stamp = timestamp;
    for (let n = start; n + EVENT_BYTES <= end; n += EVENT_BYTES) {
      const duration = (bytes[n + 2]! << 8) | bytes[n + 3]!;
      const bundled = n > start;
      // Zeros behind an event are padding, not the key 0.
      if (bundled && duration === 0) break;
      const last = n + 2 * EVENT_BYTES > end || (bytes[n + 6]! === 0 && bytes[n + 7]! === 0);
      const digit = EVENT_DIGITS[bytes[n]!];
      // Events above 15 are flash and the tones of fax and modems: valid, but no key.
      if (digit !== undefined) {
        this.event(digit, stamp, duration, (bytes[n + 1]! & 0x80) !== 0 || !last, at, marker || bundled);
      }
      stamp = (stamp + duration) >>> 0;
    }
    return true;
  }

  /** To be called regularly: ends a press whose end was lost. `now` in ms monotonic. */
  poll(now: number): void {
    if (!this.reported && now - this.lastAt >= LOST_END_MS) this.finish();
  }

  /** The sender's timestamps begin anew. */
  restart(): void {
    this.finish();
    this.seen = false;
  }

  private event(digit: string, timestamp: number, duration: number, end: boolean, at: number, marker: boolean): void {
    if (digit === this.digit && timestamp === this.timestamp && !this.isStuck(duration, end, at)) {
      this.duration = Math.max(this.duration, duration);
      this.cover(this.timestamp + this.duration);
    } else if (this.seen && ((this.timestamp - timestamp) | 0) > 0 && this.isOld(timestamp)) {
      return;
    } else if (this.continues(digit, timestamp, end, marker)) {
      this.proceed(timestamp, duration);
    } else {
      this.begin(digit, timestamp, duration, at);
    }
    this.lastAt = at;
    if (end) this.finish();
  }

  private begin(digit: string, timestamp: number, duration: number, at: number): void {
    this.finish();
    this.seen = true;
    this.reported = false;
    this.digit = digit;
    this.firstTimestamp = this.timestamp = this.coveredTo = timestamp;
    this.duration = duration;
    this.held = 0;
    this.firstAt = at;
    this.cover(timestamp + duration);
  }

  /** Whether a newer timestamp is still the press that is known: its next segment, or a sender that moves the timestamp on. */
  private continues(digit: string, timestamp: number, end: boolean, marker: boolean): boolean {
    if (!this.seen || digit !== this.digit || marker) return false;
    // After its end only a repetition of that end may follow; anything else is a new press.
    if (this.reported && !end) return false;
    const pause = (timestamp - this.coveredTo) | 0;
    return pause <= (SHORTEST_PAUSE_MS * this.clockRate) / 1000;
  }

  /** The press goes on under a new timestamp. */
  private proceed(timestamp: number, duration: number): void {
    const advance = (timestamp - this.timestamp) >>> 0;
    const drifts = advance < (DRIFT_MS * this.clockRate) / 1000;
    this.timestamp = timestamp;
    this.duration = duration;
    if (drifts) {
      // What the duration counts from is unknown then: at least a packet's time since this timestamp, if it counts at all.
      this.held = Math.max(this.held, duration);
      this.coveredTo = timestamp;
      this.cover(timestamp + Math.min(duration, advance));
    } else {
      this.cover(timestamp + duration);
    }
  }

  private cover(to: number): void {
    if (((to - this.coveredTo) | 0) > 0) this.coveredTo = to >>> 0;
    this.held = Math.max(this.held, (this.coveredTo - this.firstTimestamp) >>> 0);
  }

  /** Whether the sender's timestamps stand still, so that the same one begins a new press. */
  private isStuck(duration: number, end: boolean, at: number): boolean {
    return this.reported && !end && duration < this.duration && at - this.lastAt >= STUCK_MS;
  }

  /** A repeated end of an earlier press that overtook the next press's packets. */
  private isOld(timestamp: number): boolean {
    return ((this.timestamp - timestamp) | 0) < OLD_SECONDS * this.clockRate;
  }

  private finish(): void {
    if (this.reported) return;
    this.reported = true;
    const ms = Math.round((this.held * 1000) / this.clockRate);
    this.report(this.digit, ms > 0 ? ms : Math.round(this.lastAt - this.firstAt), this.lastAt);
  }
}
