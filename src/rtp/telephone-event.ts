/*
 * DTMF as telephone-event (RFC 4733, 2.3):
 *  |     event     |E|R| volume    |          duration             |
 * All packets of one key press carry the RTP timestamp of its beginning; the last is sent three times with E set.
 */

const DIGITS = '0123456789*#ABCD';
/** A press whose packets stop without an end is over after this, ms. */
const LOST_END_MS = 120;

/** Finds key presses in telephone-event packets: each is reported once, however many of its packets are lost. */
export class TelephoneEvents {
  private digit = '';
  private timestamp = 0;
  private duration = 0;
  private lastAt = 0;
  private reported = true;
  private seen = false;

  /** Of the events' timestamps and durations, as negotiated, Hz. */
  clockRate = 8000;

  /** @param report called with the digit (0-9 * # A-D) and how long it was held, ms */
  constructor(private readonly report: (digit: string, durationMs: number, at: number) => void) {}

  /** Takes the payload `bytes[start..end)`; false when it is no event. `at` in ms monotonic. */
  push(bytes: Uint8Array, start: number, end: number, timestamp: number, at: number): boolean {
    if (end - start < 4) return false;
    // Events above 15 are tones of fax and modems: valid, but no key.
    const digit = DIGITS[bytes[start]!];
    if (digit === undefined) return true;
    const duration = (bytes[start + 2]! << 8) | bytes[start + 3]!;
    if (!this.seen || timestamp !== this.timestamp || digit !== this.digit) {
      if (this.isOld(timestamp)) return true;
      this.finish();
      this.seen = true;
      this.digit = digit;
      this.timestamp = timestamp;
      this.reported = false;
      this.duration = 0;
    }
    this.duration = Math.max(this.duration, duration);
    this.lastAt = at;
    if (bytes[start + 1]! & 0x80) this.finish();
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

  /** A repeated end of an earlier press that overtook the next press's packets. */
  private isOld(timestamp: number): boolean {
    const back = (this.timestamp - timestamp) | 0;
    return this.seen && back > 0 && back < 10 * this.clockRate;
  }

  private finish(): void {
    if (this.reported) return;
    this.reported = true;
    this.report(this.digit, Math.round((this.duration * 1000) / this.clockRate), this.lastAt);
  }
}
