/** Most coefficients of a spectrum that are taken; what senders send is up to 10 (G.711, Appendix II). */
const MAX_ORDER = 12;
/** Level goes from one description to the next in about this long, ms. */
const SMOOTH_MS = 20;
/** RMS of the loudest sound there is, a square wave: 0 dBov (RFC 3389, 3). */
const OVERLOAD = 32_767;
/** RMS of what {@link ComfortNoise.random} gives: it is spread evenly over -1 to 1. */
const UNIFORM_RMS = 1 / Math.sqrt(3);

/**
 * Noise in place of a background that is not sent: at a level and with a spectrum that the sender describes (RFC 3389),
 * or at the level of the background that was heard before.
 */
export class ComfortNoise {
  private readonly reflections = new Float64Array(MAX_ORDER);
  private readonly state = new Float64Array(MAX_ORDER + 1);
  private order = 0;
  private level = 0;
  private wanted = 0;
  private seed = 1;
  private readonly smoothing: number;

  /** @param sampleRate Hz */
  constructor(sampleRate: number) {
    this.smoothing = 1000 / (SMOOTH_MS * sampleRate);
  }

  /** The payload of a comfort noise packet: its level below overload, dB, and perhaps reflection coefficients. */
  describe(payload: Uint8Array, start: number, end: number): void {
    if (end <= start) return;
    this.order = Math.min(MAX_ORDER, end - start - 1);
    let kept = 1;
    for (let n = 0; n < this.order; n++) {
      const reflection = (258 * (Math.min(254, payload[start + 1 + n]!) - 127)) / 32_768;
      this.reflections[n] = reflection;
      kept *= 1 - reflection * reflection;
    }
    // What drives the filter has so much less power than what comes out of it.
    this.wanted = OVERLOAD * 10 ** (-(payload[start]! & 0x7f) / 20) * Math.sqrt(kept);
  }

  /** White noise of this RMS, in steps of 16 bits. */
  like(rms: number): void {
    this.order = 0;
    this.wanted = rms;
  }

  /** The next sample. */
  next(): number {
    this.level += (this.wanted - this.level) * this.smoothing;
    const { state, reflections } = this;
    let value = (this.random() * this.level) / UNIFORM_RMS;
    // The lattice of the all-pole filter, from its last stage to its first.
    for (let n = this.order - 1; n >= 0; n--) {
      value -= reflections[n]! * state[n]!;
      state[n + 1] = state[n]! + reflections[n]! * value;
    }
    state[0] = value;
    return Math.max(-32_768, Math.min(32_767, Math.round(value)));
  }

  /** -1 to 1: the upper bits of a linear congruential generator. */
  private random(): number {
    this.seed = (Math.imul(this.seed, 1_664_525) + 1_013_904_223) | 0;
    return this.seed / 0x8000_0000;
  }
}
