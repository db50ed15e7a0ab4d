/** Where one question may end and the next begin: stops, joining words, and question words without either. */
const BREAKS =
  /[.?!;]+\s*|,?\s+(?:and|also|plus|but|then|oh)\s+(?:also\s+|then\s+|by the way\s+)?|,\s+|\s+(?=(?:what(?:'s)?|when|where|how|do you|can i|can you|are you|is there)\s)/gi;
/** Before these, a question word goes on with the clause: "tell me when", "until what time". */
const GOES_ON =
  /\b(?:know|knows|tell me|ask|asking|see|check|find out|wonder|wondering|until|since|from|at|on|by|to|for|about|me|sure|and|or|no matter)\s*$/i;
const LEAST_WORDS = 2;

/**
 * The parts of a turn that may each ask something. Generous: whoever uses them asks of each part whether it makes
 * sense alone.
 */
export function splitClauses(text: string): string[] {
  const clauses: string[] = [];
  let begin = 0;
  for (const match of text.matchAll(BREAKS)) {
    const before = text.slice(begin, match.index);
    const joined = match[0].trim() === '';
    if (joined && (GOES_ON.test(before) || countWords(before) < 3)) continue;
    clauses.push(before.trim());
    begin = match.index + match[0].length;
  }
  clauses.push(text.slice(begin).trim());
  return clauses.filter((clause) => countWords(clause) >= LEAST_WORDS || /\d/.test(clause));
}

/** The text and, when it has several, its clauses: whatever may be asked about. */
export function clausesWithin(text: string): string[] {
  const clauses = splitClauses(text);
  return [...new Set([text, ...(clauses.length > 1 ? clauses : [])])];
}

function countWords(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}
