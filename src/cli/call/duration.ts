const UNITS = { ms: 1, s: 1000, m: 60_000 } as const;
const FORM = /^(\d+(?:\.\d+)?)\s*(ms|s|m)?$/;

/** What a duration looks like, for messages. */
export const DURATION_FORM = 'a duration such as 700ms, 1.5s or 2m (a bare number is seconds)';

/**
 * A duration in ms from `700ms`, `1.5s`, `2m` or a number of seconds.
 *
 * @returns undefined when it is none
 */
export function parseDuration(value: string | number): number | undefined {
  const match = FORM.exec(String(value).trim());
  if (!match) return undefined;
  const unit = (match[2] ?? 's') as keyof typeof UNITS;
  return Math.round(Number(match[1]) * UNITS[unit]);
}
