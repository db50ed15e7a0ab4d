import { Lexicon } from './lexical.js';
import { type Regression, regress, scoresOf, softmax } from './regression.js';
import { plainWords } from './tokeniser.js';

/** A topic as an agent file has it. */
export interface TopicExamples {
  name: string;
  examples: readonly string[];
}

/** How well a topic fits; the same shape as the agent's own classifiers give. */
export interface ScoredTopic {
  topic: string;
  /** 0 to 1: the chance that the text belongs to this topic. */
  score: number;
}

/** Turns texts into vectors of unit length: TopicEncoder.embed, or a message to the worker that has one. */
export type Embed = (texts: readonly string[]) => Promise<Float32Array[]>;

const PENALTY = 0.1;
/** Vectors remembered for `classify`: the words so far of a few turns. */
const REMEMBERED = 16;
/** Chance of being in scope from which a topic may be acted on. */
const THRESHOLD = 0.5;

/** How in-scope is judged: weights of the evidence, set by hand and not yet calibrated: at 0.5 nearly everything is in scope. */
interface Calibration {
  logit: number;
  near: number;
  alike: number;
  bias: number;
}
const WITH_VECTOR: Calibration = { logit: 0.8, near: 8, alike: 2, bias: -6.5 };
const LEXICAL_ONLY: Calibration = { logit: 0.9, near: 0, alike: 4, bias: -3.5 };

/**
 * Topics from a few example phrases each. Nothing is trained beforehand but the encoder: a logistic regression on the
 * encoder's vectors beside TF-IDF is fitted from the examples when the agent file is loaded (some tens of ms for
 * ten topics, some seconds for a hundred). A text is out of scope when no score reaches the threshold:
 * the best class is weak, or nothing like it stands among the examples.
 *
 * `classify` is synchronous and needs no model at hand: whoever has the text's vector gives it first with
 * {@link remember}; of a text whose vector is not known, the words alone are judged.
 */
export class FewShotTopics {
  readonly threshold = THRESHOLD;
  readonly #names: readonly string[];
  readonly #labels: Int32Array;
  readonly #lexicon: Lexicon;
  readonly #examples: readonly Float32Array[];
  readonly #full: Regression;
  readonly #vectors = new Map<string, Float32Array>();
  #lexical: Regression | undefined;

  private constructor(
    names: readonly string[],
    labels: Int32Array,
    lexicon: Lexicon,
    examples: readonly Float32Array[],
  ) {
    this.#names = names;
    this.#labels = labels;
    this.#lexicon = lexicon;
    this.#examples = examples;
    const words = lexicon.kernel();
    const size = labels.length;
    for (let row = 0; row < size; row++) {
      const vector = examples[row];
      for (let at = 0; vector && at < size; at++) {
        const index = row * size + at;
        words[index] = (words[index] ?? 0) + dot(vector, examples[at] ?? vector);
      }
    }
    this.#full = regress(words, labels, this.#classes, PENALTY);
  }

  /**
   * @param background texts that belong to no topic, learnt as the other side of all
   * @throws whatever `embed` throws
   */
  static async fit(
    topics: readonly TopicExamples[],
    embed: Embed,
    background: readonly string[] = [],
  ): Promise<FewShotTopics> {
    const rows = topics.flatMap(({ examples }, label) => examples.map((text) => ({ text, label })));
    rows.push(...background.map((text) => ({ text, label: topics.length })));
    const texts = rows.map(({ text }) => text);
    const labels = Int32Array.from(rows, ({ label }) => label);
    const names = topics.map(({ name }) => name);
    return new FewShotTopics(names, labels, new Lexicon(texts), await embed(texts));
  }

  /** Keeps the vector of a text that may soon be classified. The oldest is forgotten. */
  remember(text: string, vector: Float32Array): void {
    this.#vectors.delete(text);
    this.#vectors.set(text, vector);
    for (const oldest of this.#vectors.keys()) {
      if (this.#vectors.size <= REMEMBERED) return;
      this.#vectors.delete(oldest);
    }
  }

  /** The topics, best first. */
  classify(text: string): ScoredTopic[] {
    if (plainWords(text).length === 0) return this.#names.map((topic) => ({ topic, score: 0 }));
    const vector = this.#vectors.get(text);
    const words = this.#lexicon.likeness(text);
    const meaning = vector && Float32Array.from(this.#examples, (example) => dot(vector, example));
    const chances = meaning ? this.#judge(words, meaning) : this.#judgeWords(words);
    const scored = this.#names.map((topic, at) => ({ topic, score: chances[at] ?? 0 }));
    return scored.sort((a, b) => b.score - a.score);
  }

  #judge(words: Float32Array, meaning: Float32Array): Float64Array {
    const both = words.map((value, at) => value + (meaning[at] ?? 0));
    const evidence =
      WITH_VECTOR.bias + WITH_VECTOR.alike * this.#nearest(words) + WITH_VECTOR.near * this.#nearest(meaning);
    return chancesOf(scoresOf(this.#full, both), evidence, WITH_VECTOR.logit);
  }

  #judgeWords(words: Float32Array): Float64Array {
    this.#lexical ??= regress(this.#lexicon.kernel(), this.#labels, this.#classes, PENALTY);
    const evidence = LEXICAL_ONLY.bias + LEXICAL_ONLY.alike * this.#nearest(words);
    return chancesOf(scoresOf(this.#lexical, words), evidence, LEXICAL_ONLY.logit);
  }

  /** One more than the topics when there is a background. */
  get #classes(): number {
    return Math.max(this.#names.length, ...this.#labels.map((label) => label + 1));
  }

  /** Likeness to the example of a topic that is most alike. */
  #nearest(likeness: Float32Array): number {
    let best = 0;
    for (let at = 0; at < likeness.length; at++) {
      if ((this.#labels[at] ?? 0) < this.#names.length) best = Math.max(best, likeness[at] ?? 0);
    }
    return best;
  }
}

/**
 * The chance that the text is in scope, shared out so that the best class keeps all of it: what is acted on is the
 * best topic, and several alike topics must not make a text out of scope.
 */
function chancesOf(scores: Float64Array, evidence: number, weight: number): Float64Array {
  const chances = softmax(scores);
  const best = chances.reduce((most, chance) => Math.max(most, chance), 0);
  const highest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const inside = 1 / (1 + Math.exp(-evidence - weight * highest));
  return chances.map((chance) => (inside * chance) / best);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}
