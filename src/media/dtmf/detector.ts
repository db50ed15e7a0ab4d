import { DTMF_COLUMNS, DTMF_ROWS, dtmfDigit, peakOf } from '../../audio/tones.js';
import { BlockWindow, GoertzelBank } from './goertzel.js';

/*
 * In-band DTMF (ITU-T Q.23, Q.24): blocks of 25 ms, every 5 ms. A block is a key when one frequency of each group
 * stands out, their levels and frequencies are right, and they explain nearly all of the block's energy; speech has
 * harmonics and energy elsewhere, and does not hold still.
 */

const BLOCK_MS = 25;
const HOP_MS = 5;
/** Weakest sine that is a key, dBm0. */
const LEAST_DBM0 = -42;
/** High group above the low one: at most 4 dB (reverse twist), and 8 dB below (normal twist); 1 dB for what is measured. */
const REVERSE_TWIST = db(5);
const NORMAL_TWIST = db(-9);
/** Any other frequency of the group lies so far below. */
const APART = db(-8);
/** Share of the energy that the two sines must explain. */
const EXPLAINED = 0.85;
/** Second harmonics are this far below: a voice has them, a key has not. */
const HARMONIC = db(-18);
/** A harmonic so near the other sine cannot be told from it, Hz. */
const NEAR_HZ = 90;
/** Q.24: 1.5 % off is taken, 3.5 % is not. */
const TOLERANCE = 0.0245;
/** A first look: the stronger frequencies explain less than this of the energy, so it is no key whatever follows. */
const GLANCE = 0.08;
/** What a sine loses in a filter that is off by one block^-1 Hz, squared: Hamming's window, in natural logarithm. */
const SCALLOP = 1.64;
/** Blocks that must agree: with three some 32 ms of tone, and 23 ms is not enough. */
const BLOCKS = 3;
/** A key is over after so many blocks without it: a pause of 40 ms is seen, a lost packet of 20 ms is bridged. */
const MISSES = 9;
/** A block is taken when about so much of it is tone, ms. */
const FILLED_MS = 23.5;
/** Muting fades within this, ms. */
const FADE_MS = 1;

/** A key found: where its tone begins, samples of the stream, and how long it lasts, ms (to 5 ms or so). */
export type DtmfListener = (digit: string, start: number, durationMs: number) => void;

/**
 * Finds keys in PCM of any frame size, and silences them for those who listen after it. A key is reported when it has
 * been let go of for 45 ms. Muting begins with the first block that looks like a key: frames that went by before, up to 26 ms
 * from the tone's beginning, are gone, what lies in the frame at hand is silenced too.
 */
export class DtmfDetector {
  private readonly filters: GoertzelBank;
  private readonly harmonics: GoertzelBank;
  private readonly block: BlockWindow;
  private readonly ring: Float32Array;
  private readonly phases = new Float64Array(8);
  private readonly hop: number;
  private readonly least = peakOf(LEAST_DBM0) ** 2 / 2;
  private write = 0;
  private untilHop: number;
  private taken = 0;
  /** What the last blocks looked like, and how many of them in a row. */
  private candidate = '';
  private hits = 0;
  /** The key that is down. */
  private digit = '';
  private start = 0;
  private lastHit = 0;
  private misses = 0;
  private hidden = false;
  private gain = 1;

  /**
   * @param sampleRate 8000 or 16,000 Hz
   * @param mute whether `process` silences keys in what it is given
   */
  constructor(
    private readonly sampleRate: number,
    private readonly listener: DtmfListener,
    private readonly mute = false,
  ) {
    const samples = (sampleRate * BLOCK_MS) / 1000;
    const frequencies = [...DTMF_ROWS, ...DTMF_COLUMNS];
    this.filters = new GoertzelBank(frequencies, sampleRate);
    this.harmonics = new GoertzelBank(
      frequencies.map((hz) => 2 * hz),
      sampleRate,
    );
    this.block = new BlockWindow(samples);
    this.ring = new Float32Array(samples);
    this.hop = (sampleRate * HOP_MS) / 1000;
    this.untilHop = this.hop;
  }

  /** Whether a key is sounding, or what may become one. */
  get sounding(): boolean {
    return this.hidden;
  }

  /** Samples taken, silence that was skipped among them. */
  get position(): number {
    return this.taken;
  }

  /**
   * Takes the first `samples` of `pcm`, and silences keys in them when it mutes.
   *
   * @param position of the first sample in the stream; what lies between it and the samples before was silence
   */
  process(pcm: Int16Array, samples: number, position = this.taken): void {
    if (position > this.taken) this.skip(position - this.taken);
    for (let from = 0; from < samples; ) {
      const count = Math.min(this.untilHop, samples - from);
      this.take(pcm, from, count);
      from += count;
      this.untilHop -= count;
      const before = this.hidden;
      if (this.untilHop === 0) {
        this.untilHop = this.hop;
        this.look();
      }
      if (!this.mute) continue;
      const back = !before && this.hidden ? Math.min(from, (FILLED_MS * this.sampleRate) / 1000) : count;
      this.fade(pcm, from - Math.max(back, count), from);
    }
  }

