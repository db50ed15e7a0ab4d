/** What is known of a burst of the caller's voice over the agent's. */
export interface Burst {
  /** Words so far, as recognised; may come late. */
  text: string;
  /** Since its onset, ms. */
  elapsedMs: number;
  speaking: boolean;
  /** P(the caller takes the floor), 0 to 1; undefined when no model has judged it. */
  real: number | undefined;
  /** Whether the words go on from those heard before; false for the first, and for words that became others. */
  stable?: boolean | undefined;
  /** What a second judge says of these very words, when it was asked and has answered. */
  floor?: boolean | undefined;
  /** What the agent is saying: its own words, come back over the line, interrupt nobody. */
  agent: string;
}

/** `stop`: the caller has the floor; `go-on`: it was a backchannel; `wait`: not known yet. */
export type Verdict = 'stop' | 'go-on' | 'wait';

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

/** What people say while they listen; alone it never takes the floor. */
const BACKCHANNEL = new RegExp(
  `^(?:(?:${[
    "uh[- ]?huh|mm[- ]?hm+|mhm+|m+|hm+|um|uh|ah|oh|aha|huh|wow|yeah|yea|yep|yup|yes|ya|ok|okay|'kay|kay|k|right|alright|all right|sure|fine|good|great|nice|cool|perfect|exactly|true|really|correct|absolutely|definitely|of course",
    "i see|got it|i got it|you got it|gotcha|makes sense|that makes sense|sounds good|i understand|understood|i know|that's right|thats right|that's fine|that's good|fair enough|no problem|no worries|no doubt|thank you|thanks|thank you very much|thanks a lot",
    'oh (?:okay|ok|yeah|really|wow|i see|nice|good)|oh no',
  ].join('|')})(?:[\\s,.!?-]+|$))+$`,
);

/** Whether one of the words that stop at once is among these. @param more of this agent, in addition */
export function stopWord(text: string, more: readonly string[] = []): string | undefined {
  const words = ` ${plain(text).replace(HARMLESS, ' ')} `;
  return [...STOP_WORDS, ...more].find((word) => words.includes(` ${plain(word)} `));
}

/** Whether these words are nothing but a listener's. */
export function isBackchannel(text: string): boolean {
  return BACKCHANNEL.test(plain(text));
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

/** The longer a burst lasts, the less certainty is asked for, ms and P. */
const EVIDENCE: readonly (readonly [elapsedMs: number, real: number])[] = [
  [800, 0.5],
  [500, 0.7],
  [300, 0.9],
];
/** From here on the words count though they have just changed, ms. */
const SETTLED_MS = 600;
/** Voice without any word that lasts so long takes the floor, ms: the recogniser may not know the language. */
const WORDLESS_MS = 1500;

/**
 * Judges one burst by itself, again at each new word and at 0.3, 0.5 and 0.8 s. Stop words come first, then what is
 * nothing but a backchannel, then the model.
 */
export function judge(
  { text, elapsedMs, speaking, real, stable, floor, agent }: Burst,
  stopWords: readonly string[] = [],
): Verdict {
  if (isOwnEcho(text, agent)) return speaking ? 'wait' : 'go-on';
  if (stopWord(text, stopWords) !== undefined) return 'stop';
  if (isBackchannel(text)) return speaking && elapsedMs < WORDLESS_MS ? 'wait' : 'go-on';
  if (text === '') {
    if (!speaking) return 'go-on';
    return elapsedMs >= WORDLESS_MS ? 'stop' : 'wait';
  }
  if (floor !== undefined) return floor ? 'stop' : 'go-on';
  // The first words of a burst are often others than they seem.
  if (speaking && stable === false && elapsedMs < SETTLED_MS) return 'wait';
  const needed = speaking ? EVIDENCE.find(([from]) => elapsedMs >= from)?.[1] : 0.5;
  if (needed !== undefined && (real ?? byLength(text)) >= needed) return 'stop';
  return speaking ? 'wait' : 'go-on';
}

/**
 * Whether a second opinion is worth having: there are words, no list knows them, and the model is not sure. Of a burst
 * that is over only what was let pass is in question: what was stopped can't be taken back.
 */
export function isUncertain({ text, speaking, real, floor, agent }: Burst, stopWords: readonly string[] = []): boolean {
  if (text === '' || floor !== undefined || isOwnEcho(text, agent)) return false;
  if (stopWord(text, stopWords) !== undefined || isBackchannel(text)) return false;
  const p = real ?? byLength(text);
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
