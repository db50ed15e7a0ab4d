import type { SpokenText } from '../speech/synthesis/normaliser.js';
import type { Clip, WordTime } from '../speech/synthesis/synthesiser.js';

/** A word counts as heard when this share of its sound was played. */
const MOSTLY = 0.6;

/**
 * Times of the written words, one each, from those of the words they were spoken as. A word that makes no sound ends
 * with the word before it. Empty when the engine's words are not those it was given.
 */
export function writtenTimes(text: SpokenText, spoken: readonly WordTime[] | undefined): WordTime[] {
  if (spoken?.length !== text.origin.length) return [];
  let last = 0;
  let at = 0;
  return text.words.map((word, index) => {
    const first = at;
    while (text.origin[at] === index) at++;
    const start = first < at ? spoken[first]!.start : last;
    last = first < at ? spoken[at - 1]!.end : last;
    return { word, start, end: last };
  });
}

/**
 * What a listener heard of an utterance that was cut: the text as written up to the last word whose sound was over, or
 * mostly over. By the clip's word times, else by the share that was played; everything when all was played, nothing
 * when the clip is not known.
 *
 * @param playedSamples at the clip's rate, from its start
 */
export function heardText(text: string, clip: Clip | undefined, playedSamples: number): string {
  if (!clip || playedSamples <= 0) return '';
  if (playedSamples >= clip.pcm.length) return text;
  const words = [...text.matchAll(/\S+/g)];
  const times = clip.words.length === words.length ? clip.words : proportionalTimes(words, clip.pcm.length);
  let end = 0;
  times.forEach((time, index) => {
    const heard = playedSamples >= time.start + MOSTLY * (time.end - time.start);
    const word = words[index]!;
    if (heard && time.end > 0) end = word.index + word[0].length;
  });
  return text.slice(0, end).trim();
}

/**
 * Where the word begins that is being said at this sample, so that it can be said again as a whole; the sample itself
 * between two words, where none was cut.
 *
 * @param sample at the clip's rate, from its start
 */
export function wordStart(text: string, clip: Clip | undefined, sample: number): number {
  if (!clip) return sample;
  const words = [...text.matchAll(/\S+/g)];
  const times = clip.words.length === words.length ? clip.words : proportionalTimes(words, clip.pcm.length);
  const word = times.findLast(({ start }) => start <= sample);
  return Math.round(word && word.end <= sample ? sample : (word?.start ?? 0));
}

/** Without times each character is taken to last as long as any other. */
function proportionalTimes(words: readonly RegExpExecArray[], samples: number): { start: number; end: number }[] {
  const total = words.reduce((sum, [word]) => sum + word.length, 0);
  let at = 0;
  return words.map(([word]) => {
    const start = (at / total) * samples;
    at += word.length;
    return { start, end: (at / total) * samples };
  });
}
