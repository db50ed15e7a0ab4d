import { randomBytes } from 'node:crypto';

/** Crockford's base 32: digits and capitals without I, L, O, U, in ASCII order. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_DIGITS = 10;
const RANDOM_DIGITS = 16;

let lastTime = 0;
let lastRandom: number[] = [];

/**
 * A new call id, 26 characters, laid out as a ULID: 48 bits of wall clock in ms, then 80 random bits. Ids sort by
 * time; within a process also those of the same ms, and those made after the clock was set back.
 */
export function newCallId(): string {
  const now = Date.now();
  if (now > lastTime) {
    lastTime = now;
    lastRandom = [...randomBytes(RANDOM_DIGITS)].map((byte) => byte & 31);
  } else {
    lastRandom = incremented(lastRandom);
  }
  let time = '';
  for (let rest = lastTime; time.length < TIME_DIGITS; rest = Math.floor(rest / 32)) time = digit(rest % 32) + time;
  return time + lastRandom.map(digit).join('');
}

function digit(value: number): string {
  return ALPHABET.charAt(value);
}

function incremented(digits: readonly number[]): number[] {
  const next = [...digits];
  for (let i = next.length - 1; i >= 0; i--) {
    const value = ((next[i] ?? 0) + 1) % 32;
    next[i] = value;
    if (value !== 0) break;
  }
  return next;
}
