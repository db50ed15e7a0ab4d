import type { SparseVector } from './lexical.js';

/** Full-batch Nesterov descent; more rounds change no verdict in the bench. */
const ROUNDS = 120;
/** Of the inverse of the squared length of a row, which bounds the curvature. */
const STEP = 12;

/** A row to learn: sparse features and its class. */
export interface Row {
  vector: SparseVector;
  label: number;
}

/**
 * Multinomial logistic regression with an L2 penalty. Each class counts the same, however many rows it has.
 *
 * @param penalty per row, on half the squared weights
 * @returns `classes` weights per feature, feature by feature; the last feature is the bias
 */
export function regress(rows: readonly Row[], classes: number, size: number, penalty: number): Float64Array {
  const length = (size + 1) * classes;
  let weights = new Float64Array(length);
  const ahead = new Float64Array(length);
  const gradient = new Float64Array(length);
  const shares = classShares(rows, classes);
  const decay = penalty / Math.max(1, rows.length);
  for (let round = 0; round < ROUNDS; round++) {
    gradient.fill(0);
    for (const { vector, label } of rows) {
      const errors = softmax(scoresOf(ahead, classes, vector));
      errors[label] = (errors[label] ?? 0) - 1;
      addOuter(gradient, classes, vector, errors, shares[label] ?? 0);
    }
    const next = new Float64Array(length);
    const momentum = round / (round + 3);
    for (let at = 0; at < length; at++) {
      const now = ahead[at] ?? 0;
      next[at] = now - STEP * ((gradient[at] ?? 0) + decay * now);
    }
    for (let at = 0; at < length; at++) ahead[at] = (next[at] ?? 0) + momentum * ((next[at] ?? 0) - (weights[at] ?? 0));
    weights = next;
  }
  return weights;
}

/** One score per class, before the softmax. */
export function scoresOf(weights: Float64Array, classes: number, { index, value }: SparseVector): Float64Array {
  const scores = weights.slice(weights.length - classes);
  for (let at = 0; at < index.length; at++) {
    const start = (index[at] ?? 0) * classes;
    const factor = value[at] ?? 0;
    for (let label = 0; label < classes; label++) {
      scores[label] = (scores[label] ?? 0) + factor * (weights[start + label] ?? 0);
    }
  }
  return scores;
}

export function softmax(scores: Float64Array): Float64Array {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function classShares(rows: readonly Row[], classes: number): Float64Array {
  const counts = new Float64Array(classes);
  for (const { label } of rows) counts[label] = (counts[label] ?? 0) + 1;
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count > 0 ? 1 / (count * present) : 0));
}

function addOuter(
  gradient: Float64Array,
  classes: number,
  { index, value }: SparseVector,
  errors: Float64Array,
  share: number,
): void {
  const add = (start: number, factor: number): void => {
    for (let label = 0; label < classes; label++) {
      gradient[start + label] = (gradient[start + label] ?? 0) + factor * (errors[label] ?? 0);
    }
  };
  for (let at = 0; at < index.length; at++) add((index[at] ?? 0) * classes, share * (value[at] ?? 0));
  add(gradient.length - classes, share);
}
