import { spokenDate, spokenDigits, spokenEmail, spokenLetters, spokenMoney } from '../entities/spoken.js';
import { isPresent, rootOf, type Variables, valueAt } from './paths.js';

/** A compiled text with placeholders. */
export interface Template {
  readonly source: string;
  /** Names of the variables it uses. */
  readonly roots: readonly string[];
  render(variables: Variables): string;
}

type Filter = (value: unknown, argument: string | undefined) => unknown;

const FILTERS: Readonly<Record<string, Filter>> = {
  date: (value) => spokenDate(String(value)),
  digits: (value) => spokenDigits(String(value)),
  spelled: (value) => spokenLetters(String(value)),
  email: (value) => spokenEmail(String(value)),
  money: (value, currency) => spokenMoney(Number(value), currency),
  default: (value, other) => (isPresent(value) ? value : (other ?? '')),
};

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;
const PATH = /^[A-Za-z_][\w.-]*$/;
const FILTER = /^([a-z]+)(?:\s+(?:"([^"]*)"|'([^']*)'|(\S+)))?$/;

const compiled = new Map<string, Template>();

/**
 * Compiles a text with placeholders: `{{order.status}}`, `{{day | date}}`. Filters: `date` (ISO date as it is spoken),
 * `digits` (one by one, in groups), `spelled`, `email`, `money` (optionally the currency's name), `default "text"`.
 *
 * @throws Error whose message says what is wrong with it
 */
export function compileTemplate(source: string): Template {
  const known = compiled.get(source);
  if (known) return known;
  const roots: string[] = [];
  const pieces: ((variables: Variables) => string)[] = [];
  let at = 0;
  for (const match of source.matchAll(PLACEHOLDER)) {
    pieces.push(literal(source.slice(at, match.index)));
    const { root, show } = compilePlaceholder(match[1] ?? '');
    roots.push(root);
    pieces.push(show);
    at = match.index + match[0].length;
  }
  pieces.push(literal(source.slice(at)));
  const template: Template = {
    source,
    roots,
    render: (variables) => tidy(pieces.map((piece) => piece(variables)).join('')),
  };
  compiled.set(source, template);
  return template;
}

/** The text of a template with its placeholders filled. */
export function render(source: string, variables: Variables): string {
  return compileTemplate(source).render(variables);
}

/** Fills placeholders, each value passed through `encode`, with nothing tidied: for URLs, headers, bodies. */
export function renderRaw(source: string, variables: Variables, encode: (value: string) => string): string {
  return source.replace(PLACEHOLDER, (_, path: string) => encode(String(valueAt(variables, path.trim()) ?? '')));
}

function literal(text: string): () => string {
  if (text.includes('{{') || text.includes('}}')) throw new Error('"{{" and "}}" do not pair up');
  return () => text;
}

function compilePlaceholder(inside: string): { root: string; show: (variables: Variables) => string } {
  const [path = '', ...steps] = inside.split('|').map((part) => part.trim());
  if (!PATH.test(path)) throw new Error(`"{{${inside}}}" names no variable`);
  const filters = steps.map((step) => {
    const [, name = '', ...written] = FILTER.exec(step) ?? [];
    const filter = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
    if (!filter) throw new Error(`"${step}" is not a filter: use one of ${Object.keys(FILTERS).join(', ')}`);
    const argument = written.find((text) => text !== undefined);
    return { filter, argument, always: name === 'default' };
  });
  const show = (variables: Variables): string => {
    let value = valueAt(variables, path);
    for (const { filter, argument, always } of filters) {
      if (always || (value !== undefined && value !== null)) value = filter(value, argument);
    }
    return value === undefined || value === null ? '' : String(value);
  };
  return { root: rootOf(path), show };
}

/** Closes the gap that an empty value leaves. */
function tidy(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/ ([,.?!])/g, '$1')
    .replace(/,([.?!])/g, '$1')
    .trim();
}
