/** An answer to a yes-no question, and what was said besides. */
export interface YesNo {
  answer: 'yes' | 'no';
  /** What is left of the text: "no, it's five" leaves "it's five". */
  rest: string;
}

const LEAD = '(?:(?:um|uh|er|erm|hm|oh|well|so|okay|ok|sorry|i think|i guess|actually|and|but|like)\\b[\\s,.]*)*';
const TAIL = '(?=$|[\\s,.;:!?-])';

/** Denials that hold a word of consent come first: "that's not right". */
const NO =
  "(?:(?:no|nope|nah|naw)(?:[\\s,]+(?:no|nope|thanks|thank you|not at all|not really|that's wrong|that is wrong|that's not right|that is not right|it isn't|it's not|don't|please don't))*|(?:that|it|this)(?:'s|s| is| was)? (?:not|wrong|incorrect)(?: (?:right|correct|quite right|true|it))?|(?:that|it|this) (?:isn't|isnt|wasn't)(?: (?:right|correct|it|true))?|not (?:right|correct|really|quite|at all|now|today|yet|necessary)|wrong|incorrect|negative|don't(?: do (?:it|that))?|i don't(?: (?:want(?: (?:to|that))?|think so|need(?: (?:it|that))?))|i'd rather not|neither|rather not)";
const YES =
  "(?:(?:yes|yeah|yep|yup|ya|yah|yea|yas|aye|affirmative|uh huh|uh-huh|mm hmm|mm-hmm|mhm)(?:[\\s,]+(?:yes|yeah|please|sure|correct|right|exactly|thanks|thank you|that's right|that is right|that's correct|that is correct|it is|i do|i would|i am|do that|do it|go ahead|of course|sir|ma'am))*|(?:that|it|this)(?:'s|s| is|'ll be| would be| will be)? (?:right|correct|fine|it|good|great|perfect|true|okay|ok|works|does)|correct|right|exactly|precisely|sure(?: thing)?|absolutely|definitely|certainly|indeed|of course|please do|please(?=[\\s,.!]*$)|go ahead|go for it|sounds (?:good|great|right|fine)|do it|do that|let's do (?:it|that)|perfect|fine|great|good|all right|alright|okay|ok|i do|i would|i am|it is|it does|works for me|why not|by all means|no problem|confirmed|confirm)";

const PATTERNS: readonly [answer: 'yes' | 'no', pattern: RegExp][] = [
  ['yes', new RegExp(`^${LEAD}(?:no problem|why not|not a problem|no worries)${TAIL}`)],
  ['no', new RegExp(`^${LEAD}${NO}${TAIL}`)],
  ['yes', new RegExp(`^${LEAD}${YES}${TAIL}`)],
  // "ok" and "okay" are lead-in words above, and an answer when nothing follows.
  ['yes', /^(?:(?:um|uh|oh|well)[\s,]+)?(?:ok|okay|actually yes)[\s,.!]*$/],
];

/**
 * Reads the answer to a yes-no question from the start of a text.
 *
 * @returns undefined when the text does not begin with one ("I don't know", "where is my order")
 */
export function yesNo(text: string): YesNo | undefined {
  const plain = text
    .toLowerCase()
    .replace(/[’`]/g, "'")
    .replace(/\s+/g, ' ')
    .replace(/^[\s,.;:!?-]+/, '')
    .trim();
  if (/^(?:um |uh |well )?(?:i don't know|i'm not sure|not sure|no idea)\b/.test(plain)) return undefined;
  for (const [answer, pattern] of PATTERNS) {
    const match = pattern.exec(plain);
    if (!match) continue;
    const rest = plain.slice(match[0].length).replace(/^[\s,.;:!?-]+|[\s,.;:!?-]+$/g, '');
    return { answer, rest };
  }
  return undefined;
}
