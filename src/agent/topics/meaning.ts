import { type Embed, FewShotTopics } from '../../language/few-shot.js';
import type { Meanings } from '../../language/meanings.js';
import { BACKGROUND } from './background.js';
import type { Classifier } from './classifier.js';
import { trainLinear } from './linear.js';

/** What lends a classifier the meaning of texts. */
export interface MeaningSource {
  embed: Embed;
  /** Of what callers have just said. */
  meanings: Pick<Meanings, 'of'>;
}

/**
 * Judges texts by their meaning where their vector is known, by their words alone where it is not: what was typed, or
 * what a worker that was lost had heard.
 *
 * @throws ParleyError PARLEY_ERR_SPEECH_WORKER when the examples can't be embedded
 */
export async function fitTopics(
  topics: readonly { name: string; examples: readonly string[] }[],
  { embed, meanings }: MeaningSource,
): Promise<Classifier> {
  const spoken = topics.filter(({ examples }) => examples.length > 0);
  const words = trainLinear(spoken);
  const fitted = await FewShotTopics.fit(spoken, embed, BACKGROUND);
  return {
    threshold: fitted.threshold,
    classify(text) {
      const vector = meanings.of(text);
      return vector ? fitted.classify(text, vector) : words.classify(text);
    },
  };
}
