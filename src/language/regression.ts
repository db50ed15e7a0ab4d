import { SharedThread } from './event-loop.js';

/** Nesterov descent on all rows at once; more rounds change no verdict in bench/topics. */
const ROUNDS = 60;
/** Bold, and reaches the minimum all the same: tried with 2 to 150 topics and kernels whose diagonal is at most 6. */
const STEP = 10;
/** The more classes the less each weighs in the loss: from here on steps are longer, up to four times, and rounds fewer. */
const FEW_CLASSES = 16;
const LONGEST_STRIDE = 4;

/** Shares in each class's score of each example: `size` x `classes`, row by row. */
export interface Regression {
  classes: number;
  shares: Float32Array;
}

/**
 * Multinomial logistic regression with an L2 penalty, in its kernel form. Each class counts the same, however many
 * rows it has. A hundred classes take a second or more: other work of the thread goes on meanwhile.
 *
 * @param kernel likeness of each row to each, `size` x `size`
 * @param labels the class of each row
 * @param penalty per row, on half the squared weights
 */
export async function regress(
  kernel: Float32Array,
  labels: Int32Array,
  classes: number,
  penalty: number,
): Promise<Regression> {
  const size = labels.length;
  const weights = classWeights(labels, classes);
  const decay = penalty / Math.max(1, size);
  let shares = new Float32Array(size * classes);
  const ahead = new Float32Array(size * classes);
  const thread = new SharedThread();
  const stride = Math.min(LONGEST_STRIDE, Math.max(1, classes / FEW_CLASSES));
  const step = STEP * stride;
  const rounds = Math.ceil(ROUNDS / Math.sqrt(stride));
  for (let round = 0; round < rounds; round++) {
    const next = new Float32Array(size * classes);
    const momentum = round / (round + 3);
    for (let row = 0; row < size; row++) {
      if (thread.isOthersTurn) await thread.letOthers();
      const label = labels[row] ?? 0;
      const errors = softmax(scoresOf({ classes, shares: ahead }, kernel.subarray(row * size, (row + 1) * size)));
      errors[label] = (errors[label] ?? 0) - 1;
      const weight = weights[label] ?? 0;
      for (let at = 0; at < classes; at++) {
        const now = ahead[row * classes + at] ?? 0;
        next[row * classes + at] = now - step * (weight * (errors[at] ?? 0) + decay * now);
      }
    }
    for (let at = 0; at < next.length; at++) {
      const now = next[at] ?? 0;
      ahead[at] = now + momentum * (now - (shares[at] ?? 0));
    }
    shares = next;
  }
  return { classes, shares };
}

/** One score per class, before the softmax, of a text by its likeness to each example. */
export function scoresOf({ classes, shares }: Regression, likeness: Float32Array): Float64Array {
  const scores = new Float64Array(classes);
  let row = 0;
  // Four examples at a time: fewer reads and writes of the sums.
  for (; row + 4 <= likeness.length; row += 4) {
    const a = likeness[row] ?? 0;
    const b = likeness[row + 1] ?? 0;
    const c = likeness[row + 2] ?? 0;
    const d = likeness[row + 3] ?? 0;
    let i = row * classes;
    for (let at = 0; at < classes; at++, i++) {
      const sum =
        a * (shares[i] ?? 0) +
        b * (shares[i + classes] ?? 0) +
        c * (shares[i + 2 * classes] ?? 0) +
        d * (shares[i + 3 * classes] ?? 0);
      scores[at] = (scores[at] ?? 0) + sum;
    }
  }
  for (; row < likeness.length; row++) {
    const factor = likeness[row] ?? 0;
    for (let at = 0; at < classes; at++) {
      scores[at] = (scores[at] ?? 0) + factor * (shares[row * classes + at] ?? 0);
    }
  }
  return scores;
}

export function softmax(scores: Float64Array): Float64Array {
  const highest = scores.reduce((best, score) => Math.max(best, score), Number.NEGATIVE_INFINITY);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function classWeights(labels: Int32Array, classes: number): Float64Array {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count > 0 ? 1 / (count * present) : 0));
}
