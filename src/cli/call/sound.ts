/** Length of a frame whose level is measured, ms. */
const FRAME_MS = 10;
/** Sound is at least this loud, dBFS; quieter than any codec's idle noise is not heard as a beginning. */
const THRESHOLD_DB = -45;
/** Sound stands out of the line's noise by this much, dB. */
const ABOVE_NOISE_DB = 12;
/** A noise floor above this is no noise but somebody speaking, dBFS. */
const LOUDEST_NOISE_DB = -38;
/** Share of a quiet frame's power that enters the noise floor. */
const NOISE_RATE = 0.05;
/** Quiet that ends a spurt, ms: longer than a stop consonant, shorter than the gap between two sentences. */
const HANG_MS = 300;

/** One stretch of sound, in samples of its stream; `end` is where the last loud frame ended so far. */
export interface Spurt {
  start: number;
  end: number;
}

/**
 * Follows where sound begins and ends in one PCM stream by its level against the noise before it. It is a measuring
 * tool, not a voice detector: a tone is sound, and an edge is found to the sample.
 */
export class SoundMeter {
  /** Every stretch of sound so far; the last one may still go on. */
  readonly spurts: Spurt[] = [];
  private readonly frame: Int16Array;
  private filled = 0;
  /** Samples measured: whole frames. */
  private measured = 0;
  private noisePower = 0;
  /** First sample of a single loud frame that awaits a second one. */
  private candidate: number | undefined;
  private open = false;

  /** @param sampleRate of the stream, Hz */
  constructor(private readonly sampleRate: number) {
    this.frame = new Int16Array(Math.round((sampleRate * FRAME_MS) / 1000));
  }

  /** Whether sound has begun and not been quiet for long enough to have ended. */
  get sounding(): boolean {
    return this.open;
  }

  /** Takes the next samples of any number. */
  push(pcm: Int16Array): void {
    let at = 0;
    while (at < pcm.length) {
      const take = Math.min(this.frame.length - this.filled, pcm.length - at);
      this.frame.set(pcm.subarray(at, at + take), this.filled);
      this.filled += take;
      at += take;
      if (this.filled < this.frame.length) return;
      this.measure();
      this.filled = 0;
      this.measured += this.frame.length;
    }
  }

  private measure(): void {
    const power = meanSquare(this.frame);
    const threshold = Math.max(powerOf(THRESHOLD_DB), this.noisePower * 10 ** (ABOVE_NOISE_DB / 10));
    if (power >= threshold) this.loud(Math.sqrt(threshold));
    else this.quiet(power);
  }

  private loud(amplitude: number): void {
    const first = this.measured + this.frame.findIndex((sample) => Math.abs(sample) >= amplitude);
    if (!this.open) {
      if (this.candidate === undefined) {
        this.candidate = first;
        return;
      }
      this.spurts.push({ start: this.candidate, end: this.candidate });
      this.open = true;
      this.candidate = undefined;
    }
    const last = this.frame.findLastIndex((sample) => Math.abs(sample) >= amplitude);
    this.spurts[this.spurts.length - 1]!.end = this.measured + last + 1;
  }

  private quiet(power: number): void {
    this.candidate = undefined;
    if (power < powerOf(LOUDEST_NOISE_DB)) this.noisePower += NOISE_RATE * (power - this.noisePower);
    const spurt = this.spurts.at(-1);
    const until = this.measured + this.frame.length;
    if (this.open && spurt && until - spurt.end >= (this.sampleRate * HANG_MS) / 1000) this.open = false;
  }
}

/**
 * Where a recording's sound begins and where its last ends, in samples; undefined for one without sound.
 *
 * @param sampleRate Hz
 */
export function soundSpan(pcm: Int16Array, sampleRate: number): Spurt | undefined {
  const meter = new SoundMeter(sampleRate);
  meter.push(pcm);
  const first = meter.spurts[0];
  const last = meter.spurts.at(-1);
  return first && last ? { start: first.start, end: last.end } : undefined;
}

function meanSquare(frame: Int16Array): number {
  let sum = 0;
  for (let n = 0; n < frame.length; n++) sum += frame[n]! * frame[n]!;
  return sum / frame.length;
}

function powerOf(db: number): number {
  return 32768 * 32768 * 10 ** (db / 10);
}
