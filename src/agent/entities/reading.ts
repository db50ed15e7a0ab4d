/** What an answer gave. */
export type Reading =
  | { kind: 'value'; value: string }
  /** The beginning of a value: the rest is still to come. */
  | { kind: 'part'; value: string }
  /** Something of the right kind that cannot be right. */
  | { kind: 'wrong'; value: string }
  | { kind: 'none' };

export const NONE: Reading = { kind: 'none' };

/** A value, or none. */
export function reading(value: string | undefined): Reading {
  return value === undefined || value === '' ? NONE : { kind: 'value', value };
}
