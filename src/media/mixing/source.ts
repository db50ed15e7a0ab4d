import { Doubler, Halver } from '../../audio/octave.js';
import type { PcmRate } from '../../rtp/negotiated.js';

/** Samples of a 20 ms frame at either rate. */
export function frameSamples(rate: PcmRate): number {
  return rate / 50;
}

/** What begins or ends fades within this, so that it does not click, ms. */
const FADE_MS = 5;

/**
 * One participant's voice: the frame of this tick, at the rate it came in and, where somebody wants it, at the other.
 * Where a frame is missing or masked, the one before is let out: mirrored in time, so that it joins on, and faded.
 */
export class Source {
  private readonly narrow = new Int16Array(frameSamples(8000));
  private readonly wide = new Int16Array(frameSamples(16_000));
  private readonly doubler = new Doubler();
  private readonly halver = new Halver();
  private rate: PcmRate = 8000;
  private fresh = false;
  private sounding = false;
  private masked = false;
  private converted = false;
  private convertedBefore = false;
  /** Whether there is anything to mix in this tick. */
  present = false;

  /** Whether nothing more comes out of it. */
  get silent(): boolean {
    return !this.fresh && !this.sounding;
  }

  /** Takes the frame of the next tick: 160 samples at 8 kHz or 320 at 16 kHz. False when it has another length. */
  offer(frame: Int16Array): boolean {
    if (frame.length !== this.narrow.length && frame.length !== this.wide.length) return false;
    if (this.masked) return true;
    const rate = frame.length === this.narrow.length ? 8000 : 16_000;
    if (rate !== this.rate) this.change(rate);
    this.own().set(frame);
    this.fresh = true;
    return true;
  }

  /** Nothing that is offered while `on` gets out, to anybody. */
  mask(on: boolean): void {
    this.masked = on;
    if (on) this.fresh = false;
  }

  /** Nothing more will be offered. */
  end(): void {
    this.fresh = false;
  }

  /** Makes the frame of this tick ready. */
  prepare(): void {
    this.convertedBefore = this.converted;
    this.converted = false;
    this.present = this.fresh || this.sounding;
    if (this.fresh && !this.sounding) this.fadeIn();
    if (!this.fresh && this.sounding) this.letOut();
    this.sounding = this.fresh;
    this.fresh = false;
  }

  /** The frame of this tick at `rate`; converted once, however many want it. Only while {@link present}. */
  at(rate: PcmRate): Int16Array {
    const wanted = rate === 8000 ? this.narrow : this.wide;
    if (rate === this.rate || this.converted) return wanted;
    const own = this.own();
    const converter = rate === 8000 ? this.halver : this.doubler;
    if (!this.convertedBefore) converter.reset();
    converter.process(own, own.length, wanted);
    this.converted = true;
    return wanted;
  }

  private own(): Int16Array {
    return this.rate === 8000 ? this.narrow : this.wide;
  }

  private change(rate: PcmRate): void {
    this.rate = rate;
    // The other codec's stream begins anew: nothing is left to join on to.
    this.sounding = false;
    this.convertedBefore = this.converted = false;
  }

  private fadeIn(): void {
    const pcm = this.own();
    const samples = (this.rate * FADE_MS) / 1000;
    for (let n = 0; n < samples; n++) pcm[n] = Math.round((pcm[n]! * (n + 1)) / (samples + 1));
  }

  private letOut(): void {
    const pcm = this.own();
    const samples = (this.rate * FADE_MS) / 1000;
    const last = pcm.length - 1;
    for (let n = 0; n < samples; n++) pcm[n] = Math.round(pcm[last - n]! * (1 - (n + 1) / (samples + 1)));
    pcm.fill(0, samples);
  }
}
