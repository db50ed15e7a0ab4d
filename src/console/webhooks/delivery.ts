import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from '../../errors.js';
import type { StoredEvent } from '../../journal/events.js';

const FIRST_PAUSE_MS = 1000;

/** Where and how events are posted. */
export interface Endpoint {
  url: string;
  secret: string;
  timeoutMs: number;
  retryForMs: number;
  /** First pause after a failure, ms; doubled each time. */
  firstPauseMs?: number | undefined;
}

/**
 * The signature of a body: `t=<s since 1970>,v1=<hex HMAC-SHA-256 of "t.body">`. The time is signed along, so that a
 * receiver can refuse what somebody has kept and sends again.
 */
export function signature(secret: string, body: string, seconds: number): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

/** Until when, and how often, a delivery is tried. */
export interface Patience {
  /** When it is given up, ms since 1970. */
  until: number;
  attempts: number;
}

/**
 * Posts an event until it is taken (2xx), the attempts are used up (`later`), or the time for it is over (`given up`).
 *
 * @param onFailure told of each failed attempt
 * @throws the signal's reason
 */
export async function deliver(
  event: StoredEvent,
  endpoint: Endpoint,
  { until, attempts }: Patience,
  signal: AbortSignal,
  onFailure: (reason: string, attempt: number) => void,
): Promise<'taken' | 'later' | 'given up'> {
  const body = JSON.stringify(event);
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const failure = await post(event, body, endpoint, signal);
    if (failure === undefined) return 'taken';
    signal.throwIfAborted();
    onFailure(failure, attempt);
    const pause = (endpoint.firstPauseMs ?? FIRST_PAUSE_MS) * 2 ** (attempt - 1);
    if (Date.now() + pause > until) return 'given up';
    if (attempt >= attempts) return 'later';
    await delay(pause * (0.75 + Math.random() / 2), undefined, { signal });
  }
}

async function post(
  event: StoredEvent,
  body: string,
  { url, secret, timeoutMs }: Endpoint,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      // Where the configuration does not point to is nobody who may know of a call.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': 'parley',
        'Parley-Delivery': `${event.call}-${event.seq}`,
        'Parley-Signature': signature(secret, body, Math.floor(Date.now() / 1000)),
      },
      body,
    });
    await response.body?.cancel();
    return response.ok ? undefined : `status ${response.status}`;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return cause === undefined ? reasonOf(error) : `${reasonOf(error)}: ${reasonOf(cause)}`;
  }
}
