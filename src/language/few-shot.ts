import { SharedThread } from './event-loop.js';
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
/** How much likeness of meaning counts beside that of words and that of letters. */
const MEANING = 4;
/** How much a topic's nearest example counts beside what the regression makes of all. */
const NEAREST = 0.5;
/** Chance of being in scope from which a topic may be acted on. */
const THRESHOLD = 0.5;

/**
 * What tells that a text is in scope, and how much: fitted by models/topics/calibrate.py on agents of 6 to 60 topics
 * made from two sets that the encoder has not read, with both outcomes weighted the same.
 */
const SCOPE = { bias: -3.17, odds: 0.318, score: 0.531, near: 1.166, background: -0.27, topics: -0.528 };
const MOST_ODDS = 8;

/**
 * Topics from a few example phrases each. Nothing is trained beforehand but the encoder: a logistic regression on the
 * encoder's vectors beside TF-IDF is fitted from the examples when the agent file is loaded (some tens of ms for
 * ten topics, two or three seconds for a hundred, in turns with the thread's other work). A topic's name is one more example.
 * A text is out of scope when no score reaches the threshold: the best class is weak, nothing like it stands among the
 * examples, or it is more like what people say of anything.
 */
export class FewShotTopics {
  readonly threshold = THRESHOLD;

  private constructor(
    private readonly names: readonly string[],
    private readonly examples: Examples,
    private readonly regression: Regression,
  ) {}

  /**
   * @param background texts that belong to no topic
   * @throws whatever `embed` throws
   */
  static async fit(
    topics: readonly TopicExamples[],
    embed: Embed,
    background: readonly string[] = [],
  ): Promise<FewShotTopics> {
    const rows = topics.flatMap(({ name, examples }, label) =>
      [...examples, nameWords(name)].map((text) => ({ text, label })),
    );
    const known = rows.filter(({ text }) => plainWords(text).length > 0);
    const texts = [...known.map(({ text }) => text), ...background];
    const labels = Int32Array.from(known, ({ label }) => label);
    const examples = new Examples(labels, new Lexicon(texts), await embed(texts));
    const names = topics.map(({ name }) => name);
    const regression = await regress(await examples.kernel(), labels, names.length, PENALTY);
    return new FewShotTopics(names, examples, regression);
  }

  /** The topics, best first. @param vector the encoder's of this text */
  classify(text: string, vector: Float32Array): ScoredTopic[] {
    if (plainWords(text).length === 0) return this.names.map((topic) => ({ topic, score: 0 }));
    const { labels } = this.examples;
    const likeness = this.examples.likeness(text, vector);
    const toExamples = likeness.subarray(0, labels.length);
    const scores = scoresOf(this.regression, toExamples);
    const chances = softmax(this.#nearest(toExamples).map((near, at) => (scores[at] ?? 0) + NEAREST * near));
    const best = most(chances);
    const odds = Math.log(best / Math.max(1e-9, 1 - best));
    const evidence =
      SCOPE.bias +
      SCOPE.odds * Math.max(-MOST_ODDS, Math.min(MOST_ODDS, odds)) +
      SCOPE.score * most(scores) +
      SCOPE.near * most(toExamples) +
      SCOPE.background * most(likeness.subarray(labels.length)) +
      SCOPE.topics * Math.log(this.names.length);
    const inside = 1 / (1 + Math.exp(-evidence));
    // The best class keeps all of it: several alike topics must not make a text out of scope.
    const scored = this.names.map((topic, at) => ({ topic, score: (inside * (chances[at] ?? 0)) / best }));
    return scored.sort((a, b) => b.score - a.score);
  }

  /** Of each topic, the likeness to its nearest example. */
  #nearest(likeness: Float32Array): Float64Array {
    const nearest = new Float64Array(this.names.length);
    this.examples.labels.forEach((label, row) => {
      nearest[label] = Math.max(nearest[label] ?? 0, likeness[row] ?? 0);
    });
    return nearest;
  }
}

/** What a text is held against: the topics' examples, then the background. */
class Examples {
  constructor(
    /** Of each example the number of its topic. */
    readonly labels: Int32Array,
    private readonly lexicon: Lexicon,
    private readonly vectors: readonly Float32Array[],
  ) {}

  /** To each example and background text, up to 6: words, letters, meaning. */
  likeness(text: string, vector: Float32Array): Float32Array {
    return this.lexicon.likeness(text).map((words, at) => this.near(words, vector, at));
  }

  private near(words: number, vector: Float32Array, at: number): number {
    return words + MEANING * dot(vector, this.vectors[at] ?? vector);
  }

  /** Of each example to each, which is symmetric. */
  async kernel(): Promise<Float32Array> {
    const size = this.labels.length;
    const rows = new Float32Array(size * size);
    const thread = new SharedThread();
    for (let row = 0; row < size; row++) {
      if (thread.isOthersTurn) await thread.letOthers();
      const vector = this.vectors[row] ?? new Float32Array();
      const words = this.lexicon.likeness(this.lexicon.texts[row] ?? '');
      for (let at = 0; at <= row; at++) {
        const value = this.near(words[at] ?? 0, vector, at);
        rows[row * size + at] = value;
        rows[at * size + row] = value;
      }
    }
    return rows;
  }
}

/** "order-status" as it would be said. */
function nameWords(name: string): string {
  return name.replace(/[_.:/-]+/g, ' ').replace(/(?<=\p{Ll})(?=\p{Lu})/gu, ' ');
}

function most(values: Float32Array | Float64Array): number {
  let best = values[0] ?? 0;
  for (const value of values) if (value > best) best = value;
  return best;
}

/** Of vectors whose length is a multiple of four; four sums at a time, so that none waits for the last. */
function dot(a: Float32Array, b: Float32Array): number {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (let at = 0; at < a.length; at += 4) {
    first += (a[at] ?? 0) * (b[at] ?? 0);
    second += (a[at + 1] ?? 0) * (b[at + 1] ?? 0);
    third += (a[at + 2] ?? 0) * (b[at + 2] ?? 0);
    fourth += (a[at + 3] ?? 0) * (b[at + 3] ?? 0);
  }
  return first + second + third + fourth;
}
