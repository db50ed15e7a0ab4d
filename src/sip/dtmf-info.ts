/*
 * Keys by SIP INFO, as PBXs and SBCs send them. Neither form was ever standardised: `application/dtmf-relay` has lines
 * `Signal=5` and `Duration=160` (ms), `application/dtmf` only the digit.
 */

const RELAY = 'application/dtmf-relay';
const BARE = 'application/dtmf';

/** What is said to a body of another kind. */
export const DTMF_TYPES = `${RELAY}, ${BARE}`;

/** Held so long when nothing is said of it, ms. */
const DEFAULT_MS = 160;
/** Longest that a press is believed to be, ms. */
const LONGEST_MS = 10_000;

/** A key of an INFO. */
export interface InfoKey {
  /** One of 0-9 * # A-D. */
  digit: string;
  durationMs: number;
}

/** What an INFO says: a key, `nothing` (no body, or a flash), `invalid`, or `other` for a kind of body not known here. */
export function readInfo(contentType: string | undefined, body: string): InfoKey | 'nothing' | 'invalid' | 'other' {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
  if (body.trim() === '' && !type) return 'nothing';
  if (type !== RELAY && type !== BARE) return 'other';
  const signal = /^\s*Signal\s*[=:]\s*(\S*)\s*$/im.exec(body)?.[1] ?? (type === BARE ? body.trim() : '');
  if (/^(16|flash|hookflash|!|hf)$/i.test(signal)) return 'nothing';
  const digit = digitOf(signal);
  if (digit === undefined) return 'invalid';
  const duration = Number(/^\s*Duration\s*[=:]\s*(\d{1,6})/im.exec(body)?.[1] ?? DEFAULT_MS);
  return { digit, durationMs: Math.min(LONGEST_MS, duration || DEFAULT_MS) };
}

/** An INFO for one key. */
export function infoFor({ digit, durationMs }: InfoKey): { contentType: string; body: string } {
  return { contentType: RELAY, body: `Signal=${digit}\r\nDuration=${durationMs}\r\n` };
}

/** Some write the keys that are no figures as the event codes of RFC 4733. */
function digitOf(signal: string): string | undefined {
  if (/^[0-9*#A-D]$/i.test(signal)) return signal.toUpperCase();
  if (/^star$/i.test(signal)) return '*';
  if (/^(pound|hash)$/i.test(signal)) return '#';
  return /^1[0-5]$/.test(signal) ? '*#ABCD'[Number(signal) - 10] : undefined;
}
