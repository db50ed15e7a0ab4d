import { callOfScope } from './call-scope.js';
import { monotonicMs } from './clock.js';
import type { Logger } from './log.js';

/** So many errors within a minute are a process that is not sound. */
const STORM = 20;
const STORM_MS = 60_000;

/** What to do about errors that nothing caught. */
export interface UnhandledOptions {
  logger: Logger;
  /** Ends the call that it belongs to. */
  ofCall(call: string, error: unknown): void;
  now?: () => number;
}

/** Errors that nothing caught: each costs the call it belongs to, and the process goes on while they are few. */
export class UnhandledErrors {
  private readonly recent: number[] = [];
  private total = 0;
  private told = false;

  constructor(private readonly options: UnhandledOptions) {}

  /** Since the start. */
  get count(): number {
    return this.total;
  }

  /**
   * To be called in the context that the error was thrown in.
   *
   * @returns false once they come one after another: the process is to be drained and started anew
   */
  take(error: unknown): boolean {
    const { logger, ofCall, now = monotonicMs } = this.options;
    const call = callOfScope();
    this.total++;
    logger.error({ err: error, call, code: 'PARLEY_ERR_INTERNAL' }, 'an error that nothing caught');
    this.recent.push(now());
    while ((this.recent[0] ?? 0) < now() - STORM_MS) this.recent.shift();
    if (call !== undefined) ofCall(call, error);
    if (this.recent.length < STORM) return !this.told;
    if (!this.told)
      logger.fatal({ errors: this.recent.length }, 'too many errors that nothing caught: not sound any more');
    this.told = true;
    return false;
  }
}
