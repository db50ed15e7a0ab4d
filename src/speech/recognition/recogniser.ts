import type { ExpectedAnswer } from '../../text/expected.js';
import type { Vocabulary } from './vocabulary.js';

/** How one stretch of speech is to be recognised. */
export interface RecognitionOptions {
  /** Tokens of an earlier result on a prefix of the same audio; verified in one pass instead of decoded again. */
  draft?: readonly number[];
  /** What the agent asked for; narrows or biases the decoder. */
  expected?: ExpectedAnswer;
  /** What callers of this agent can be expected to say. Words that sound like it and are nearly as likely become it. */
  vocabulary?: Vocabulary | undefined;
  /** Quick words that the next result will replace: what was heard stands as it is, without a look at the vocabulary. */
  provisional?: boolean;
  /** Said while the agent speaks, after these words: whether it may be what a listener says is looked at, too. */
  over?: string | undefined;
}

/** What was recognised in one stretch of speech. */
export interface Recognition {
  /** Words with the engine's punctuation; empty when nothing was said or the result was refused by a guard. */
  text: string;
  /** The engine's tokens: the draft for the next, longer stretch. */
  tokens: readonly number[];
  /** Mean log-probability per token, at most 0. */
  logProbability: number;
  /**
   * How much less likely, in nats, the words of somebody who only listens ("yeah", "uh-huh") are than what was heard; left out when
   * it is much, or was not asked for.
   */
  listening?: number | undefined;
  /** They are nearly as likely to have ended in a word after which more must follow ("your", "the"): not looked at while provisional. */
  unfinished?: boolean | undefined;
  /** Why a non-empty result was refused: no speech, endless repetition. */
  refused?: 'not-speech' | 'repetition';
}

/** A speech recogniser, living in a speech worker. One call at a time. */
export interface Recogniser {
  readonly capabilities: { sampleRate: number; maxSeconds: number; drafts: boolean };
  /**
   * @param pcm mono in [-1, 1] at `capabilities.sampleRate`; longer than `maxSeconds` is cut at the end by the engine
   * @throws ParleyError PARLEY_ERR_RECOGNITION_FAILED
   */
  recognise(pcm: Float32Array, options?: RecognitionOptions): Promise<Recognition>;
  close(): Promise<void>;
}
