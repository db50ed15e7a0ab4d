import { openSession } from '../../../inference/onnx.js';
import { type InferenceSession, type Outputs, Tensor, vendored } from '../../../inference/runtime.js';

/*
 * The shape of moonshine-tiny: an encoder over raw 16 kHz samples, and a decoder of 6 layers whose two graphs (without
 * and with a key-value cache) are merged into one file and chosen by `use_cache_branch`.
 */
const LAYERS = 6;
const HEADS = 8;
const HEAD_WIDTH = 36;
const VOCABULARY = 32768;
const BEGIN = 1;
export const END = 2;

const cacheNames = (side: 'decoder' | 'encoder') =>
  Array.from({ length: LAYERS }, (_, layer) => [`${layer}.${side}.key`, `${layer}.${side}.value`]).flat();
const DECODER_CACHE = cacheNames('decoder');
const ENCODER_CACHE = cacheNames('encoder');
const FIRST_FETCHES = ['logits', ...[...DECODER_CACHE, ...ENCODER_CACHE].map((name) => `present.${name}`)];
const NEXT_FETCHES = ['logits', ...DECODER_CACHE.map((name) => `present.${name}`)];

/** What the encoder made of a stretch of audio. */
export type Encoded = Tensor;

/** How to decode. */
export interface DecodeOptions {
  /** Tokens that are likely right: verified in the first pass and kept as far as they stand. */
  draft: readonly number[];
  maxTokens: number;
  /** The tokens that may follow those given; without it, any. */
  allowed?: ((tokens: readonly number[]) => Iterable<number>) | undefined;
  /** Asked after each token; true ends decoding there. */
  stop(hypothesis: Hypothesis): boolean;
}

/** One decoded token sequence. */
export interface Hypothesis {
  tokens: number[];
  /** Natural log-probability of each choice among all tokens; the last one is that of the end where it was reached. */
  logProbabilities: number[];
  /** How many draft tokens stood. */
  accepted: number;
}

/** A hypothesis with what its decoding left behind, from which others that begin like it can be judged. */
export interface Decoded extends Hypothesis {
  /** Scores of every token at each place: after none of the hypothesis' tokens, after the first, and so on. */
  readonly rows: Row[];
  /** Both caches, over the tokens that were fed. */
  readonly feeds: Record<string, Tensor>;
}

/** The scores of all tokens at one place. */
interface Row {
  logits: Float32Array;
  /** Where the row begins in them. */
  from: number;
  /** To be subtracted from a score to make a log-probability. */
  norm: number;
}

/** Log-probability of one token at one place. */
export function likelihood({ logits, from, norm }: Row, token: number): number {
  return logits[from + token]! - norm;
}

/** Moonshine-tiny (int8 weights of npm's `@moonshine-ai/moonshine-js`) with greedy decoding. */
export class MoonshineModel {
  private constructor(
    private readonly encoder: InferenceSession,
    private readonly decoder: InferenceSession,
  ) {}

  /** @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE */
  static async load(): Promise<MoonshineModel> {
    const encoder = await openSession(weights('encoder_model.onnx'), { keepQuantised: true });
    const decoder = await openSession(weights('decoder_model_merged.onnx'), { keepQuantised: true });
    return new MoonshineModel(encoder, decoder);
  }

  /** @param pcm mono 16 kHz in [-1, 1] */
  async encode(pcm: Float32Array): Promise<Encoded> {
    const result = await this.encoder.run({ input_values: new Tensor('float32', pcm, [1, pcm.length]) });
    return output(result, 'last_hidden_state');
  }

  /** The most likely words, token by token; the end is forbidden as first token, since it wins wrongly on short answers. */
  async decode(encoded: Encoded, options: DecodeOptions): Promise<Decoded> {
    const draft = options.draft.slice(0, options.maxTokens);
    const feeds = firstFeeds(encoded, draft);
    const first = await this.decoder.run(feeds, FIRST_FETCHES);
    const { next, ...hypothesis } = verify(floats(first, 'logits'), draft, options.allowed);
    for (const name of ENCODER_CACHE) feeds[`past_key_values.${name}`] = output(first, `present.${name}`);
    for (const name of DECODER_CACHE) {
      feeds[`past_key_values.${name}`] = shorten(output(first, `present.${name}`), hypothesis.accepted + 1);
    }
    feeds.use_cache_branch = flag(true);
    const decoded = { ...hypothesis, feeds };
    await this.continue(decoded, next, options);
    return decoded;
  }

  /**
   * How likely other tokens are in one pass, given that they begin as a decoded hypothesis does: a tenth of the cost of
   * decoding them one by one.
   *
   * @param tokens at least one more than `shared`
   * @param shared how many of them are the hypothesis' own; its caches hold those
   * @returns the rows after each token from `shared` on: the first tells what may follow `tokens[shared]`
   */
  async follow(decoded: Decoded, tokens: readonly number[], shared: number): Promise<Row[]> {
    const feeds: Record<string, Tensor> = { ...decoded.feeds, input_ids: ids(tokens.slice(shared)) };
    for (const name of DECODER_CACHE) {
      const cache = decoded.feeds[`past_key_values.${name}`];
      if (cache) feeds[`past_key_values.${name}`] = shorten(cache, shared + 1);
    }
    const logits = floats(await this.decoder.run(feeds, ['logits']), 'logits');
    return tokens.slice(shared).map((_, at) => rowOf(logits, at * VOCABULARY));
  }

