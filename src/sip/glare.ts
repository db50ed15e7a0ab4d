import { randomInt } from 'node:crypto';

const STEP_MS = 10;

/**
 * How long to wait before an offer that crossed the peer's (491) is made again, ms: whoever made the Call-ID waits
 * longer, so that they do not cross a second time (RFC 3261 14.1).
 *
 * @param owner whether the Call-ID is ours
 */
export function glareBackoffMs(owner: boolean): number {
  const [from, to] = owner ? [2100, 4000] : [0, 2000];
  return STEP_MS * randomInt(from / STEP_MS, to / STEP_MS + 1);
}
