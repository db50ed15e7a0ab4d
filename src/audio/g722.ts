/*
 * ITU-T G.722 at 64 kbit/s (mode 1): two samples of 16 kHz audio make one octet. A quadrature mirror filter parts the
 * band at 4 kHz; each half is coded by adaptive differential PCM, the lower with 6 bits, the upper with 2:
 *
 *   octet: | IH (2) |        IL (6)        |
 *
 * Names in capitals are the blocks of the Recommendation (3.5, 3.6), whose integer arithmetic this keeps to: its octets
 * are the same as everybody's.
 */

/** Coefficients of both mirror filters, first half; the second mirrors it (table 4/G.722, scaled by 2^13). */
const QMF = [3, -11, -11, 53, 12, -156, 32, 362, -210, -805, 951, 3876];
const QMF_TAPS = 24;
/** The even and the odd taps, as the polyphase filters want them. */
const QMF_EVEN = Int32Array.from({ length: 12 }, (_, n) => qmfTap(2 * n));
const QMF_ODD = Int32Array.from({ length: 12 }, (_, n) => qmfTap(2 * n + 1));

/** Decision levels of the lower band's 60-level quantiser (table 15/G.722: Q6). */
const DECISIONS_LOW = Int16Array.of(
  ...[35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714],
  ...[786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919],
);
/** Outputs of the inverse quantisers by code (tables 18 and 19/G.722: QQ6, QQ4; QQ2 of the upper band). */
const POSITIVE_6 = [
  ...[24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576],
  ...[6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728],
];
const INVERSE_6 = Int16Array.of(
  ...[-136, -136, -136, -136],
  ...POSITIVE_6.map((level) => -level),
  ...POSITIVE_6,
  ...[432, 136, -432, -136],
);
const POSITIVE_4 = [20456, 12896, 8968, 6288, 4240, 2584, 1200];
const INVERSE_4 = Int16Array.of(0, ...POSITIVE_4.map((level) => -level), ...POSITIVE_4, 0);
const INVERSE_2 = Int16Array.of(-7408, -1616, 7408, 1616);
/** How a code moves the logarithm of the quantiser's step (table 20/G.722: WL by IL4, WH by IH). */
const STEPS_LOW = [3042, 1198, 538, 334, 172, 58, -30];
const LOG_STEP_LOW = Int16Array.of(-60, ...STEPS_LOW, ...STEPS_LOW, -60);
const LOG_STEP_HIGH = Int16Array.of(798, -214, 798, -214);
/** 2^(n/32) in 12 bits (table 22/G.722: ILB). */
const ANTILOG = Int16Array.from({ length: 32 }, (_, n) => Math.round(2048 * 2 ** (n / 32)));

const MAX_LOG_LOW = 18432;
const MAX_LOG_HIGH = 22528;

/** Adaptive prediction and step size of one half of the band: the same at both ends, since both see the same codes. */
class SubBand {
  /** S: what the next sample is expected to be. */
  expected = 0;
  private log = 0;
  /** SZ: the share of the zeros in {@link expected}. */
  private zeros = 0;
  /** Poles (a1, a2), zeros (b1..b6) and the signals they work on: reconstructed, partly reconstructed, differences. */
  private a1 = 0;
  private a2 = 0;
  private r1 = 0;
  private p1 = 0;
  private p2 = 0;
  private readonly b = new Int32Array(6);
  private readonly d = new Int32Array(6);

  constructor(
    /** DET: the quantiser's step. */
    public step: number,
    /** Octaves of the antilogarithm: 8 below, 10 above. */
    private readonly octaves: number,
    private readonly maxLog: number,
  ) {}

