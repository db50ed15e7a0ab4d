import { openSession } from '../../inference/onnx.js';
import { type InferenceSession, Tensor } from '../../inference/runtime.js';
import type { WordStates } from './endpoint-model.js';
import { modelFile, Tokeniser } from './tokeniser.js';
import { wordsOf } from './words.js';

/** What is known of a burst of the caller's voice while the agent speaks. */
export interface InterruptionInput {
  /** The words heard since its onset. */
  words: string;
  /** Since its onset, ms. */
  elapsedMs: number;
  /** The caller's voice goes on. */
  speaking: boolean;
  /** What the agent is saying, up to now. */
  agent: string;
  /** Since the end of the last word heard (of the onset when none is), ms; left out where words have no times. */
  sinceLastWordMs?: number;
}

const CALLER = { words: 16, pieces: 32 };
const AGENT = { words: 16, pieces: 28 };
/** Up to here the decoder's state counts nothing in the graph, nor does it without words. */
const EARLY_MS = 300;

/**
 * How likely a burst of the caller's voice takes the floor, rather than being a listener's "uh-huh" or a filler: small
 * recurrent nets over the words and heads on what the recogniser's decoder knows of them (models/turns/README.md), some
 * ms on one thread. Belongs in a speech worker, since it computes on the thread that calls it.
 */
export class InterruptionModel {
  private constructor(
    private readonly session: InferenceSession,
    private readonly tokeniser: Tokeniser,
    private readonly language: WordStates,
    /** A state where none counts. */
    private readonly any: Float32Array,
  ) {}

  /** @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE */
  static async load(language: WordStates): Promise<InterruptionModel> {
    const [any] = await language.states([], ['uh']);
    if (!any) throw new Error('the decoder gave no state');
    const session = await openSession(() => modelFile('interruption.onnx'));
    return new InterruptionModel(session, Tokeniser.load(), language, any);
  }

  /** P(real interruption), 0 to 1. */
  async probability(input: InterruptionInput): Promise<number> {
    const { heard, ids, numbers } = interruptionFeatures(this.tokeniser, input);
    const counts = heard.length > 0 && input.elapsedMs > EARLY_MS;
    // Without the agent's words, which would more than double the time.
    const state = (counts ? (await this.language.states([], heard)).at(-1) : undefined) ?? this.any;
    const { probability } = await this.session.run({
      ids: new Tensor('int64', BigInt64Array.from(ids, BigInt)),
      numbers: new Tensor('float32', Float32Array.from(numbers), [1, numbers.length]),
      state: new Tensor('float32', state, [1, state.length]),
    });
    return Number(probability?.data[0]);
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

/** The model's input. The numbers: time, still speaking, time since a word, no times, count of words, no words. */
export function interruptionFeatures(
  tokeniser: Tokeniser,
  { words, elapsedMs, speaking, agent, sinceLastWordMs }: InterruptionInput,
): { heard: string[]; ids: number[]; numbers: number[] } {
  const heard = wordsOf(words).slice(-CALLER.words);
  const ids = [
    ...tokeniser.encode(wordsOf(agent).slice(-AGENT.words), AGENT.pieces),
    tokeniser.special('end'),
    ...tokeniser.encode(heard, CALLER.pieces),
  ];
  const since = Math.min((sinceLastWordMs ?? 0) / 1000, 1);
  const numbers = [
    Math.min(elapsedMs / 1000, 3) - 0.6,
    Number(speaking),
    Math.max(since, 0),
    Number(sinceLastWordMs === undefined),
    Math.min(heard.length, 6) / 3 - 0.5,
    Number(heard.length === 0),
  ];
  return { heard, ids, numbers };
}
