/*
 * Fast Fourier transform of real sequences: the samples are taken as half as many complex ones, which go through a
 * decimation-in-time transform whose passes are radix 4 (one radix 2 pass first where the length asks for it), and the
 * spectrum is then taken apart (Cooley & Tukey 1965; Sorensen et al. 1987, "Real-valued fast Fourier transform algorithms").
 */

const transforms = new Map<number, RealFft>();

/** The transform of this size (a power of two from 16 on); one for all users of a thread, as it holds scratch space only. */
export function realFft(size: number): RealFft {
  let fft = transforms.get(size);
  if (!fft) {
    fft = new RealFft(size);
    transforms.set(size, fft);
  }
  return fft;
}

/** A transform between `size` real samples and `size / 2 + 1` complex bins. Allocates nothing while it works. */
export class RealFft {
  /** Bins of a spectrum, 0 Hz and half the sample rate included. */
  readonly bins: number;
  private readonly half: number;
  /** Complex scratch in bit-reversed, then natural order. */
  private readonly re: Float64Array;
  private readonly im: Float64Array;
  private readonly reversed: Uint16Array;
  /** cos and -sin of 2 pi k / size. */
  private readonly cos: Float64Array;
  private readonly sin: Float64Array;

  constructor(readonly size: number) {
    if (size < 16 || size > 65_536 || (size & (size - 1)) !== 0) {
      throw new RangeError(`the size of a transform must be a power of two from 16 to 65536, not ${size}`);
    }
    const half = size / 2;
    this.half = half;
    this.bins = half + 1;
    this.re = new Float64Array(half);
    this.im = new Float64Array(half);
    this.cos = Float64Array.from({ length: size }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.sin = Float64Array.from({ length: size }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    const bits = Math.log2(half);
    this.reversed = Uint16Array.from({ length: half }, (_, n) => {
      let value = 0;
      for (let bit = 0; bit < bits; bit++) value |= ((n >> bit) & 1) << (bits - 1 - bit);
      return value;
    });
  }

  /** X[k] = sum of x[n] exp(-2 pi i k n / size). */
  forward(samples: Float32Array | Float64Array, outRe: Float32Array, outIm: Float32Array): void {
    const { half, re, im, reversed, cos, sin } = this;
    for (let n = 0; n < half; n++) {
      const from = 2 * reversed[n]!;
      re[n] = samples[from]!;
      im[n] = samples[from + 1]!;
    }
    this.transform();
    outRe[0] = re[0]! + im[0]!;
    outIm[0] = 0;
    outRe[half] = re[0]! - im[0]!;
    outIm[half] = 0;
    for (let k = 1, m = half - 1; k <= m; k++, m--) {
      // Even and odd samples' spectra, then X[k] = even + w^k odd and its mirror.
      const evenRe = 0.5 * (re[k]! + re[m]!);
      const evenIm = 0.5 * (im[k]! - im[m]!);
      const oddRe = 0.5 * (im[k]! + im[m]!);
      const oddIm = 0.5 * (re[m]! - re[k]!);
      const c = cos[k]!;
      const s = sin[k]!;
      const turnedRe = oddRe * c - oddIm * s;
      const turnedIm = oddRe * s + oddIm * c;
      outRe[k] = evenRe + turnedRe;
      outIm[k] = evenIm + turnedIm;
      outRe[m] = evenRe - turnedRe;
      outIm[m] = turnedIm - evenIm;
    }
  }

  /** The inverse of {@link forward}, scaled so that the two together change nothing. */
  inverse(inRe: Float32Array, inIm: Float32Array, samples: Float32Array | Float64Array): void {
    const { half, re, im, reversed, cos, sin } = this;
    const scale = 1 / this.size;
    // The conjugate goes in, so that the forward transform serves as the inverse one.
    const dc = inRe[0]!;
    const top = inRe[half]!;
    re[0] = scale * (dc + top);
    im[0] = -scale * (dc - top);
    for (let k = 1, m = half - 1; k <= m; k++, m--) {
      const evenRe = inRe[k]! + inRe[m]!;
      const evenIm = inIm[k]! - inIm[m]!;
      const diffRe = inRe[k]! - inRe[m]!;
      const diffIm = inIm[k]! + inIm[m]!;
      const c = cos[k]!;
      const s = -sin[k]!;
      const oddRe = diffRe * c - diffIm * s;
      const oddIm = diffRe * s + diffIm * c;
      const to = reversed[k]!;
      const mirror = reversed[m]!;
      re[to] = scale * (evenRe - oddIm);
      im[to] = -scale * (evenIm + oddRe);
      re[mirror] = scale * (evenRe + oddIm);
      im[mirror] = -scale * (oddRe - evenIm);
    }
    this.transform();
    for (let n = 0; n < half; n++) {
      samples[2 * n] = re[n]!;
      samples[2 * n + 1] = -im[n]!;
    }
  }

  /** Complex transform in place of `half` values that lie in bit-reversed order. */
  private transform(): void {
    const { half } = this;
    let span = 1;
    if ((Math.log2(half) & 1) === 1) {
      this.pairs();
      span = 2;
    }
    for (; span < half; span *= 4) this.fours(span);
  }

  private pairs(): void {
    const { half, re, im } = this;
    for (let n = 0; n < half; n += 2) {
      const aRe = re[n]!;
      const aIm = im[n]!;
      re[n] = aRe + re[n + 1]!;
      im[n] = aIm + im[n + 1]!;
      re[n + 1] = aRe - re[n + 1]!;
      im[n + 1] = aIm - im[n + 1]!;
    }
  }

  /** Two radix-2 passes in one: transforms of `span` values become transforms of four times as many. */
  private fours(span: number): void {
    const { half, re, im, cos, sin } = this;
    const step = (2 * half) / (4 * span);
    for (let j = 0; j < span; j++) {
      const vRe = cos[j * step]!;
      const vIm = sin[j * step]!;
      const uRe = cos[2 * j * step]!;
      const uIm = sin[2 * j * step]!;
      const wRe = vRe * uRe - vIm * uIm;
      const wIm = vRe * uIm + vIm * uRe;
      for (let n0 = j; n0 < half; n0 += 4 * span) {
        const n1 = n0 + span;
        const n2 = n1 + span;
        const n3 = n2 + span;
        const t1Re = uRe * re[n1]! - uIm * im[n1]!;
        const t1Im = uRe * im[n1]! + uIm * re[n1]!;
        const t2Re = vRe * re[n2]! - vIm * im[n2]!;
        const t2Im = vRe * im[n2]! + vIm * re[n2]!;
        const t3Re = wRe * re[n3]! - wIm * im[n3]!;
        const t3Im = wRe * im[n3]! + wIm * re[n3]!;
        const a0Re = re[n0]! + t1Re;
        const a0Im = im[n0]! + t1Im;
        const a1Re = re[n0]! - t1Re;
        const a1Im = im[n0]! - t1Im;
        const b0Re = t2Re + t3Re;
        const b0Im = t2Im + t3Im;
        const b1Re = t2Re - t3Re;
        const b1Im = t2Im - t3Im;
        re[n0] = a0Re + b0Re;
        im[n0] = a0Im + b0Im;
        re[n1] = a1Re + b1Im;
        im[n1] = a1Im - b1Re;
        re[n2] = a0Re - b0Re;
        im[n2] = a0Im - b0Im;
        re[n3] = a1Re - b1Im;
        im[n3] = a1Im + b1Re;
      }
    }
  }
}
