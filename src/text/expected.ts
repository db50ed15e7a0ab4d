/**
 * What kind of answer the agent has just asked for. Recognition biases its decoder by it, endpointing holds longer for
 * answers that come in parts, entities parse by it.
 */
export type ExpectedAnswer = ExpectedKind & {
  /** A card number, a code: nobody else is to hear it, and no recording to hold it. */
  sensitive?: boolean;
};

type ExpectedKind =
  | { kind: 'open' }
  | { kind: 'yes-no' }
  /** Digits of a number; `length` when the agent knows how many make it whole. */
  | { kind: 'digits'; length?: number }
  | { kind: 'spelling' }
  | { kind: 'email' }
  | { kind: 'name' }
  | { kind: 'date' };
