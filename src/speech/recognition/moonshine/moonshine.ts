import { ParleyError, reasonOf } from '../../../errors.js';
import type { ExpectedAnswer } from '../../../text/expected.js';
import { asLetters } from '../../../text/spelling.js';
import { Lexicon } from '../candidates.js';
import { unfinishedEndings } from '../endings.js';
import { BACKCHANNELS } from '../everyday.js';
import type { Recogniser, Recognition, RecognitionOptions } from '../recogniser.js';
import { loopStart } from '../repetition.js';
import type { Vocabulary } from '../vocabulary.js';
import { type Grammar, grammarOf } from './grammar.js';
import { DecoderLanguage } from './language.js';
import { type Decoded, type Encoded, type Hypothesis, MoonshineModel } from './model.js';
import { rescore, shortfall } from './rescoring.js';
import { textOf, tokensOf } from './tokens.js';

const SAMPLE_RATE = 16_000;
const MAX_SECONDS = 12;
/** The model was trained on audio that ends in quiet: a fifth fewer word errors than on a hard end. */
const TRAILING_SILENCE_SECONDS = 0.25;
/** Nobody says more; what the decoder makes beyond it is invented. Spelled digits take two tokens each. */
const MAX_TOKENS_PER_SECOND = 8;
/**
 * Least log-probability of the first token other than the end. Each of 34 clips of noise, tones and music lies at -4.02
 * or below; so do 5 of 124 of speech, three of them single letters or digits.
 */
const SPEECH_GATE = -4;
/**
 * An ending that more must follow is believed when it is less likely than what was heard by no more than this, nats. Of 114
 * whole lines in two voices none had one so near, of 42 that stopped in the middle 4.
 */
const UNFINISHED_WITHIN = 2.5;
/** Audio whose loudest 20 ms are quieter holds no speech, dBFS. On digital silence the model is sure to hear "You". */
const QUIET_DB = -60;
/** A listener's words that are less likely than what was heard by more were not meant, nats; those so far tell less. */
const LISTENING_WITHIN = { soFar: 5, whole: 6.5 };

/**
 * Moonshine-tiny, English. Greedy decoding with the end forbidden as first token, a gate on the first token against
 * words invented on noise, verification of drafts, and a lean towards the expected answer and the agent's vocabulary.
 *
 * `recognise` computes on the calling thread, about 1/50 of the audio's length.
 */
export class Moonshine implements Recogniser {
  private readonly lexicons = new Map<string, Lexicon>();
  readonly capabilities = { sampleRate: SAMPLE_RATE, maxSeconds: MAX_SECONDS, drafts: true };

  private constructor(private readonly model: MoonshineModel) {}

  /**
   * Loads and warms the model.
   *
   * @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE, PARLEY_ERR_RECOGNITION_FAILED
   */
  static async load(): Promise<Moonshine> {
    const moonshine = new Moonshine(await MoonshineModel.load());
    // The first runs allocate the arenas; two lengths, with and without a draft.
    await moonshine.recognise(hum(4));
    await moonshine.recognise(hum(1), { draft: tokensOf('yes', true) });
    moonshine.lexicon(undefined).candidates('What is it worth?');
    return moonshine;
  }

  /** The decoder alone, for what it knows of words. @throws as `load` */
  language(): Promise<DecoderLanguage> {
    return DecoderLanguage.load((pcm) => this.model.encode(pcm));
  }

  async recognise(pcm: Float32Array, options: RecognitionOptions = {}): Promise<Recognition> {
    if (isQuiet(pcm)) return { text: '', tokens: [], logProbability: 0, refused: 'not-speech' };
    try {
      return await this.recogniseNow(padded(pcm), options);
    } catch (error) {
      throw new ParleyError('PARLEY_ERR_RECOGNITION_FAILED', { reason: reasonOf(error) }, { cause: error });
    }
  }

  close(): Promise<void> {
    return this.model.close();
  }

  private async recogniseNow(pcm: Float32Array, options: RecognitionOptions): Promise<Recognition> {
    const encoded = await this.model.encode(pcm);
    const maxTokens = 2 + Math.ceil((pcm.length / SAMPLE_RATE) * MAX_TOKENS_PER_SECOND);
    const free = await this.model.decode(encoded, {
      draft: options.draft ?? [],
      maxTokens,
      stop: ({ tokens }) => loopStart(tokens) !== undefined,
    });
    if ((free.logProbabilities[0] ?? 0) < SPEECH_GATE) {
      return { text: '', tokens: [], logProbability: mean(free.logProbabilities), refused: 'not-speech' };
    }
    const recognition = await this.words(encoded, free, options, maxTokens);
    const { over, expected, provisional } = options;
    if (over === undefined) return recognition;
    // An answer that was asked for, in place of what was decoded, is meant: a "no" that sounded like "oh" is none.
    if (grammarOf(expected) && recognition.text !== textOf(free.tokens)) return recognition;
    return { ...recognition, listening: await this.listening(free, over, provisional) };
  }