  /** LOGSC, SCALE: the step for the next sample. */
  scale(logStep: number): void {
    const log = ((this.log * 127) >> 7) + logStep;
    this.log = Math.max(0, Math.min(this.maxLog, log));
    const shift = this.octaves - (this.log >> 11);
    const mantissa = ANTILOG[(this.log >> 6) & 31]!;
    this.step = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  /** RECONS to PREDIC: takes the difference that was sent, and expects the next sample. */
  predict(difference: number): void {
    const reconstructed = saturate(this.expected + difference);
    const partly = saturate(this.zeros + difference);
    this.adaptPoles(partly < 0, this.p1 < 0, this.p2 < 0);
    this.p2 = this.p1;
    this.p1 = partly;
    this.adaptZeros(difference);
    const poles = multiply(this.a1, saturate(2 * reconstructed)) + multiply(this.a2, saturate(2 * this.r1));
    this.r1 = reconstructed;
    this.expected = saturate(saturate(poles) + this.zeros);
  }

  /** UPPOL2, UPPOL1: signs of the partly reconstructed signal, now, one and two samples ago. */
  private adaptPoles(now: boolean, one: boolean, two: boolean): void {
    const turn = saturate(4 * this.a1);
    const pull = saturate(now === one ? -turn : turn) >> 7;
    const second = pull + (now === two ? 128 : -128) + multiply(this.a2, 32512);
    this.a2 = Math.max(-12288, Math.min(12288, second));
    const first = saturate((now === one ? 192 : -192) + multiply(this.a1, 32640));
    const most = saturate(15360 - this.a2);
    this.a1 = Math.max(-most, Math.min(most, first));
  }

  /** UPZERO, FILTEZ: the zeros lean towards differences of equal sign; then their share of the next sample. */
  private adaptZeros(difference: number): void {
    const { b, d } = this;
    const lean = difference === 0 ? 0 : 128;
    const sign = difference >> 31;
    let sum = 0;
    let newer = difference;
    for (let n = 0; n < 6; n++) {
      const before = d[n]!;
      const pull = ((before >> 31) ^ sign) === 0 ? lean : -lean;
      // Cannot leave 16 bits: 32767 * 32640 / 2^15 + 128 is below 2^15.
      const zero = pull + multiply(b[n]!, 32640);
      b[n] = zero;
      d[n] = newer;
      sum += multiply(zero, saturate(2 * newer));
      newer = before;
    }
    this.zeros = saturate(sum);
  }
}

/** Pairs of samples worked on at a time. */
const BLOCK = 512;
const HISTORY = QMF_TAPS - 2;

/** Makes octets of 16 kHz PCM. */
export class G722Encoder {
  private readonly low = lowBand();
  private readonly high = highBand();
  /** The last 22 samples, then the block. */
  private readonly work = new Int32Array(HISTORY + 2 * BLOCK);

  /** Encodes the first `samples` of `pcm` (an even number) into `out` at `offset`; returns the octets: half as many. */
  encode(pcm: Int16Array, samples: number, out: Uint8Array, offset: number): number {
    const pairs = samples >> 1;
    for (let done = 0; done < pairs; done += BLOCK) {
      const count = Math.min(BLOCK, pairs - done);
      for (let n = 0; n < 2 * count; n++) this.work[HISTORY + n] = pcm[2 * done + n]!;
      for (let n = 0; n < count; n++) out[offset + done + n] = this.octet(2 * n);
      this.work.copyWithin(0, 2 * count, 2 * count + HISTORY);
    }
    return pairs;
  }

  /** The octet of the pair of samples at the end of the 24 from `at` on. */
  private octet(at: number): number {
    const { work, low, high } = this;
    let even = 0;
    let odd = 0;
    for (let n = 0; n < 12; n++) {
      even += Math.imul(work[at + 2 * n]!, QMF_EVEN[n]!);
      odd += Math.imul(work[at + 2 * n + 1]!, QMF_ODD[n]!);
    }
    const lowCode = quantiseLow(saturate(((odd + even) >> 14) - low.expected), low.step);
    const highCode = quantiseHigh(saturate(((odd - even) >> 14) - high.expected), high.step);
    adapt(low, high, lowCode, highCode);
    return (highCode << 6) | lowCode;
  }
}

/** Makes 16 kHz PCM of octets. */
export class G722Decoder {
  private readonly low = lowBand();
  private readonly high = highBand();
  /** Sums and differences of both bands: the last 11 of each, then the block. */
  private readonly work = new Int32Array(HISTORY + 2 * BLOCK);

