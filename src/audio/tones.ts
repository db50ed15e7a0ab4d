/*
 * Tones of the telephone network: sums of sines in a cadence of sound and silence (ITU-T E.180, Q.23). Levels are in
 * dBm0, where a full-scale sine is +3.17 (G.711, mu-law).
 */

/** Peak of the loudest sine that G.711 can carry, and its level, dBm0. */
const PEAK = 32_124;
const PEAK_DBM0 = 3.17;
/** Every edge of sound is a raised cosine of this length, so that it does not click, ms. */
const RAMP_MS = 4;
/** Depth of a modulated tone, and its level below that of a pure one, so that it does not clip. */
const DEPTH = 0.8;

/** Peak of a sine of this level, dBm0, on the scale of 16-bit PCM. */
export function peakOf(dbm0: number): number {
  return PEAK * 10 ** ((dbm0 - PEAK_DBM0) / 20);
}

/** A stretch of one sound, or of silence. */
export interface ToneStep {
  /** Hz; none is silence. */
  readonly frequencies: readonly number[];
  /** Hz of the amplitude modulation, when there is one. */
  readonly modulation?: number | undefined;
  /** dB added to the tone's level, for each frequency. */
  readonly levels?: readonly number[] | undefined;
  readonly ms: number;
}

/** What is heard, step after step; repeated from its beginning when it loops. */
export interface Tone {
  readonly steps: readonly ToneStep[];
  readonly loops: boolean;
}

/**
 * A tone that repeats: sound and silence in turns.
 *
 * @param sound frequencies in Hz: `440+480`, or `400*16` for 400 Hz modulated by 16 Hz
 * @param cadence ms of sound, of silence, of sound...
 */
export function cadence(sound: string, ...cadence: readonly number[]): Tone {
  const [carriers = '', modulation] = sound.split('*');
  const frequencies = carriers.split('+').map(Number);
  return {
    steps: cadence.map((ms, n) =>
      n % 2 === 1
        ? { frequencies: [], ms }
        : { frequencies, ms, modulation: modulation === undefined ? undefined : Number(modulation) },
    ),
    loops: true,
  };
}

/** A sound that is heard once. @param ms how long */
export function once(frequencies: readonly number[], ms: number, levels?: readonly number[]): Tone {
  return { steps: [{ frequencies, ms, levels }], loops: false };
}

const ROWS = [697, 770, 852, 941] as const;
const COLUMNS = [1209, 1336, 1477, 1633] as const;
/** Keys by row and column (ITU-T Q.23). */
const KEYPAD = '123A456B789C*0#D';

/** Frequencies of the keypad, low group and high group, Hz (ITU-T Q.23). */
export const DTMF_ROWS: readonly number[] = ROWS;
export const DTMF_COLUMNS: readonly number[] = COLUMNS;

/** The key of a row and a column, each 0 to 3. */
export function dtmfDigit(row: number, column: number): string {
  return KEYPAD[row * 4 + column]!;
}

/**
 * One press of a key. The high group is 2 dB above the low one, which makes up for what lines lose.
 *
 * @throws RangeError when `digit` is none of 0-9 A-D * #
 */
export function dtmfTone(digit: string, ms: number): Tone {
  const index = KEYPAD.indexOf(digit);
  if (index < 0 || digit.length !== 1) throw new RangeError(`"${digit}" is no key`);
  return once([ROWS[index >> 2]!, COLUMNS[index & 3]!], ms, [0, 2]);
}

/** Plays one tone, phase-continuous from frame to frame and from step to step. */
export class ToneGenerator {
  private readonly phases = new Float64Array(4);
  private modulator = 0;
  private step = 0;
  /** Samples of the present step that have been made, and that there are. */
  private at = 0;
  private length: number;
  private readonly ramp: number;

  /**
   * @param sampleRate Hz
   * @param level of each sine, dBm0
   */
  constructor(
    private readonly tone: Tone,
    private readonly sampleRate: number,
    private readonly level: number,
  ) {
    this.ramp = Math.round((sampleRate * RAMP_MS) / 1000);
    this.length = this.samplesOf(0);
  }

  /** Whether the tone is over. */
  get over(): boolean {
    return this.step >= this.tone.steps.length;
  }

  /** Adds the next samples to `frame`; what would be beyond 16 bits is limited. */
  add(frame: Int16Array): void {
    let from = 0;
    while (from < frame.length && !this.over) {
      const count = Math.min(frame.length - from, this.length - this.at);
      this.sound(frame, from, count);
      from += count;
      this.at += count;
      if (this.at >= this.length) this.next();
    }
  }

  private sound(frame: Int16Array, from: number, count: number): void {
    const { frequencies, levels, modulation } = this.tone.steps[this.step]!;
    if (frequencies.length === 0) return;
    const turn = (2 * Math.PI) / this.sampleRate;
    const rises = !this.joins(-1);
    const falls = !this.joins(1);
    for (let k = 0; k < frequencies.length; k++) {
      const peak = peakOf(this.level + (levels?.[k] ?? 0)) / (modulation === undefined ? 1 : 1 + DEPTH);
      const advance = turn * frequencies[k]!;
      let phase = this.phases[k]!;
      for (let n = 0; n < count; n++) {
        let value = peak * Math.sin(phase) * this.envelope(this.at + n, rises, falls);
        if (modulation !== undefined) value *= 1 + DEPTH * Math.sin(this.modulator + turn * modulation * n);
        const sum = frame[from + n]! + Math.round(value);
        frame[from + n] = Math.max(-32768, Math.min(32767, sum));
        phase += advance;
      }
      this.phases[k] = phase % (2 * Math.PI);
    }
    if (modulation !== undefined) this.modulator = (this.modulator + turn * modulation * count) % (2 * Math.PI);
  }

  private envelope(at: number, rises: boolean, falls: boolean): number {
    const edge = Math.min(rises ? at + 0.5 : this.ramp, falls ? this.length - at - 0.5 : this.ramp, this.ramp);
    return edge >= this.ramp ? 1 : 0.5 - 0.5 * Math.cos((Math.PI * edge) / this.ramp);
  }

  /** Whether the step before or after carries on the sound of this one, so that there is no edge. */
  private joins(by: -1 | 1): boolean {
    const { steps, loops } = this.tone;
    const other = steps[this.step + by] ?? (loops ? steps.at(by === 1 ? 0 : -1) : undefined);
    return other?.frequencies.length === steps[this.step]!.frequencies.length;
  }

  private next(): void {
    this.step++;
    if (this.over && this.tone.loops) this.step = 0;
    this.at = 0;
    this.length = this.samplesOf(this.step);
  }

  private samplesOf(step: number): number {
    return Math.round(((this.tone.steps[step]?.ms ?? 0) * this.sampleRate) / 1000);
  }
}

/** Once through a tone, as PCM that can be looped when the tone does. @param level of each sine, dBm0 */
export function renderTone(tone: Tone, sampleRate: number, level: number): Int16Array {
  const samples = tone.steps.reduce((sum, { ms }) => sum + Math.round((ms * sampleRate) / 1000), 0);
  const pcm = new Int16Array(samples);
  new ToneGenerator(tone, sampleRate, level).add(pcm);
  return pcm;
}
