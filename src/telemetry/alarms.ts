import { type ErrorCode, ParleyError } from '../errors.js';
import { monotonicMs } from './clock.js';
import type { Logger } from './log.js';

/** Something that somebody should see to. */
export interface Alarm {
  code: ErrorCode;
  message: string;
  mend: string;
  /** Wall clock, ISO 8601. */
  since: string;
}

/**
 * What is wrong now, by the code of its error: raised once and cleared when it is over, each with one line in the log.
 * Metrics and `GET /readyz` show what is raised.
 */
export class Alarms {
  private readonly raised = new Map<ErrorCode, Alarm & { until: number }>();

  constructor(
    private readonly logger: Logger,
    private readonly now: () => number = monotonicMs,
  ) {}

  /** @param forMs it clears itself after so long; without, {@link clear} does */
  raise(error: ParleyError, forMs = Number.POSITIVE_INFINITY): void {
    const { code, message, mend } = error;
    const until = this.now() + forMs;
    const known = this.raised.get(code);
    if (known) known.until = until;
    else {
      this.raised.set(code, { code, message, mend, since: new Date().toISOString(), until });
      this.logger.error({ alarm: code, reason: message, mend }, 'alarm');
    }
  }

  clear(code: ErrorCode): void {
    if (this.raised.delete(code)) this.logger.info({ alarm: code }, 'alarm over');
  }

  /** Raises or clears. @param reason what is wrong; undefined for nothing */
  set(code: ErrorCode, reason: string | undefined): void {
    if (reason === undefined) this.clear(code);
    else this.raise(new ParleyError(code, { reason }));
  }

  /** Those that are raised, oldest first. */
  active(): Alarm[] {
    for (const { code, until } of this.raised.values()) if (until <= this.now()) this.clear(code);
    return [...this.raised.values()].map(({ until: _, ...alarm }) => alarm);
  }
}
