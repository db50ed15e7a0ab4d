/*
 * The echo path from a few hundred milliseconds: least squares with a prior on every tap whose width is learnt from the
 * data (sparse Bayesian learning, Tipping 2001), so that what one vowel tells of a line that merely delays holds for the
 * next consonant, too, and a room is still a room. The normal equations are those of the covariance method; they are
 * solved by conjugate gradients.
 */

/** Taps of an estimate, a multiple of four. */
export const PATH_TAPS = 160;
const ROUNDS = 3;
const ITERATIONS = 10;
/** Noise of the line, as a share of what comes back: that of G.711, and of what no filter explains. */
const NOISE = 1e-3;
/** When so much is not explained after a round, the others would not help. */
const HOPELESS = 0.7;
/** Mean square of samples that is noise on any line. */
const LEAST_NOISE = 60;
/** Decay of the first prior from the main tap on, per tap. */
const DECAY = 0.97;

const covariance = new Float64Array(PATH_TAPS * PATH_TAPS);
const cross = new Float64Array(PATH_TAPS);
const variance = new Float64Array(PATH_TAPS);
const scale = new Float64Array(PATH_TAPS);
const solution = new Float64Array(PATH_TAPS);
const residual = new Float64Array(PATH_TAPS);
const direction = new Float64Array(PATH_TAPS);
const product = new Float64Array(PATH_TAPS);
const scaled = new Float64Array(PATH_TAPS);

/**
 * @param near what came back
 * @param far what was played, {@link PATH_TAPS} - 1 samples more: near[n] is the sum of taps[k] * far[n + PATH_TAPS - 1 - k]
 * @param main where the strongest tap is expected
 * @param taps filled with the estimate
 * @returns share of the near end's energy that it explains
 */
export function estimatePath(near: Float32Array, far: Float32Array, main: number, taps: Float32Array): number {
  const power = correlate(near, far);
  const farPower = covariance[0]!;
  taps.fill(0);
  if (farPower <= 0 || power <= 0) return 0;
  const least = NOISE * power + LEAST_NOISE * near.length;
  let perSample = least / near.length;
  let left = power;
  for (let k = 0; k < PATH_TAPS; k++) {
    variance[k] = (power / farPower) * Math.max(1e-4, k < main ? 0.3 * DECAY ** (4 * (main - k)) : DECAY ** (k - main));
  }
  solution.fill(0);
  for (let round = 0; round < ROUNDS; round++) {
    for (let k = 0; k < PATH_TAPS; k++) scale[k] = Math.sqrt(variance[k]! / perSample);
    solve();
    left = power;
    for (let k = 0; k < PATH_TAPS; k++) {
      const tap = scale[k]! * solution[k]!;
      taps[k] = tap;
      left -= tap * cross[k]!;
      const posterior = 1 / (covariance[k * (PATH_TAPS + 1)]! / perSample + 1 / variance[k]!);
      const next = tap * tap + posterior;
      solution[k] = solution[k]! * Math.sqrt(variance[k]! / next);
      variance[k] = next;
    }
    // What is not explained yet is noise, or the caller: the next round trusts the data as much less.
    perSample = Math.max(least, left) / near.length;
    if (left > HOPELESS * power) break;
  }
  return 1 - left / power;
}

/** Fills the normal equations; returns the energy of the near end. */
function correlate(near: Float32Array, far: Float32Array): number {
  const length = near.length;
  const last = PATH_TAPS - 1;
  let power = 0;
  for (let n = 0; n < length; n++) power += near[n]! * near[n]!;
  for (let k = 0; k < PATH_TAPS; k += 4) correlateFour(near, far, k);
  // Each diagonal follows from its first element: one sample enters, one leaves.
  for (let i = 1; i < PATH_TAPS; i++) {
    for (let j = i; j < PATH_TAPS; j++) {
      const enters = far[last - i]! * far[last - j]!;
      const leaves = far[last + length - i]! * far[last + length - j]!;
      covariance[i * PATH_TAPS + j] = covariance[(i - 1) * PATH_TAPS + j - 1]! + enters - leaves;
    }
  }
  for (let i = 1; i < PATH_TAPS; i++) {
    for (let j = 0; j < i; j++) covariance[i * PATH_TAPS + j] = covariance[j * PATH_TAPS + i]!;
  }
  return power;
}

/**
 * The first row of the covariance, and the cross-correlation, at four lags from `k` on. One sum waits for its own last
 * addition; four side by side take hardly longer than one.
 */
function correlateFour(near: Float32Array, far: Float32Array, k: number): void {
  let [auto0, auto1, auto2, auto3] = [0, 0, 0, 0];
  let [both0, both1, both2, both3] = [0, 0, 0, 0];
  const { length } = near;
  for (let n = 0, now = PATH_TAPS - 1, then = now - k; n < length; n++, now++, then++) {
    const x = far[now]!;
    const y = near[n]!;
    const past0 = far[then]!;
    const past1 = far[then - 1]!;
    const past2 = far[then - 2]!;
    const past3 = far[then - 3]!;
    auto0 += x * past0;
    auto1 += x * past1;
    auto2 += x * past2;
    auto3 += x * past3;
    both0 += y * past0;
    both1 += y * past1;
    both2 += y * past2;
    both3 += y * past3;
  }
  covariance[k] = auto0;
  covariance[k + 1] = auto1;
  covariance[k + 2] = auto2;
  covariance[k + 3] = auto3;
  cross[k] = both0;
  cross[k + 1] = both1;
  cross[k + 2] = both2;
  cross[k + 3] = both3;
}

/** Conjugate gradients for (S R S + I) u = S r, from the `solution` so far. */
function solve(): void {
  apply(solution);
  let square = 0;
  for (let k = 0; k < PATH_TAPS; k++) {
    const left = scale[k]! * cross[k]! - product[k]!;
    residual[k] = left;
    direction[k] = left;
    square += left * left;
  }
  for (let n = 0; n < ITERATIONS && square > 1e-12; n++) {
    apply(direction);
    let curvature = 0;
    for (let k = 0; k < PATH_TAPS; k++) curvature += direction[k]! * product[k]!;
    const step = square / curvature;
    let next = 0;
    for (let k = 0; k < PATH_TAPS; k++) {
      solution[k] = solution[k]! + step * direction[k]!;
      const left = residual[k]! - step * product[k]!;
      residual[k] = left;
      next += left * left;
    }
    const turn = next / square;
    square = next;
    for (let k = 0; k < PATH_TAPS; k++) direction[k] = residual[k]! + turn * direction[k]!;
  }
}

/** product = (S R S + I) vector. */
function apply(vector: Float64Array): void {
  for (let j = 0; j < PATH_TAPS; j++) scaled[j] = scale[j]! * vector[j]!;
  for (let i = 0; i < PATH_TAPS; i += 4) {
    let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
    let row = i * PATH_TAPS;
    for (let j = 0; j < PATH_TAPS; j++, row++) {
      const value = scaled[j]!;
      sum0 += covariance[row]! * value;
      sum1 += covariance[row + PATH_TAPS]! * value;
      sum2 += covariance[row + 2 * PATH_TAPS]! * value;
      sum3 += covariance[row + 3 * PATH_TAPS]! * value;
    }
    product[i] = scale[i]! * sum0 + vector[i]!;
    product[i + 1] = scale[i + 1]! * sum1 + vector[i + 1]!;
    product[i + 2] = scale[i + 2]! * sum2 + vector[i + 2]!;
    product[i + 3] = scale[i + 3]! * sum3 + vector[i + 3]!;
  }
}
