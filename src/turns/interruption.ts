import { BACKCHANNELS } from '../speech/recognition/everyday.js';

/** What is known of a burst of the caller's voice over the agent's. */
export interface Burst {
  /** Words so far, as recognised; may come late. */
  text: string;
  /** Since its onset, ms. */
  elapsedMs: number;
  /** How much of that is voice, ms; left out while the voice goes on. */
  voicedMs?: number | undefined;
  /** The burst is not over: the voice goes on, or has only just fallen silent. */
  speaking: boolean;
  /** P(the caller takes the floor), 0 to 1; undefined when no model has judged it. */
  real: number | undefined;
  /**
   * How much less likely the words of somebody who only listens are than these, in nats, as the recogniser heard the
   * sound: synthetic and muttered ones are written as anything. Undefined when it is much, or nobody looked.
   */
  listening?: number | undefined;
  /** Whether the words go on from those heard before; false for the first, and for words that became others. */
  stable?: boolean | undefined;
  /** What a second judge says of these very words, when it was asked and has answered. */
  floor?: boolean | undefined;
  /**
   * It began when the agent had only just begun to answer: sooner than anybody listens, so that it is likely the rest of
   * what is being answered.
   */
  goesOn?: boolean | undefined;
  /** What the agent is saying: its own words, come back over the line, interrupt nobody. */
  agent: string;
}

/** `stop`: the caller has the floor; `go-on`: it was a backchannel; `wait`: not known yet. */
export type Verdict = 'stop' | 'go-on' | 'wait';

/** A burst is judged anew so long after its onset, ms, besides at each new word. */
export const CHECKPOINTS_MS: readonly number[] = [300, 400, 500, 600, 700, 800, 1000, 1500];

/** Words that stop the agent as soon as they are heard. */
export const STOP_WORDS: readonly string[] = [
  'stop',
  'wait',
  'no',
  'hold on',
  'hang on',
  'agent',
  'operator',
  'representative',
  'excuse me',
  'shut up',
  'be quiet',
  'listen',
];

/** A "no" that consents or marvels stops nobody. */
const HARMLESS = /\b(?:no (?:problem|worries|doubt|way|kidding)|oh no)\b/g;

/** What people say while they listen; alone it never takes the floor. The commonest is what the recogniser compares a sound with. */
const LISTENING: readonly string[] = [
  ...BACKCHANNELS.map(plain),
  ...['uh[- ]?huh', 'mm[- ]?hm+', 'um[- ]?hum', 'mhm+', 'm+', 'hm+', 'um', 'uh', 'ah', 'aha', 'huh', 'wow', 'yea'],
  ...['yup', 'ya', 'ok', "'kay", 'kay', 'k', 'alright', 'fine', 'good', 'great', 'nice', 'cool', 'perfect', 'exactly'],
  ...['true', 'really', 'correct', 'absolutely', 'definitely', 'of course', 'i got it', 'you got it', 'gotcha'],
  ...['makes sense', 'that makes sense', 'sounds good', 'i understand', 'understood', 'i know', "that's right"],
  ...['thats right', "that's fine", "that's good", 'fair enough', 'no problem', 'no worries', 'no doubt', 'thank you'],
  ...['thanks', 'thank you very much', 'thanks a lot', 'please', 'oh no'],
];
const BACKCHANNEL = allOf(LISTENING);

/** What the recogniser makes of the shortest of these, and nobody takes the floor with. */
const MISHEARD = allOf([
  ...LISTENING,
  ...['a', 'and', 'the', 'them', 'then', 'that', 'other', 'hum', 'him', 'i', 'oh you', 'amen', 'anthem', 'imam'],
  ...["ma'am", 'god', 'got', 'dumb', 'go deep', 'eh', 'year'],
]);

/** Nothing but these phrases, in any order. */
function allOf(phrases: readonly string[]): RegExp {
  return new RegExp(`^(?:(?:${phrases.join('|')})(?:[\\s-]+|$))+$`);
}

