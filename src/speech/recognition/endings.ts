import { soundsOf } from './sounds.js';

/** Words after which more follows, and how they sound. */
const LEADING =
  "a an the my your our their his and or but because to for from with about of in on at is was are if can do i'm it's"
    .split(' ')
    .map((word) => ({ word, sounds: soundsOf(word).join() }));

/**
 * The text with one of the words that more must follow in place of its last word or its last two: what was said when the
 * caller paused after "What are your", and "What are you are?" was heard. A word that sounds the same ("to" for "two") is
 * not put: no ear tells them apart, and the recogniser's grammar chose the other.
 */
export function unfinishedEndings(text: string): string[] {
  const mark = /[^\p{L}\p{N}']*$/u.exec(text)?.[0] ?? '';
  const words = text.slice(0, text.length - mark.length).split(/\s+/);
  const last = soundsOf(words.at(-1) ?? '').join();
  return [1, 2].flatMap((count) => {
    const kept = words.slice(0, -count).join(' ');
    const others = kept === '' ? [] : LEADING.filter(({ sounds }) => count > 1 || sounds !== last);
    return others.map(({ word }) => `${kept} ${word}${mark}`);
  });
}
