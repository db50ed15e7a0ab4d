import { type RealFft, realFft } from '../audio/fft.js';
import { CURVE_POINTS, minimumPhase, TAPS } from './echo/minimum-phase.js';

/** Lowest gain, natural logarithm: -12 dB. */
const FLOOR = Math.log(0.25);
/** Smoothing of the a-priori SNR (decision-directed), and its lowest value. */
const DIRECTED = 0.96;
const LEAST_SNR = 0.003;
/** SNR that speech is expected to have where there is any, power: 15 dB. */
const SPEECH_SNR = 31.6;
/** A bin that seems to be speech for this long is noise, after all: limit of the smoothed probability. */
const MOST_PRESENCE = 0.99;
const NOISE_KEPT = 0.8;

/**
 * Takes steady noise out of what is recognised: gains by the minimum mean square error of log spectra (Ephraim & Malah 1985),
 * noise tracked by speech presence probability (Gerkmann & Hendriks 2012), applied by a minimum-phase filter, so that nothing
 * is delayed. Windows are 32 ms, steps 10 ms.
 */
export class NoiseSuppressor {
  private readonly block: number;
  private readonly fft: RealFft;
  private readonly window: Float32Array;
  private readonly time: Float32Array;
  private readonly recent: Float32Array;
  private readonly re: Float32Array;
  private readonly im: Float32Array;
  private readonly noise: Float32Array;
  private readonly presence: Float32Array;
  /** Power of the speech as estimated in the step before. */
  private readonly speech: Float32Array;
  private readonly gains: Float32Array;
  private readonly curve = new Float32Array(CURVE_POINTS);
  private taps = new Float32Array(TAPS);
  private before = new Float32Array(TAPS);
  private readonly line: Float32Array;
  private steps = 0;

  /** @param sampleRate Hz */
  constructor(sampleRate: number) {
    this.block = sampleRate / 100;
    this.fft = realFft((256 * sampleRate) / 8000);
    const { size, bins } = this.fft;
    this.window = Float32Array.from({ length: size }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / size));
    this.time = new Float32Array(size);
    this.recent = new Float32Array(size);
    this.re = new Float32Array(bins);
    this.im = new Float32Array(bins);
    this.noise = new Float32Array(bins);
    this.presence = new Float32Array(bins).fill(0.5);
    this.speech = new Float32Array(bins);
    this.gains = new Float32Array(bins);
    this.line = new Float32Array(this.block + TAPS - 1);
    this.taps[0] = this.before[0] = 1;
  }

  /** Changes the first `samples` of `pcm` in place; whole blocks of 10 ms, others pass as they are. */
  process(pcm: Int16Array, samples: number): void {
    if (samples % this.block !== 0) return;
    for (let at = 0; at < samples; at += this.block) this.next(pcm, at);
  }

  private next(pcm: Int16Array, at: number): void {
    const { block, recent, line, time, window } = this;
    recent.copyWithin(0, block);
    line.copyWithin(0, block);
    for (let n = 0; n < block; n++) {
      recent[recent.length - block + n] = pcm[at + n]!;
      line[TAPS - 1 + n] = pcm[at + n]!;
    }
    for (let n = 0; n < time.length; n++) time[n] = recent[n]! * window[n]!;
    this.fft.forward(time, this.re, this.im);
    this.weigh();
    this.design();
    this.convolve(pcm, at);
  }

  private weigh(): void {
    const { re, im, noise, speech, gains } = this;
    const first = ++this.steps <= 5;
    for (let k = 0; k < noise.length; k++) {
      const power = re[k]! * re[k]! + im[k]! * im[k]! + 1;
      if (first) noise[k] = noise[k]! + (power - noise[k]!) / this.steps;
      else this.track(k, power);
      const level = noise[k]! + 1;
      const posterior = Math.min(1000, power / level);
      const prior = Math.max(LEAST_SNR, (DIRECTED * speech[k]!) / level + (1 - DIRECTED) * Math.max(0, posterior - 1));
      const wiener = prior / (1 + prior);
      const gain = Math.min(1, wiener * Math.exp(0.5 * exponentialIntegral(posterior * wiener)));
      speech[k] = gain * gain * power;
      gains[k] = Math.max(FLOOR, Math.log(gain));
    }
  }

  private track(k: number, power: number): void {
    const { noise, presence } = this;
    const ratio = Math.min(200, power / (noise[k]! + 1));
    let speaks = 1 / (1 + (1 + SPEECH_SNR) * Math.exp((-ratio * SPEECH_SNR) / (1 + SPEECH_SNR)));
    presence[k] = 0.9 * presence[k]! + 0.1 * speaks;
    if (presence[k]! > MOST_PRESENCE) speaks = Math.min(speaks, MOST_PRESENCE);
    noise[k] = NOISE_KEPT * noise[k]! + (1 - NOISE_KEPT) * (speaks * noise[k]! + (1 - speaks) * power);
  }

  private design(): void {
    const { curve, gains } = this;
    const step = (gains.length - 1) / (CURVE_POINTS - 1);
    for (let point = 0; point < CURVE_POINTS; point++) {
      const from = Math.max(0, Math.round((point - 0.5) * step));
      const to = Math.min(gains.length - 1, Math.round((point + 0.5) * step));
      let sum = 0;
      for (let k = from; k <= to; k++) sum += gains[k]!;
      curve[point] = sum / (to - from + 1);
    }
    const spare = this.before;
    this.before = this.taps;
    this.taps = spare;
    minimumPhase(curve, spare);
  }

  private convolve(pcm: Int16Array, at: number): void {
    const { block, line, taps, before } = this;
    for (let n = 0; n < block; n++) {
      let next = 0;
      let last = 0;
      for (let k = 0; k < TAPS; k++) {
        const sample = line[n + TAPS - 1 - k]!;
        next += taps[k]! * sample;
        last += before[k]! * sample;
      }
      const value = last + (next - last) * ((n + 1) / block);
      pcm[at + n] = Math.max(-32768, Math.min(32767, Math.round(value)));
    }
  }
}

/** E1(x), to a few parts in 10^4 (Abramowitz & Stegun 5.1.53 and 5.1.54). */
function exponentialIntegral(x: number): number {
  if (x < 1e-6) return 13.2;
  if (x <= 1) {
    const series =
      -0.57721566 + x * (0.99999193 + x * (-0.24991055 + x * (0.05519968 + x * (-0.00976004 + x * 0.00107857))));
    return series - Math.log(x);
  }
  return (Math.exp(-x) / x) * ((x * x + 2.334733 * x + 0.250621) / (x * x + 3.330657 * x + 1.681534));
}
