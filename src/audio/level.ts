/** What silence measures: the level of all-zero PCM, dB. */
const FLOOR_DB = -100;

/** Root-mean-square level, dB relative to full scale (0 is a full-scale square wave, -100 silence). */
export function levelDb(pcm: Int16Array): number {
  let sum = 0;
  for (let n = 0; n < pcm.length; n++) sum += pcm[n]! * pcm[n]!;
  if (sum === 0) return FLOOR_DB;
  return Math.max(FLOOR_DB, 10 * Math.log10(sum / pcm.length / (32768 * 32768)));
}