  /** Frees both models. */
  async close(): Promise<void> {
    await this.encoder.release();
    await this.decoder.release();
  }

  private async continue(decoded: Decoded, first: number, { maxTokens, allowed, stop }: DecodeOptions): Promise<void> {
    const { tokens, logProbabilities, rows, feeds } = decoded;
    let next = first;
    while (next !== END && tokens.length < maxTokens) {
      tokens.push(next);
      if (stop(decoded)) return;
      feeds.input_ids = ids([next]);
      const result = await this.decoder.run(feeds, NEXT_FETCHES);
      const row = rowOf(floats(result, 'logits'), 0);
      next = choose(row, allowed?.(tokens), false);
      rows.push(row);
      logProbabilities.push(likelihood(row, next));
      for (const name of DECODER_CACHE) feeds[`past_key_values.${name}`] = output(result, `present.${name}`);
    }
  }
}

/** Where a file of the weights lies. */
export function weights(name: string): () => string {
  return () => vendored(`moonshine/${name}`);
}

function firstFeeds(encoded: Encoded, draft: readonly number[]): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {
    input_ids: ids([BEGIN, ...draft]),
    encoder_hidden_states: encoded,
    use_cache_branch: flag(false),
  };
  for (const name of [...DECODER_CACHE, ...ENCODER_CACHE]) {
    feeds[`past_key_values.${name}`] = new Tensor('float32', new Float32Array(0), [0, HEADS, 1, HEAD_WIDTH]);
  }
  return feeds;
}

/** The longest prefix of the draft that greedy decoding would have given, and the token after it. */
function verify(
  logits: Float32Array,
  draft: readonly number[],
  allowed: DecodeOptions['allowed'],
): Omit<Decoded, 'feeds'> & { next: number } {
  const logProbabilities: number[] = [];
  const rows: Row[] = [];
  for (let at = 0; ; at++) {
    const tokens = draft.slice(0, at);
    const row = rowOf(logits, at * VOCABULARY);
    const next = choose(row, allowed?.(tokens), at === 0);
    rows.push(row);
    logProbabilities.push(likelihood(row, next));
    if (at >= draft.length || draft[at] !== next) return { tokens, logProbabilities, accepted: at, rows, next };
  }
}

/** Logits this far below the best one add less than a ten-thousandth to the sum, all together. */
const NEGLIGIBLE = 20;

function rowOf(logits: Float32Array, from: number): Row {
  const end = from + VOCABULARY;
  let peak = -Infinity;
  for (let i = from; i < end; i++) if (logits[i]! > peak) peak = logits[i]!;
  const least = peak - NEGLIGIBLE;
  let sum = 0;
  for (let i = from; i < end; i++) {
    const logit = logits[i]!;
    if (logit > least) sum += Math.exp(logit - peak);
  }
  return { logits, from, norm: peak + Math.log(sum) };
}

/** The best token of a row, of the allowed ones if given. */
function choose({ logits, from }: Row, allowed: Iterable<number> | undefined, forbidEnd: boolean): number {
  let token = END;
  let best = -Infinity;
  if (allowed) {
    for (const i of allowed) {
      const logit = logits[from + i]!;
      if (logit <= best) continue;
      best = logit;
      token = i;
    }
    return token;
  }
  for (let i = 0; i < VOCABULARY; i++) {
    const logit = logits[from + i]!;
    if (logit <= best || (forbidEnd && i === END)) continue;
    best = logit;
    token = i;
  }
  return token;
}

/** The first `length` positions of a cache tensor: what was computed for refused draft tokens is dropped. */
function shorten(cache: Tensor, length: number): Tensor {
  const have = cache.dims[2] ?? 0;
  if (have === length || !(cache.data instanceof Float32Array)) return cache;
  const kept = new Float32Array(HEADS * length * HEAD_WIDTH);
  for (let head = 0; head < HEADS; head++) {
    const from = head * have * HEAD_WIDTH;
    kept.set(cache.data.subarray(from, from + length * HEAD_WIDTH), head * length * HEAD_WIDTH);
  }
  return new Tensor('float32', kept, [1, HEADS, length, HEAD_WIDTH]);
}

function ids(tokens: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]);
}

function flag(value: boolean): Tensor {
  return new Tensor('bool', Uint8Array.of(value ? 1 : 0), [1]);
}

function output(result: Outputs, name: string): Tensor {
  const value = result[name];
  if (value instanceof Tensor) return value;
  throw new Error(`the model gave no tensor ${name}`);
}

function floats(result: Outputs, name: string): Float32Array {
  const { data } = output(result, name);
  if (data instanceof Float32Array) return data;
  throw new Error(`the model's ${name} is not of 32-bit floats`);
}
