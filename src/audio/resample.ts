/*
 * Sample-rate conversion by a polyphase FIR: a sinc under a Kaiser window (Kaiser 1974; Oppenheim & Schafer, 7.5).
 * One sub-filter per phase of the output grid, so that only output samples that exist are computed.
 */

/** Zero crossings of the sinc on either side, counted at the lower rate: 16 kHz <-> 8 kHz gets 96 taps. */
const ZERO_CROSSINGS = 24;
/** Kaiser's beta for more than 90 dB of stopband. */
const KAISER_BETA = 9;
/** Cut-off relative to the lower Nyquist frequency; the transition band lies around it. */
const CUTOFF = 0.92;

interface Kernel {
  /** Output and input rate divided by their greatest common divisor. */
  up: number;
  down: number;
  /** Input samples either side of an output sample. */
  half: number;
  /** `up` rows of `2 * half` coefficients. */
  rows: Float32Array;
}

const kernels = new Map<string, Kernel>();

/** Converts one PCM stream between any two integer rates, in Hz, without delay: output sample 0 lies on input sample 0. */
export class Resampler {
  private readonly kernel: Kernel;
  /** Input that later output still needs; begins with silence before the first sample. */
  private held: Float32Array;
  /** Index in `held` of the input sample at or before the next output sample, and the phase between it and the next. */
  private base: number;
  private phase = 0;
  private taken = 0;
  private made = 0;

  constructor(
    readonly from: number,
    readonly to: number,
  ) {
    this.kernel = kernelOf(from, to);
    this.held = new Float32Array(this.kernel.half - 1);
    this.base = this.kernel.half - 1;
  }

  /** Takes the next samples of any number; returns those that are ready (the last ~3 ms wait for what follows). */
  process(pcm: Int16Array): Int16Array {
    if (this.from === this.to) return pcm.slice();
    this.taken += pcm.length;
    return this.convert(pcm, Number.POSITIVE_INFINITY);
  }

  /** The rest, as if silence followed; afterwards the resampler begins a new stream. */
  flush(): Int16Array {
    if (this.from === this.to) return new Int16Array(0);
    const { up, down, half } = this.kernel;
    const total = Math.ceil((this.taken * up) / down);
    const rest = this.convert(new Int16Array(half), total - this.made);
    this.held = new Float32Array(half - 1);
    this.base = half - 1;
    this.phase = this.taken = this.made = 0;
    return rest;
  }

  private convert(pcm: Int16Array, limit: number): Int16Array {
    const { up, down, half, rows } = this.kernel;
    const input = new Float32Array(this.held.length + pcm.length);
    input.set(this.held);
    input.set(pcm, this.held.length);
    const ready = Math.ceil(((input.length - half - this.base) * up - this.phase) / down);
    const out = new Int16Array(Math.max(0, Math.min(limit, ready)));
    const taps = 2 * half;
    let { base, phase } = this;
    for (let n = 0; n < out.length; n++) {
      let sum = 0;
      const row = phase * taps;
      const first = base - half + 1;
      for (let k = 0; k < taps; k++) sum += rows[row + k]! * input[first + k]!;
      out[n] = sum >= 32767 ? 32767 : sum <= -32768 ? -32768 : Math.round(sum);
      phase += down;
      base += Math.floor(phase / up);
      phase %= up;
    }
    const drop = Math.min(base - half + 1, input.length);
    this.held = input.slice(drop);
    this.base = base - drop;
    this.phase = phase;
    this.made += out.length;
    return out;
  }
}

/** Converts a whole recording; the result has `ceil(length * to / from)` samples. */
export function resample(pcm: Int16Array, from: number, to: number): Int16Array {
  if (from === to) return pcm;
  const resampler = new Resampler(from, to);
  const head = resampler.process(pcm);
  const tail = resampler.flush();
  const out = new Int16Array(head.length + tail.length);
  out.set(head);
  out.set(tail, head.length);
  return out;
}

function kernelOf(from: number, to: number): Kernel {
  const key = `${from}:${to}`;
  let kernel = kernels.get(key);
  if (!kernel) {
    kernel = makeKernel(from, to);
    kernels.set(key, kernel);
  }
  return kernel;
}

function makeKernel(from: number, to: number): Kernel {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from <= 0 || to <= 0) {
    throw new RangeError(`sample rates must be positive whole numbers of Hz, not ${from} and ${to}`);
  }
  const divisor = gcd(from, to);
  const up = to / divisor;
  const down = from / divisor;
  const half = Math.ceil(ZERO_CROSSINGS * Math.max(1, from / to));
  const cutoff = CUTOFF * Math.min(1, to / from);
  const taps = 2 * half;
  const rows = new Float32Array(up * taps);
  for (let phase = 0; phase < up; phase++) {
    const row = rows.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const distance = k - half + 1 - phase / up;
      row[k] = sinc(cutoff * distance) * kaiser(distance / half, KAISER_BETA);
      sum += row[k]!;
    }
    // The same gain in every phase: otherwise a constant input would come out with a ripple.
    for (let k = 0; k < taps; k++) row[k] = row[k]! / sum;
  }
  return { up, down, half, rows };
}

/** sin(pi x) / (pi x) */
export function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Kaiser's window over [-1, 1]. */
export function kaiser(x: number, beta: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(beta * Math.sqrt(1 - x * x)) / besselI0(beta);
}

/** Modified Bessel function of the first kind, order zero, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
