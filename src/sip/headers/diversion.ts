/** Diversion (RFC 5806): who the call was for before it was diverted, the latest first. */
import { type Party, parties } from './address.js';

/** One diversion. */
export interface Diversion extends Party {
  /** `no-answer`, `user-busy`, `unconditional`...; undefined when it is not said. */
  readonly reason: string | undefined;
  /** How many diversions this stands for. */
  readonly counter: number;
}

/** The values that can be read, the latest diversion first. */
export function parseDiversion(value: string): Diversion[] {
  return parties(value).map((party) => {
    const counter = party.params.get('counter') ?? '';
    return {
      ...party,
      reason: party.params.get('reason') || undefined,
      counter: /^\d{1,2}$/.test(counter) ? Number(counter) : 1,
    };
  });
}
