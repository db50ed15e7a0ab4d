/** Up to here, some 3 dB below full scale, a sum is left as it is... */
const KNEE = 23_197;
const ROOM = 32_767 - KNEE;

/**
 * A sum of voices as 16 bits: above the knee it bends towards full scale, which it never reaches, instead of being cut
 * off. The bend begins with the slope of what is below, so that it has no corner.
 */
export function limited(sum: number): number {
  if (sum > KNEE) {
    const over = (sum - KNEE) / ROOM;
    return Math.round(KNEE + (ROOM * over) / (1 + over));
  }
  if (sum < -KNEE) {
    const over = (-sum - KNEE) / ROOM;
    return -Math.round(KNEE + (ROOM * over) / (1 + over));
  }
  return Math.round(sum);
}
