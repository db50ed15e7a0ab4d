import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from '../../errors.js';
import type { StoredEvent } from '../../journal/events.js';
import { monotonicMs } from '../../telemetry/clock.js';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 300_000;

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

/**
 * Posts an event until it is taken (2xx) or the time for it is over.
 *
 * @param onFailure told of each failed attempt
 * @returns whether it was taken
 * @throws the signal's reason
 */
export async function deliver(
  event: StoredEvent,
  endpoint: Endpoint,
  signal: AbortSignal,
  onFailure: (reason: string, attempt: number) => void,
): Promise<boolean> {
  const body = JSON.stringify(event);
  const end = monotonicMs() + endpoint.retryForMs;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const failure = await post(event, body, endpoint, signal);
    if (failure === undefined) return true;
    signal.throwIfAborted();
    onFailure(failure, attempt);
    const pause = Math.min((endpoint.firstPauseMs ?? FIRST_PAUSE_MS) * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
    if (monotonicMs() + pause > end) return false;
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
