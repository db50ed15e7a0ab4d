import { renderMusic, renderTyping } from '../audio/music.js';
import { resample } from '../audio/resample.js';
import { renderTone } from '../audio/tones.js';
import { COUNTRY_TONES, type Country } from '../audio/tones-countries.js';
import type { Recording } from '../audio/wav.js';

/** A sound that loops beneath what is said, or alone. */
export type BackgroundKind = 'ringback' | 'busy' | 'congestion' | 'music' | 'typing';

/** Of each sine of a tone, dBm0 (E.180: -10 for all of it, give or take 5). */
const TONE_DBM0 = -16;
const FADE_MS = 200;

/** What the loops are made of. */
export interface SoundOptions {
  country: Country;
  /** Instead of the piece of Parley's own; from `readWav`. */
  music?: Recording | undefined;
  /** Added to every level, dB. */
  level: number;
}

/** The loops at every rate, each rendered when first wanted, into shared memory: calls do not hold copies. */
export class SoundLibrary {
  private readonly loops = new Map<string, Int16Array>();

  constructor(private readonly options: SoundOptions) {}

  /** The loop of a sound. @param sampleRate Hz */
  loop(kind: BackgroundKind, sampleRate: number): Int16Array {
    const key = `${kind}:${sampleRate}`;
    const known = this.loops.get(key);
    if (known) return known;
    const made = this.make(kind, sampleRate);
    const gain = 10 ** (this.options.level / 20);
    const shared = new Int16Array(new SharedArrayBuffer(made.byteLength));
    for (let n = 0; n < made.length; n++) shared[n] = Math.round(made[n]! * gain);
    this.loops.set(key, shared);
    return shared;
  }

  private make(kind: BackgroundKind, sampleRate: number): Int16Array {
    const { country, music } = this.options;
    if (kind === 'typing') return renderTyping(sampleRate);
    if (kind !== 'music') return renderTone(COUNTRY_TONES[country][kind], sampleRate, TONE_DBM0);
    return music && music.pcm.length > 0 ? resample(music.pcm, music.sampleRate, sampleRate) : renderMusic(sampleRate);
  }
}

/** The background of one leg: adds a looped sound to frames, fading it in and out. */
export class Background {
  private loop: Int16Array | undefined;
  private next: Int16Array | undefined;
  private at = 0;
  private gain = 0;
  private target = 0;
  private readonly step: number;

  /** @param sampleRate of the frames, Hz */
  constructor(
    private readonly sampleRate: number,
    private readonly library: SoundLibrary,
  ) {
    this.step = 1000 / (FADE_MS * sampleRate);
  }

  /** Whether something sounds. */
  get playing(): boolean {
    return this.loop !== undefined;
  }

  /** Plays a sound from its beginning; one that plays fades out first. The same one goes on. */
  play(kind: BackgroundKind): void {
    const loop = this.library.loop(kind, this.sampleRate);
    this.next = loop === this.loop ? undefined : loop;
    this.target = this.next && this.loop ? 0 : 1;
    if (!this.loop) this.advance();
  }

  /** Fades out, within 200 ms. */
  stop(): void {
    this.next = undefined;
    this.target = 0;
  }

  /** Adds the next samples to `frame`. */
  render(frame: Int16Array): void {
    for (let n = 0; n < frame.length && this.loop; n++) {
      this.gain =
        this.gain < this.target
          ? Math.min(this.target, this.gain + this.step)
          : Math.max(this.target, this.gain - this.step);
      const sum = frame[n]! + Math.round(this.loop[this.at]! * this.gain);
      frame[n] = Math.max(-32768, Math.min(32767, sum));
      if (++this.at === this.loop.length) this.at = 0;
      if (this.gain === 0 && this.target === 0) this.advance();
    }
  }

  /** What sounded is over: the sound that waits begins. */
  private advance(): void {
    this.loop = this.next;
    this.next = undefined;
    this.at = 0;
    this.target = this.loop ? 1 : 0;
  }
}