  /** @param before what was said before the burst, as it was recognised */
  private async listening(free: Decoded, before: string, soFar = false): Promise<number | undefined> {
    const texts = before === '' ? BACKCHANNELS : BACKCHANNELS.map((text) => `${before} ${text}`);
    return shortfall(this.model, free, texts, soFar ? LISTENING_WITHIN.soFar : LISTENING_WITHIN.whole);
  }

  private async words(
    encoded: Encoded,
    free: Decoded,
    options: RecognitionOptions,
    maxTokens: number,
  ): Promise<Recognition> {
    const { tokens } = free;
    const logProbability = mean(free.logProbabilities);
    const grammar = grammarOf(options.expected);
    const letters = options.expected?.kind === 'spelling' ? asLetters(textOf(tokens)) : undefined;
    if (letters) return { text: letters, tokens, logProbability };
    const asExpected = grammar?.accepts(tokens) ?? false;
    const slot = grammar && !asExpected && (await this.expected(encoded, free, grammar, maxTokens));
    if (slot) return { text: textOf(slot.tokens), tokens, logProbability: mean(slot.logProbabilities) };
    const loop = loopStart(tokens);
    if (loop === undefined)
      return asExpected ? { text: textOf(tokens), tokens, logProbability } : this.reading(free, options);
    const text = textOf(tokens.slice(0, loop));
    return text ? { text, tokens: tokens.slice(0, loop), logProbability } : { ...NOTHING, logProbability };
  }

  /** The words of a hypothesis, or those of the vocabulary that were said more likely. */
  private async reading(free: Decoded, options: RecognitionOptions): Promise<Recognition> {
    const { vocabulary, provisional, expected } = options;
    const kind = expected?.kind ?? 'open';
    // A letter sounds too much like "yes", "hey" and "you".
    const lexicon =
      provisional || kind === 'spelling' ? undefined : this.lexicon(UNKNOWABLE.has(kind) ? undefined : vocabulary);
    const other = lexicon && (await rescore(this.model, free, lexicon.candidates(textOf(free.tokens))));
    const { tokens, logProbabilities } = other ?? free;
    const unfinished = !other && !provisional && (await this.isUnfinished(free));
    return { text: textOf(tokens), tokens: free.tokens, logProbability: mean(logProbabilities), unfinished };
  }

  private async isUnfinished(free: Decoded): Promise<boolean> {
    const endings = unfinishedEndings(textOf(free.tokens));
    return (await shortfall(this.model, free, endings, UNFINISHED_WITHIN)) !== undefined;
  }

  /** The lexicon of a vocabulary, made once; the one used longest ago makes room. */
  private lexicon(vocabulary: Vocabulary | undefined): Lexicon {
    const id = vocabulary?.id ?? '';
    const lexicon = this.lexicons.get(id) ?? new Lexicon(vocabulary);
    this.lexicons.delete(id);
    this.lexicons.set(id, lexicon);
    const [oldest] = this.lexicons.keys();
    if (this.lexicons.size > MOST_LEXICONS && oldest !== undefined) this.lexicons.delete(oldest);
    return lexicon;
  }

  /**
   * The best answer of the expected kind, if it is nearly as likely as the free one. Decoding begins where the free
   * answer leaves the grammar, and is given up as soon as it has become too unlikely: a caller who says something
   * else costs a token or two.
   */
  private async expected(
    encoded: Encoded,
    free: Hypothesis,
    grammar: Grammar,
    maxTokens: number,
  ): Promise<Hypothesis | undefined> {
    const least = sum(free.logProbabilities) - grammar.lean;
    const slot = await this.model.decode(encoded, {
      draft: free.tokens.slice(0, grammar.prefix(free.tokens)),
      maxTokens,
      allowed: (tokens) => grammar.allowed(tokens),
      stop: ({ logProbabilities }) => sum(logProbabilities) < least,
    });
    const believed = sum(slot.logProbabilities) >= least && grammar.accepts(slot.tokens);
    return believed ? slot : undefined;
  }
}

/** Answers that no vocabulary holds and that one could spoil. */
const UNKNOWABLE = new Set<ExpectedAnswer['kind']>(['name', 'email']);
/** Agents whose vocabularies are kept ready. */
const MOST_LEXICONS = 32;
const NOTHING = { text: '', tokens: [], refused: 'repetition' } as const;

/** Something for the model to listen to before the first call. */
function hum(seconds: number): Float32Array {
  return Float32Array.from(
    { length: seconds * SAMPLE_RATE },
    (_, i) => 0.1 * Math.sin((2 * Math.PI * 120 * i) / SAMPLE_RATE),
  );
}

/** Cut to the longest that the model takes, followed by silence. */
function padded(pcm: Float32Array): Float32Array {
  const kept = pcm.subarray(0, MAX_SECONDS * SAMPLE_RATE);
  const result = new Float32Array(kept.length + TRAILING_SILENCE_SECONDS * SAMPLE_RATE);
  result.set(kept);
  return result;
}

function isQuiet(pcm: Float32Array): boolean {
  const frame = SAMPLE_RATE / 50;
  const least = frame * 10 ** (QUIET_DB / 10);
  for (let from = 0; from < pcm.length; from += frame) {
    let energy = 0;
    for (const sample of pcm.subarray(from, from + frame)) energy += sample * sample;
    if (energy > least) return false;
  }
  return true;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}