/** The stop word that sounds like a listener's "oh" and "yeah", and from how many nats on it was none of them. */
const DOUBTED = { word: 'no', nats: 1 };

/**
 * Whether one of the words that stop at once is among these.
 *
 * @param more of this agent, in addition
 * @param listening how much less likely they are to be a listener's, as for a {@link Burst}
 */
export function stopWord(text: string, more: readonly string[] = [], listening = Infinity): string | undefined {
  const words = ` ${plain(text).replace(HARMLESS, ' ')} `;
  const said = (word: string) => words.includes(` ${word} `) && (word !== DOUBTED.word || listening >= DOUBTED.nats);
  return [...STOP_WORDS, ...more].find((word) => said(plain(word)));
}

/** Whether these words are nothing but a listener's. */
export function isBackchannel(text: string): boolean {
  return BACKCHANNEL.test(plain(text));
}

/** Whether these words are the beginning of a listener's: "that" of "that's right", "you got" of "you got it". */
function mayBecomeBackchannel(text: string): boolean {
  const words = plain(text).split(' ');
  // What comes before may be complete already: "okay, I" of "okay, I see".
  return words.some((_, from) => {
    const rest = words.slice(from).join(' ');
    if (from > 0 && !isBackchannel(words.slice(0, from).join(' '))) return false;
    return LISTENING.some((phrase) => phrase.startsWith(rest));
  });
}

/** Share of the words heard that must be the agent's own. */
const OWN = 0.6;

/** Whether these words are the agent's own, come back over the line: most of them stand in what it says. */
export function isOwnEcho(text: string, agent: string): boolean {
  const heard = plain(text).split(' ').filter(Boolean);
  if (heard.length === 0 || agent === '') return false;
  const said = new Set(plain(agent).split(' '));
  return heard.filter((word) => said.has(word)).length / heard.length >= (heard.length === 1 ? 1 : OWN);
}

/** The longer a burst lasts, the less certainty is asked for: ms and P, and a line from one to the next. */
const EVIDENCE: readonly (readonly [elapsedMs: number, real: number])[] = [
  [300, 0.9],
  [500, 0.7],
  [800, 0.5],
];
/** Words count from here on, by their number: a few sounds of a listener's are easily heard as another word or two, ms. */
const EARLIEST_MS = [580, 540, 400, 300] as const;
/** The same where the caller likely goes on with what is being answered, ms. */
const GOES_ON_MS = 300;
/** A burst that lasts so long is no longer the beginning of a listener's, ms. */
const LISTENER_MS = 900;
/** And a burst that is over so soon with nothing but such a beginning was a listener's, cut short or half heard, ms. */
const LISTENED_MS = 650;
/**
 * Words that a listener's are nearly as likely for are not what the caller takes the floor with: so many nats, while the
 * voice has not lasted longer than so many ms.
 */
const LIKE_A_LISTENER: readonly (readonly [voicedMs: number, nats: number])[] = [
  [LISTENER_MS, 4.5],
  [1300, 2],
];
/** The same of a burst that fell silent in less than {@link SHORT_MS}, nats: they are often written as anything. */
const LIKE_A_SHORT_ONE = 6;
/** Of a burst this short only its final words count: most are listeners', and a few sounds are heard as anything, ms. */
const SHORT_MS = 450;
/** Voice without any word that lasts so long takes the floor, ms: the recogniser may not know the language. */
const WORDLESS_MS = 1500;

/**
 * Judges one burst by itself, again at each new word and as time goes by. Stop words come first, then what is nothing
 * but a backchannel, then the model.
 */
