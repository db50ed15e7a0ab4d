import type { CallFacts } from './conditions.js';

/** Longest value that is taken from a call, characters. */
const LONGEST = 256;

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;
const KNOWN = /^(?:to|from|source|trunk|header\.[A-Za-z0-9!%*_+`'~.-]+)$/;

/**
 * What is wrong with the placeholders of a text; undefined when nothing is. `{{to}}`, `{{from}}`, `{{source}}`, `{{trunk}}` and
 * `{{header.X-Tier}}` can be used.
 */
export function faultyPlaceholder(text: string): string | undefined {
  for (const [, name = ''] of text.matchAll(PLACEHOLDER)) if (!KNOWN.test(name)) return name;
  return undefined;
}

/** Variables with what the call has in the place of placeholders; what it does not have is empty. */
export function filled(variables: Readonly<Record<string, unknown>>, facts: CallFacts): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.replace(PLACEHOLDER, (_, part: string) => factOf(part, facts)) : value,
    ]),
  );
}

/** Text of a header as a value: one line, and no longer than people write. */
export function headerValue(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, LONGEST);
}

function factOf(part: string, facts: CallFacts): string {
  if (part.startsWith('header.')) return headerValue(facts.headers(part.slice('header.'.length)) ?? '');
  const { to, from, source, trunk = '' } = facts;
  return headerValue({ to, from, source, trunk }[part] ?? '');
}
