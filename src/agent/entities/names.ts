import { spelledIn } from './letters.js';

const LEAD_IN =
  /^(?:(?:um|uh|er|oh|well|yes|yeah|sure|okay|ok|hi|hello|it's|its|it is|that's|that is|this is|the name is|the name's|my name is|my name's|my name|name is|i am|i'm|it's under|under|for|call me|speaking|please put|the last name is|last name|first name|is|the patient is|mister|misses|miss|mrs|mr|ms|dr|doctor)\b[\s,.:]*)+/i;
/** Words that stand in requests and questions, not in names. */
const NOT_IN_NAMES = new Set(
  'what where when why how who which is are was do does did can could would will want need have has had get the a an my your you i we they it order appointment refund please not no dont know think open close cancel book move change help tell about for with of to in on at if or but'.split(
    ' ',
  ),
);
const MAX_WORDS = 4;

/** A person's name in an answer to "what is your name"; undefined when the answer is something else. */
export function nameIn(text: string): string | undefined {
  const plain = text
    .replace(/[’`]/g, "'")
    .replace(LEAD_IN, '')
    .replace(/[.,!?]/g, ' ')
    .trim();
  const words = plain.split(/\s+/).filter((word) => word !== '' && !/^(?:um|uh|er|please|and)$/i.test(word));
  const firstLetter = words.findIndex((word, at) => word.length === 1 && (words[at + 1] ?? word).length === 1);
  const spoken = firstLetter < 0 ? words : words.slice(0, firstLetter);
  const spelled = firstLetter < 0 ? undefined : spelledIn(words.slice(firstLetter).join(' '));
  if (spoken.length > MAX_WORDS || spoken.some((word) => !isNameWord(word))) return undefined;
  // "anna miller m u e l l e r": the spelling stands for the last name.
  const parts = spelled === undefined ? spoken : [...(spoken.length > 1 ? spoken.slice(0, -1) : []), spelled];
  return parts.length > 0 ? parts.map(capitalise).join(' ') : undefined;
}

/** A name that somebody gave unasked: "my name is Anna Miller". */
export function introducedName(text: string): string | undefined {
  const match = /\b(?:my name is|my name's|the name is|this is)\s+([^,.?!]+)/i.exec(text);
  const words = (match?.[1] ?? '').split(/\s+/);
  const end = words.findIndex((word) => !isNameWord(word) || /^(?:and|calling|speaking|here)$/i.test(word));
  const name = end < 0 ? words : words.slice(0, end);
  return name.length >= 2 && name.length <= MAX_WORDS ? nameIn(name.join(' ')) : undefined;
}

function isNameWord(word: string): boolean {
  return /^[\p{L}][\p{L}'-]*$/u.test(word) && !NOT_IN_NAMES.has(word.toLowerCase().replace(/'/g, ''));
}

function capitalise(word: string): string {
  return word.replace(/(^|[-'])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase());
}
