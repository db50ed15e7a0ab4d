/** Active speech is brought towards this level, mean square: -24 dBFS. */
const TARGET = 32768 ** 2 * 4e-3;
/** +18 dB. */
const MAX_GAIN = 8;
/** Speech is what stands this far above the line's noise, in power: 12 dB... */
const ABOVE_NOISE = 16;
/** ...and above -60 dBFS, mean square. */
const FAINTEST = 32768 ** 2 * 1e-6;
/** Raised noise stays below this, mean square: -55 dBFS. */
const LOUDEST_NOISE = 32768 ** 2 * 3.2e-6;
/** The noise estimate rises by this factor per 10 ms: 4 dB a second. */
const NOISE_RISE = 1.01;
/** Smoothing of the speech level per 10 ms of speech: half a second. */
const LEVEL_SHARE = 0.02;
/** The gain moves by at most this factor per 10 ms: 6 dB a second up, 20 dB a second down. */
const UP = 1.007;
const DOWN = 1.023;
/** No sample gets beyond this. */
const CEILING = 30_000;

/**
 * Raises quiet callers: a slow automatic gain, 0 to +18 dB, that learns from speech only (10 ms blocks well above the line's
 * noise), so that it neither pumps in pauses nor turns noise into sound. A block whose peak would be too loud gets less gain
 * from its first sample on, so that nothing clips. Adds no delay; a line at normal level passes unchanged.
 */
export class GainControl {
  private readonly block: number;
  private noise = LOUDEST_NOISE;
  private level = 0;
  private current = 1;

  /** @param sampleRate Hz */
  constructor(sampleRate: number) {
    this.block = sampleRate / 100;
  }

  /** The gain that was reached, as a factor of 1 to 8. */
  get gain(): number {
    return this.current;
  }

  /** Changes the first `samples` of `pcm` in place. */
  process(pcm: Int16Array, samples: number): void {
    for (let at = 0; at < samples; at += this.block) this.next(pcm, at, Math.min(samples, at + this.block));
  }

  private next(pcm: Int16Array, from: number, to: number): void {
    let power = 0;
    let peak = 1;
    for (let n = from; n < to; n++) {
      const value = pcm[n]!;
      power += value * value;
      peak = Math.max(peak, Math.abs(value));
    }
    const before = this.current;
    this.learn(power / (to - from));
    this.current = Math.min(this.current, Math.max(1, CEILING / peak));
    const start = Math.min(before, Math.max(1, CEILING / peak));
    if (start === 1 && this.current === 1) return;
    const step = (this.current - start) / (to - from);
    for (let n = from; n < to; n++) pcm[n] = Math.round(pcm[n]! * (start + step * (n - from + 1)));
  }

  private learn(power: number): void {
    this.noise = Math.max(1, Math.min(power, this.noise * NOISE_RISE));
    if (power < FAINTEST || power < ABOVE_NOISE * this.noise) return;
    this.level = this.level === 0 ? power : this.level + LEVEL_SHARE * (power - this.level);
    const quiet = Math.sqrt(LOUDEST_NOISE / this.noise);
    const wanted = Math.min(MAX_GAIN, Math.max(1, Math.min(quiet, Math.sqrt(TARGET / this.level))));
    this.current = Math.max(this.current / DOWN, Math.min(this.current * UP, wanted));
  }
}
