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
  const parts = joinSpelled(words);
  if (parts.length === 0 || parts.length > MAX_WORDS || parts.some((word) => !isNameWord(word))) return undefined;
  return parts.map(capitalise).join(' ');
}

/** Letters that are spelled become a word; one that spells the word before it stands in its place. */
function joinSpelled(words: readonly string[]): string[] {
  const parts: string[] = [];
  for (let at = 0; at < words.length; ) {
    let end = at;
    while (words[end]?.length === 1) end++;
    const letters = words.slice(at, end).join('').toLowerCase();
    if (letters.length < 2) {
      parts.push(words[at] ?? '');
      at++;
      continue;
    }
    // "miller m u e l l e r"
    if (parts.at(-1)?.charAt(0).toLowerCase() === letters.charAt(0)) parts.pop();
    parts.push(letters);
    at = end;
  }
  return parts;
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
