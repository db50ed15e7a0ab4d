/*
 * Packet-loss concealment after the idea of ITU-T G.711, Appendix I: what is missing sounds like a repetition of the
 * last pitch periods, which fades. Nothing is held back for it: where the Appendix delays the signal to blend it into
 * the repetition, the step at the joint is taken out of the repetition's beginning instead.
 *
 *   heard            | missing: 1, 2, then 3 periods in turn, fading  | blend | heard
 */

/** Pitch periods that are looked for, ms: 200 to 67 Hz; of a higher voice two or three periods are found as one. */
const SHORTEST_MS = 5;
const LONGEST_MS = 15;
/** Sound that is compared with what came a period before, ms. */
const COMPARED_MS = 20;
/** Most periods in the repetition: with more of them it buzzes less. */
const MAX_PERIODS = 3;
/** The first part of a loss is at full level, the next is quieter by this share, and so on, ms. */
const PART_MS = 10;
const FADE_PER_PART = 0.2;
/** Longest blend from the repetition back to what is heard, ms; it grows with the loss by this much a part. */
const LONGEST_BLEND_MS = 10;
const BLEND_PER_PART_MS = 4;
/** The coarse search looks at samples this far apart at most, ms: 0.25 ms is every second one at 8 kHz. */
const COARSE_MS = 0.25;

const NOTHING = new Float32Array(0);

/** Makes up for losses in one stream of PCM. Costs a copy of each frame, and some 0.1 ms at the beginning of a loss. */
export class Concealer {
  /** What was received last, in a ring; no more than this is touched while nothing is lost. */
  private readonly heard: Int16Array;
  private write = 0;
  /** The same in order, as it was when the loss began. */
  private history = NOTHING;
  private readonly shortest: number;
  private readonly longest: number;
  private readonly compared: number;
  private readonly part: number;
  /** The repetition and, while it changes over to a longer one, the one before. */
  private loop = NOTHING;
  private before = NOTHING;
  private loopLength = 0;
  private beforeLength = 0;
  private at = 0;
  private beforeAt = 0;
  /** Samples until the change-over from {@link before} is done. */
  private changing = 0;
  private period = 0;
  private overlap = 0;
  private periods = 0;
  /** Samples made up since the loss began; 0 while there is none. */
  private made = 0;
  /** The step at the joint, which dies away over the overlap. */
  private step = 0;

  /** @param sampleRate of the PCM, Hz */
  constructor(sampleRate: number) {
    const samples = (ms: number) => Math.round((ms * sampleRate) / 1000);
    this.shortest = samples(SHORTEST_MS);
    this.longest = samples(LONGEST_MS);
    this.compared = samples(COMPARED_MS);
    this.part = samples(PART_MS);
    this.heard = new Int16Array(MAX_PERIODS * this.longest + (this.longest >> 2) + 1);
  }

  /** Whether a loss has lasted so long that nothing is made up any more. */
  get silent(): boolean {
    return this.made > 0 && this.level() <= 0;
  }

  /** Takes what was received, the first `samples` of `pcm`. After a loss its beginning is blended, in place. */
  received(pcm: Int16Array, samples: number): void {
    if (this.made > 0) this.blend(pcm, samples);
    this.remember(pcm, samples);
  }

  /** Makes up the first `samples` of `out`. */
  conceal(out: Int16Array, samples: number): void {
    if (this.made === 0) this.begin();
    for (let n = 0; n < samples; n++) out[n] = this.next();
  }

  /** The stream begins anew: what was heard has nothing to do with what comes. */
  reset(): void {
    this.heard.fill(0);
    this.made = 0;
  }

  private remember(pcm: Int16Array, samples: number): void {
    const { heard } = this;
    let at = this.write;
    for (let n = Math.max(0, samples - heard.length); n < samples; n++) {
      heard[at] = pcm[n]!;
      if (++at === heard.length) at = 0;
    }
    this.write = at;
  }

  private blend(pcm: Int16Array, samples: number): void {
    const parts = Math.max(0, Math.ceil(this.made / this.part) - 1);
    const growth = (parts * BLEND_PER_PART_MS * this.part) / PART_MS;
    const longest = (LONGEST_BLEND_MS * this.part) / PART_MS;
    const length = Math.min(samples, Math.round(Math.min(longest, this.overlap + growth)));
    if (!this.silent) {
      for (let n = 0; n < length; n++) {
        const weight = (n + 1) / (length + 1);
        pcm[n] = Math.round(weight * pcm[n]! + (1 - weight) * this.next());
      }
    }
    this.made = 0;
  }