  /** Decodes `bytes[start..end)` into the beginning of `out`; returns the samples written: two for each octet. */
  decode(bytes: Uint8Array, start: number, end: number, out: Int16Array): number {
    const octets = Math.min(end - start, out.length >> 1);
    for (let done = 0; done < octets; done += BLOCK) {
      const count = Math.min(BLOCK, octets - done);
      for (let n = 0; n < count; n++) this.bands(bytes[start + done + n]!, 2 * n);
      for (let n = 0; n < count; n++) this.join(2 * n, out, 2 * (done + n));
      this.work.copyWithin(0, 2 * count, 2 * count + HISTORY);
    }
    return 2 * octets;
  }

  private bands(octet: number, at: number): void {
    const { low, high, work } = this;
    const lowCode = octet & 63;
    const highCode = octet >> 6;
    const below = limit(low.expected + multiply(low.step, INVERSE_6[lowCode]!));
    const above = limit(high.expected + multiply(high.step, INVERSE_2[highCode]!));
    adapt(low, high, lowCode, highCode);
    work[HISTORY + at] = below + above;
    work[HISTORY + at + 1] = below - above;
  }

  private join(at: number, out: Int16Array, to: number): void {
    const { work } = this;
    let sums = 0;
    let differences = 0;
    for (let n = 0; n < 12; n++) {
      sums += Math.imul(work[at + 2 * n]!, QMF_EVEN[n]!);
      differences += Math.imul(work[at + 2 * n + 1]!, QMF_ODD[n]!);
    }
    out[to] = saturate(differences >> 11);
    out[to + 1] = saturate(sums >> 11);
  }
}

/** Both bands go on from what was sent; the lower's prediction uses 4 of its 6 bits, so that modes 2 and 3 agree. */
function adapt(low: SubBand, high: SubBand, lowCode: number, highCode: number): void {
  const coarse = lowCode >> 2;
  const lowDifference = multiply(low.step, INVERSE_4[coarse]!);
  low.scale(LOG_STEP_LOW[coarse]!);
  low.predict(lowDifference);
  const highDifference = multiply(high.step, INVERSE_2[highCode]!);
  high.scale(LOG_STEP_HIGH[highCode]!);
  high.predict(highDifference);
}

/** QUANTL: the code of a difference (table 16/G.722). */
function quantiseLow(difference: number, step: number): number {
  const size = difference < 0 ? ~difference : difference;
  let level = 0;
  while (level < DECISIONS_LOW.length && size >= (DECISIONS_LOW[level]! * step) >> 12) level++;
  if (difference >= 0) return 61 - level;
  return level < 2 ? 63 - level : 33 - level;
}

/** QUANTH (table 17/G.722). */
function quantiseHigh(difference: number, step: number): number {
  const size = difference < 0 ? ~difference : difference;
  const outer = size >= (564 * step) >> 12;
  if (difference < 0) return outer ? 0 : 1;
  return outer ? 2 : 3;
}

function lowBand(): SubBand {
  return new SubBand(32, 8, MAX_LOG_LOW);
}

function highBand(): SubBand {
  return new SubBand(8, 10, MAX_LOG_HIGH);
}

function qmfTap(n: number): number {
  return QMF[Math.min(n, QMF_TAPS - 1 - n)]!;
}

/** Of 16-bit fractions. */
function multiply(a: number, b: number): number {
  return Math.imul(a, b) >> 15;
}

/** To 16 bits. */
function saturate(value: number): number {
  return Math.max(-32768, Math.min(32767, value));
}

/** LIMIT: to 15 bits. */
function limit(value: number): number {
  return Math.max(-16384, Math.min(16383, value));
}