export function judge(burst: Burst, stopWords: readonly string[] = []): Verdict {
  const { text, elapsedMs, voicedMs, speaking, floor, agent } = burst;
  if (isOwnEcho(text, agent)) return speaking ? 'wait' : 'go-on';
  if (stopWord(text, stopWords, burst.listening) !== undefined) return 'stop';
  const silent = !speaking || voicedMs !== undefined;
  if (isBackchannel(text)) return !silent && elapsedMs < WORDLESS_MS ? 'wait' : 'go-on';
  if (text === '') {
    if (!speaking) return 'go-on';
    return elapsedMs >= WORDLESS_MS ? 'stop' : 'wait';
  }
  if (floor !== undefined) return floor ? 'stop' : 'go-on';
  return speaking ? judgeSoFar(burst) : judgeWhole(burst);
}

/** The words may become others. */
function judgeSoFar(burst: Burst): Verdict {
  const { text, elapsedMs, voicedMs = elapsedMs, real, stable, goesOn } = burst;
  const short = voicedMs < elapsedMs && voicedMs < SHORT_MS;
  if (short || (voicedMs < LISTENER_MS && mayBecomeBackchannel(text)) || isLikeAListener(burst)) return 'wait';
  // Words that have just become others may do so again.
  const words = stable === false ? 0 : Math.min(plain(text).split(' ').length, EARLIEST_MS.length - 1);
  const p = real ?? byLength(text);
  if (goesOn && voicedMs >= GOES_ON_MS && p >= 0.5) return 'stop';
  if (voicedMs < (EARLIEST_MS[words] ?? 0)) return 'wait';
  return p >= needed(voicedMs) ? 'stop' : 'wait';
}

function judgeWhole(burst: Burst): Verdict {
  const { text, elapsedMs, voicedMs = elapsedMs, real } = burst;
  if (isLikeAListener(burst)) return 'go-on';
  if (voicedMs < SHORT_MS && MISHEARD.test(plain(text))) return 'go-on';
  if (voicedMs < LISTENED_MS && mayBecomeBackchannel(text)) return 'go-on';
  return (real ?? byLength(text)) >= 0.5 ? 'stop' : 'go-on';
}

function isLikeAListener({ listening, elapsedMs, voicedMs = elapsedMs }: Burst): boolean {
  if (listening === undefined) return false;
  if (voicedMs < elapsedMs && voicedMs < SHORT_MS) return listening <= LIKE_A_SHORT_ONE;
  return LIKE_A_LISTENER.some(([ms, nats]) => voicedMs < ms && listening <= nats);
}

/** The certainty that is asked for after so long; more than there can be before the first point. */
function needed(ms: number): number {
  const after = EVIDENCE.findIndex(([at]) => at > ms);
  if (after === 0) return Number.POSITIVE_INFINITY;
  const [fromMs, from] = EVIDENCE.at(after < 0 ? -1 : after - 1) ?? [0, 1];
  const [toMs, to] = EVIDENCE[after] ?? [Number.POSITIVE_INFINITY, from];
  return from + ((to - from) * (ms - fromMs)) / (toMs - fromMs);
}

/**
 * Whether a second opinion is worth having: there are words, no list knows them, and the model is not sure, or the sound
 * is against it. Of a burst that is over only what was let pass is in question: what was stopped can't be taken back.
 */
export function isUncertain(burst: Burst, stopWords: readonly string[] = []): boolean {
  const { text, speaking, real, listening, floor, agent } = burst;
  if (text === '' || floor !== undefined || isOwnEcho(text, agent)) return false;
  if (stopWord(text, stopWords, listening) !== undefined || isBackchannel(text)) return false;
  const p = real ?? byLength(text);
  // The words say one thing, and the sound another.
  if (isLikeAListener(burst)) return p > UNCERTAIN;
  return p > UNCERTAIN && (speaking ? p < 1 - UNCERTAIN : p < 0.5);
}

/** Below this probability, or above its complement, the model is believed. */
const UNCERTAIN = 0.15;

/** Without a model: one word may be anything, three are hardly a backchannel. */
function byLength(text: string): number {
  return Math.min(0.95, 0.25 + 0.3 * (plain(text).split(' ').length - 1));
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[’`]/g, "'")
    .replace(/[^\p{L}\p{N}'\s-]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