  private begin(): void {
    this.recall();
    this.period = this.findPeriod();
    this.overlap = this.period >> 2;
    this.periods = 0;
    this.changing = 0;
    this.lengthen();
    this.changing = 0;
    const last = this.history.length - 1;
    this.step = this.history[last]! - this.history[last - this.period]!;
  }

  private recall(): void {
    const { heard, write } = this;
    if (this.history.length === 0) {
      this.history = new Float32Array(heard.length);
      this.loop = new Float32Array(MAX_PERIODS * this.longest);
      this.before = new Float32Array(MAX_PERIODS * this.longest);
    }
    const first = heard.length - write;
    for (let n = 0; n < first; n++) this.history[n] = heard[write + n]!;
    for (let n = first; n < heard.length; n++) this.history[n] = heard[n - first]!;
  }

  private level(): number {
    const parts = this.made / this.part;
    return parts <= 1 ? 1 : 1 - FADE_PER_PART * (parts - 1);
  }

  private next(): number {
    const level = this.level();
    if (level <= 0) {
      this.made++;
      return 0;
    }
    if (this.made > 0 && this.made % this.part === 0 && this.periods < MAX_PERIODS) this.lengthen();
    let value = this.loop[this.at]!;
    this.at = this.at + 1 === this.loopLength ? 0 : this.at + 1;
    if (this.changing > 0) {
      const weight = this.changing / (this.overlap + 1);
      value += weight * (this.before[this.beforeAt]! - value);
      this.beforeAt = this.beforeAt + 1 === this.beforeLength ? 0 : this.beforeAt + 1;
      this.changing--;
    }
    if (this.made < this.overlap) value += this.step * (1 - (this.made + 1) / (this.overlap + 1));
    this.made++;
    return Math.max(-32768, Math.min(32767, Math.round(value * level)));
  }

  /** One more period into the repetition, whose end is blended with what preceded its beginning. */
  private lengthen(): void {
    const { history, overlap } = this;
    [this.loop, this.before] = [this.before, this.loop];
    this.beforeLength = this.loopLength;
    this.beforeAt = this.at;
    this.changing = overlap;
    this.periods++;
    this.loopLength = this.periods * this.period;
    this.at = this.periods === 1 ? 0 : this.at % this.period;
    const start = history.length - this.loopLength;
    for (let n = 0; n < this.loopLength; n++) this.loop[n] = history[start + n]!;
    for (let n = 0; n < overlap; n++) {
      const weight = (n + 1) / (overlap + 1);
      const at = this.loopLength - overlap + n;
      this.loop[at] = (1 - weight) * this.loop[at]! + weight * history[start - overlap + n]!;
    }
  }

  /** The lag at which the last sound is most like what came before it, samples. */
  private findPeriod(): number {
    const stride = Math.max(1, Math.round((COARSE_MS * this.part) / PART_MS));
    let best = this.shortest;
    let most = Number.NEGATIVE_INFINITY;
    for (let lag = this.shortest; lag <= this.longest; lag += stride) {
      const likeness = this.likeness(lag, stride);
      if (likeness > most) [best, most] = [lag, likeness];
    }
    const coarse = best;
    most = Number.NEGATIVE_INFINITY;
    const last = Math.min(this.longest, coarse + stride - 1);
    for (let lag = Math.max(this.shortest, coarse - stride + 1); lag <= last; lag++) {
      const likeness = this.likeness(lag, 1);
      if (likeness > most) [best, most] = [lag, likeness];
    }
    return best;
  }

  /** Normalised cross-correlation of the history's end with what came `lag` samples before. */
  private likeness(lag: number, stride: number): number {
    const { history } = this;
    const end = history.length;
    let product = 0;
    let energy = 1;
    for (let n = end - this.compared; n < end; n += stride) {
      const past = history[n - lag]!;
      product += past * history[n]!;
      energy += past * past;
    }
    return product / Math.sqrt(energy);
  }
}
