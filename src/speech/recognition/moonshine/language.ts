import { openSession } from '../../../inference/onnx.js';
import { cutBranch } from '../../../inference/onnx-file.js';
import { type InferenceSession, Tensor } from '../../../inference/runtime.js';
import { type Encoded, weights } from './model.js';
import { tokensOf } from './tokens.js';

/** Numbers that a layer makes of a token. */
export const LAYER_WIDTH = 288;
/** The last layer, normalised, and the fourth and fifth of the six. */
const LAYERS = ['norm/Mul_output_0', 'layers.3/Add_2_output_0', 'layers.4/Add_2_output_0'].map(
  (name) => `/model/decoder/${name}`,
);
const BEGIN = 1;
/** Numbers in a state. */
const STATE_WIDTH = LAYERS.length * LAYER_WIDTH;

/**
 * The recogniser's decoder as a language model: what it makes of words when all that it hears is quiet. It was trained
 * on far more speech, hesitations and all, than the turns that can be had to train on.
 *
 * `states` computes on the calling thread, some ms.
 */
export class DecoderLanguage {
  private constructor(
    private readonly session: InferenceSession,
    private readonly quiet: Encoded,
  ) {}

  /**
   * @param encode the recogniser's encoder; only used here
   * @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE
   */
  static async load(encode: (pcm: Float32Array) => Promise<Encoded>): Promise<DecoderLanguage> {
    const session = await decoderLayers(LAYERS);
    return new DecoderLanguage(session, await encode(hiss()));
  }

  /**
   * What the decoder knows after each word of the caller's, all layers in a row. All words lower case a-z, without
   * punctuation and apostrophes.
   *
   * @param before what the agent said last
   */
  async states(before: readonly string[], words: readonly string[]): Promise<Float32Array[]> {
    const tokens = [BEGIN, ...sentence(before)];
    const ends = words.map((word, at) => tokens.push(...tokensOf(written(word, at === 0), true)) - 1);
    const ids = BigInt64Array.from(tokens, BigInt);
    const feeds = { input_ids: new Tensor('int64', ids, [1, ids.length]), encoder_hidden_states: this.quiet };
    const result = await this.session.run(feeds);
    return ends.map((end) => {
      const state = new Float32Array(STATE_WIDTH);
      for (const [at, name] of LAYERS.entries()) {
        const layer = result[name]?.data;
        if (!(layer instanceof Float32Array)) throw new Error(`the decoder gave no ${name}`);
        state.set(layer.subarray(end * LAYER_WIDTH, (end + 1) * LAYER_WIDTH), at * LAYER_WIDTH);
      }
      return state;
    });
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}

/**
 * What the decoder makes of `input_ids` in the layers named, with `encoder_hidden_states` heard: without the vocabulary,
 * which costs more than all the rest, and without what keeps the caches.
 *
 * @param layers names of outputs, each of {@link LAYER_WIDTH} numbers a token
 * @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE
 */
export function decoderLayers(layers: readonly string[]): Promise<InferenceSession> {
  return openSession(weights('decoder_model_merged.onnx'), {
    keepQuantised: true,
    rewrite: (file) =>
      cutBranch(file, {
        branch: 'else_branch',
        inputs: ['input_ids', 'encoder_hidden_states'],
        outputs: Object.fromEntries(layers.map((name) => [name, ['batch', 'time', LAYER_WIDTH]])),
      }),
  });
}

/** A second of the faintest noise: on digital silence the encoder is not at home. */
export function hiss(): Float32Array {
  let seed = 1;
  return Float32Array.from({ length: 16_000 }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed / 0x7fffffff - 0.5) * 0.002;
  });
}

function sentence(words: readonly string[]): number[] {
  return words.flatMap((word, at) => tokensOf(written(word, at === 0) + (at === words.length - 1 ? '.' : ''), true));
}

/** As the decoder would have written it: words come without capitals and apostrophes. */
function written(word: string, first: boolean): string {
  const text = word === 'i' ? 'I' : contraction(word);
  return first ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

const CONTRACTIONS = new Map(
  (
    "I'm I've I'd I'll don't didn't isn't that's it's can't won't you're they're we've doesn't wasn't there's what's " +
    "wouldn't couldn't haven't let's you've they've he's she's hasn't aren't shouldn't weren't"
  )
    .split(' ')
    .map((text) => [text.replace("'", '').toLowerCase(), text]),
);

function contraction(word: string): string {
  return CONTRACTIONS.get(word) ?? word;
}
