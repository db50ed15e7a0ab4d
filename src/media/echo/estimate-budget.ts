import { monotonicMs } from '../../telemetry/clock.js';

/** Share of a thread that looking for echo paths may take in the long run: what else it does has its times. */
const SHARE = 0.25;
/** Most that is saved up, ms: so much in one go delays no packet by more than it already may be. */
const MOST_MS = 1;
/** Most that is owed, ms: an estimate with all that follows from it. What seems longer was the machine's doing, not ours. */
const DEBT_MS = 3;

/**
 * The time that all legs of a worker together may spend on looking for echoes. An estimate is dear and comes in rows when a
 * line is not known yet: where many calls begin at once, each waits for its turn, and the packets of all go on.
 */
export class EstimateBudget {
  private credit = MOST_MS;
  private begunAt = 0;

  /** @param now ms, monotonic */
  constructor(private readonly now: () => number = monotonicMs) {}

  /** Time has gone on by `ms`. */
  refill(ms: number): void {
    this.credit = Math.min(MOST_MS, this.credit + ms * SHARE);
  }

  /** Whether something may begin now; {@link done} tells when it is over. What it takes beyond the credit is a debt. */
  begin(): boolean {
    if (this.credit <= 0) return false;
    this.begunAt = this.now();
    return true;
  }

  done(): void {
    this.credit = Math.max(-DEBT_MS, this.credit - (this.now() - this.begunAt));
  }
}
