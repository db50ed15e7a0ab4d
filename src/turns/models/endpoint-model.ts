import { openSession } from '../../inference/onnx.js';
import { type InferenceSession, Tensor } from '../../inference/runtime.js';
import { digitsIn } from '../../text/digits.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import { modelFile, Tokeniser } from './tokeniser.js';
import { wordsOf } from './words.js';

/** What the endpointing model judges by. */
export interface EndpointInput {
  /** The caller's words of this turn so far, as recognised. */
  words: string;
  /** The agent's last sentence; empty when there is none. */
  agent: string;
  expected: ExpectedAnswer;
}

/** What a language model knows after each word of the caller's; see `DecoderLanguage`. */
export interface WordStates {
  states(before: readonly string[], words: readonly string[]): Promise<Float32Array[]>;
}

/** As the training code numbers them. */
const KINDS = ['open', 'yes-no', 'digits', 'spelling', 'email', 'name', 'date', 'digits-short', 'digits-whole'];

/** The last words that count, and the most pieces they may have: as in training. */
const CALLER = { words: 48, pieces: 80 };
const AGENT = { words: 16, pieces: 28 };

/**
 * How likely the caller's turn is finished, from its words: one small recurrent net of our own and a head on what the
 * recogniser's decoder knows (models/turns/README.md), some ms on one thread. Belongs in a speech worker, since it
 * computes on the thread that calls it.
 */
export class EndpointModel {
  private constructor(
    private readonly session: InferenceSession,
    private readonly tokeniser: Tokeniser,
    private readonly language: WordStates,
  ) {}

  /** @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE */
  static async load(language: WordStates): Promise<EndpointModel> {
    return new EndpointModel(await openSession(() => modelFile('endpoint.onnx')), Tokeniser.load(), language);
  }

  /**
   * P(turn finished) at a pause after these words, 0 to 1, calibrated for pauses that are as often ends as not;
   * 0.5 without words.
   */
  async probability(input: EndpointInput): Promise<number> {
    const heard = heardOf(input);
    const ids = endpointIds(this.tokeniser, heard);
    const state = ids && (await this.language.states(heard.agent, heard.caller)).at(-1);
    if (!ids || !state) return 0.5;
    const { probability } = await this.session.run({
      ids: new Tensor('int64', BigInt64Array.from(ids, BigInt)),
      state: new Tensor('float32', state, [1, state.length]),
      kind: new Tensor('int64', BigInt64Array.of(BigInt(KINDS.indexOf(heard.kind)))),
    });
    return Number(probability?.data[0]);
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

/** What both halves of the model are told, in words. */
interface Heard {
  agent: string[];
  caller: string[];
  kind: string;
}

/** The last words of both, and the kind of answer. */
export function heardOf({ words, agent, expected }: EndpointInput): Heard {
  return {
    agent: wordsOf(agent).slice(-AGENT.words),
    caller: wordsOf(words).slice(-CALLER.words),
    kind: kindOf(words, expected),
  };
}

/** The net's input: the agent's words, the kind of answer, the caller's words. Undefined without words. */
export function endpointIds(tokeniser: Tokeniser, { agent, caller, kind }: Heard): number[] | undefined {
  if (caller.length === 0) return undefined;
  return [
    ...tokeniser.encode(agent, AGENT.pieces),
    tokeniser.special(kind),
    ...tokeniser.encode(caller, CALLER.pieces),
  ];
}

/** The model is told whether a number whose length is known has it already: counting is not what it is good at. */
function kindOf(words: string, expected: ExpectedAnswer): string {
  if (expected.kind !== 'digits' || expected.length === undefined) return expected.kind;
  const heard = digitsIn(words, { asked: true, lengths: [expected.length] }).length;
  return heard >= expected.length ? 'digits-whole' : 'digits-short';
}
