import { ParleyError } from '../errors.js';

/**
 * RTP ports of a range: an even port and the odd one above it for RTCP (RFC 3550, 11). Handed out in rotation, so
 * that late packets of a finished call do not reach the next one.
 */
export class PortPool {
  private readonly taken = new Set<number>();
  private readonly first: number;
  private readonly pairs: number;
  private cursor = 0;

  constructor(private readonly range: { from: number; to: number }) {
    this.first = range.from + (range.from % 2);
    this.pairs = Math.max(0, Math.floor((range.to - this.first + 1) / 2));
  }

  /** Pairs in the range. */
  get size(): number {
    return this.pairs;
  }

  /** An even port: the one wished for if it is free. @throws ParleyError PARLEY_ERR_RTP_NO_PORT */
  take(wished?: number): number {
    if (wished !== undefined && !this.taken.has(wished)) {
      this.taken.add(wished);
      return wished;
    }
    for (let n = 0; n < this.pairs; n++) {
      const port = this.first + 2 * this.cursor;
      this.cursor = (this.cursor + 1) % this.pairs;
      if (this.taken.has(port)) continue;
      this.taken.add(port);
      return port;
    }
    throw this.exhausted();
  }

  giveBack(port: number): void {
    this.taken.delete(port);
  }

  exhausted(): ParleyError {
    return new ParleyError('PARLEY_ERR_RTP_NO_PORT', this.range);
  }
}