  /** Silence passes that is not given as samples: a gap, suppressed silence. */
  skip(samples: number): void {
    // After a block of silence and the pause nothing of what was before matters.
    const most = this.ring.length + (MISSES + 1) * this.hop;
    const real = Math.min(samples, most);
    for (let rest = real; rest > 0; ) {
      const count = Math.min(this.untilHop, rest);
      this.take(undefined, 0, count);
      rest -= count;
      this.untilHop -= count;
      if (this.untilHop > 0) continue;
      this.untilHop = this.hop;
      this.look();
    }
    this.taken += samples - real;
  }

  /** The stream is over: a key that is down is reported. */
  end(): void {
    this.release();
  }

  private take(pcm: Int16Array | undefined, from: number, count: number): void {
    const { ring } = this;
    for (let n = 0; n < count; n++) {
      ring[this.write] = pcm ? pcm[from + n]! : 0;
      if (++this.write === ring.length) this.write = 0;
    }
    this.taken += count;
  }

  /** Judges the block that ends here. */
  private look(): void {
    const found = this.classify();
    this.hits = found !== '' && found === this.candidate ? this.hits + 1 : 1;
    this.candidate = found;
    this.hidden = found !== '';
    if (this.digit !== '' && found === this.digit) {
      this.misses = 0;
      this.lastHit = this.taken;
      return;
    }
    if (this.digit !== '' && ++this.misses >= MISSES) this.release();
    if (found === '' || this.hits < BLOCKS) return;
    this.release();
    this.digit = found;
    this.misses = 0;
    this.lastHit = this.taken;
    this.start = Math.max(0, this.taken - this.samples(FILLED_MS + (BLOCKS - 1) * HOP_MS));
  }

  private release(): void {
    if (this.digit === '') return;
    const end = this.lastHit - this.samples(BLOCK_MS - FILLED_MS);
    const { digit } = this;
    this.digit = '';
    this.listener(digit, this.start, Math.round(((end - this.start) * 1000) / this.sampleRate));
  }

  private samples(ms: number): number {
    return Math.round((ms * this.sampleRate) / 1000);
  }

  /** The key of the present block; '' when it is none. */
  private classify(): string {
    const { block, filters } = this;
    const energy = block.take(this.ring, this.write);
    if (energy < this.least) return '';
    const { phases, powers } = filters;
    for (let k = 0; k < 8; k++) this.phases[k] = phases[k]!;
    filters.analyse(block, 0, 8);
    const row = this.strongest(0);
    const column = this.strongest(4);
    if (row < 0 || column < 0 || powers[row]! + powers[column]! < GLANCE * energy) return '';
    const low = this.level(row, DTMF_ROWS[row]!);
    const high = this.level(column, DTMF_COLUMNS[column - 4]!);
    if (low < this.least || high < this.least || low + high < EXPLAINED * energy) return '';
    if (high > low * REVERSE_TWIST || high < low * NORMAL_TWIST) return '';
    return this.hasHarmonics(row, column) ? '' : dtmfDigit(row, column - 4);
  }

  /** The filter that stands out of its group of four; -1 when none does. */
  private strongest(from: number): number {
    const { powers } = this.filters;
    let best = from;
    for (let k = from + 1; k < from + 4; k++) if (powers[k]! > powers[best]!) best = k;
    for (let k = from; k < from + 4; k++) if (k !== best && powers[k]! > powers[best]! * APART) return -1;
    return best;
  }

  /** Mean square of the sine in a filter, made up for its distance from the middle; 0 when it is too far away. */
  private level(filter: number, hz: number): number {
    const advance = (2 * Math.PI * hz * HOP_MS) / 1000;
    let drift = (this.filters.phases[filter]! - this.phases[filter]! - advance) / (2 * Math.PI);
    drift -= Math.round(drift);
    const off = (drift * 1000) / HOP_MS;
    if (Math.abs(off) > TOLERANCE * hz) return 0;
    return this.filters.powers[filter]! * Math.exp(SCALLOP * ((off * BLOCK_MS) / 1000) ** 2);
  }

  private hasHarmonics(row: number, column: number): boolean {
    const { harmonics, filters } = this;
    harmonics.analyse(this.block, column, column + 1);
    if (harmonics.powers[column]! > HARMONIC * filters.powers[column]!) return true;
    if (Math.abs(2 * DTMF_ROWS[row]! - DTMF_COLUMNS[column - 4]!) < NEAR_HZ) return false;
    harmonics.analyse(this.block, row, row + 1);
    return harmonics.powers[row]! > HARMONIC * filters.powers[row]!;
  }

  private fade(pcm: Int16Array, from: number, to: number): void {
    const target = this.hidden ? 0 : 1;
    if (this.gain === 1 && target === 1) return;
    const step = 1000 / (FADE_MS * this.sampleRate);
    for (let n = from; n < to; n++) {
      this.gain = target === 0 ? Math.max(0, this.gain - step) : Math.min(1, this.gain + step);
      pcm[n] = Math.round(pcm[n]! * this.gain);
    }
  }
}

function db(level: number): number {
  return 10 ** (level / 10);
}
