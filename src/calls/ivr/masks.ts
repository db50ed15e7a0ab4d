/* What an IVR hands over is masked before it is kept, as the journal's own events are. */
import { passesLuhn } from '../../telemetry/redact.js';

/** As many stars as there are characters, 16 at most. */
export function masked(secret: string): string {
  return '*'.repeat(Math.min(16, secret.length));
}

/** Numbers that can be those of payment cards (13 to 19 digits, Luhn: ISO/IEC 7812-1) as stars, but for the last four. */
export function maskNumbers(text: string): string {
  return text.replace(/\d(?:[ -]?\d){12,18}(?!\d)/g, (found) => {
    const digits = found.replace(/\D/g, '');
    if (!passesLuhn(digits)) return found;
    let left = digits.length - 4;
    return found.replace(/\d/g, (digit) => (left-- > 0 ? '*' : digit));
  });
}
