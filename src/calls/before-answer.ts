import { type Redirection, redirectionOf, redirectionText } from '../dialplan/dialplan.js';
import { ParleyError, reasonOf } from '../errors.js';
import { monotonicMs } from '../telemetry/clock.js';
import { type Prepared, type PrepareOptions, prepareCall, prepareFallback } from './prepare.js';

/** What a call can be answered with. */
interface Ready {
  prepared: Prepared;
  /** Why the fallback has it, and no agent. */
  failure: string | undefined;
}

/** Why it can't be answered. */
interface Unready {
  /** Of SIP. */
  status: number;
  reason: string;
  redirect: Redirection | undefined;
}

/**
 * Makes the agent ready, else the entry's fallback, which has the call for anything that is no fault of the caller's offer.
 * Never rejects; what failed is on record.
 */
export async function makeReady(options: PrepareOptions): Promise<Ready | Unready> {
  try {
    return { prepared: await prepareCall(options), failure: undefined };
  } catch (error) {
    const coded = error instanceof ParleyError ? error : undefined;
    const reason = reasonOf(error);
    options.logger.error({ err: error }, 'call could not be prepared');
    options.record({ type: 'error', code: coded?.code ?? 'PARLEY_ERR_INTERNAL', message: reason }, monotonicMs());
    return fallBack(options, coded?.sip || 500, reason);
  }
}

async function fallBack(options: PrepareOptions, status: number, reason: string): Promise<Ready | Unready> {
  const { action, logger, record } = options;
  const fallback = status >= 500 ? action.fallback : undefined;
  if (fallback && fallback.redirect === undefined) {
    try {
      return { prepared: await prepareFallback(options), failure: reason };
    } catch (error) {
      logger.error({ err: error }, 'nor could its fallback');
    }
  }
  const redirect = fallback && redirectionOf(fallback);
  if (redirect) record({ type: 'fallback', reason, to: redirectionText(redirect) }, monotonicMs());
  return { status, reason, redirect };
}
