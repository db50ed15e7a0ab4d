import { z } from 'zod';
import { nearest } from './nearest.js';
import { keysAt, metaOf, schemasAt } from './walk.js';

/** One thing wrong with a configuration value, in words. */
export interface Explained {
  path: PropertyKey[];
  reason: string;
  hint: string;
}

type Issue = z.core.$ZodIssue;

/** Puts a validator's issues into words: what is wrong, and what to write instead. */
export function explainIssues(issues: readonly Issue[], data: unknown, schema: z.core.$ZodType): Explained[] {
  return issues.flatMap((issue) => explainIssue(issue, [], data, schema));
}

function explainIssue(issue: Issue, prefix: PropertyKey[], data: unknown, schema: z.core.$ZodType): Explained[] {
  const path = [...prefix, ...issue.path];
  const value = valueAt(data, path);
  const example = exampleHint(schema, path);
  const name = String(path.at(-1) ?? 'the file');
  const one = (reason: string, hint: string): Explained[] => [{ path, reason, hint }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, schema));
    case 'invalid_type':
      if (value === undefined) return one('is missing', `Add "${name}": ${article(issue.expected)}. ${example}`.trim());
      return one(
        `expected ${article(issue.expected)}, found ${show(value, path, issue.expected)}`,
        typeHint(issue.expected, value, example, path),
      );
    case 'invalid_value':
      return one(
        value === undefined ? 'is missing' : `${show(value, path)} is not allowed`,
        choiceHint(value, issue.values),
      );
    case 'too_small':
      return one(`must ${bound('at least', issue.minimum, issue.origin)}`, example || `Write ${name} accordingly.`);
    case 'too_big':
      return one(`must ${bound('at most', issue.maximum, issue.origin)}`, example || `Write ${name} accordingly.`);
    case 'invalid_union':
      return unionIssues(issue, path, data, schema);
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((inner) => explainIssue(inner, path, data, schema));
    case 'custom':
      return one(issue.message, typeof issue.params?.hint === 'string' ? issue.params.hint : example || 'Correct it.');
    default:
      return one(`${show(value, path)}: ${lowerFirst(issue.message)}`, example || 'Correct it.');
  }
}

/** Of a union's branches, the one that came furthest is the one that was meant. */
function unionIssues(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: PropertyKey[],
  data: unknown,
  schema: z.core.$ZodType,
): Explained[] {
  const branches = issue.errors.filter((branch) => branch.length > 0);
  if (branches.length === 0 && issue.discriminator !== undefined) {
    return [wrongKind(path, data, schema)];
  }
  const fitting = branches.filter((branch) => !branch.some((i) => i.code === 'invalid_type' && i.path.length === 0));
  const best = [...fitting].sort((a, b) => wrongness(a) - wrongness(b))[0];
  if (best) return best.flatMap((inner) => explainIssue(inner, path, data, schema));
  const wanted = branches.flat().flatMap((i) => (i.code === 'invalid_type' ? [article(i.expected)] : []));
  const value = valueAt(data, path);
  const options = [...new Set(wanted)].join(' or ');
  const hint = exampleHint(schema, path) || `Write ${options}.`;
  return [
    { path, reason: value === undefined ? 'is missing' : `expected ${options}, found ${show(value, path)}`, hint },
  ];
}

/** The key that says which branch is meant, and that the path leads to, names none of them. */
function wrongKind(path: PropertyKey[], data: unknown, schema: z.core.$ZodType): Explained {
  const value = valueAt(data, path);
  const kinds = schemasAt(schema, path).flatMap((found) => (found instanceof z.ZodLiteral ? [...found.values] : []));
  const reason = value === undefined ? 'is missing' : `${show(value, path)} is not allowed`;
  return { path, reason, hint: choiceHint(value, kinds) };
}

function wrongness(branch: readonly Issue[]): number {
  return branch.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
}

function unknownKey(key: string, path: PropertyKey[], schema: z.core.$ZodType): Explained {
  const known = keysAt(schema, path);
  const meant = nearest(key, known);
  const hint = meant ? `Did you mean "${meant}"?` : `Known here: ${known.join(', ')}.`;
  return { path: [...path, key], reason: 'is not a known key', hint };
}

function choiceHint(value: unknown, values: readonly unknown[]): string {
  const choices = values.map(String);
  const meant = typeof value === 'string' ? nearest(value, choices) : undefined;
  const all = choices.length === 1 ? `Write ${choices[0]}.` : `Allowed: ${choices.join(', ')}.`;
  return meant ? `Did you mean "${meant}"? ${all}` : all;
}

function typeHint(expected: string, value: unknown, example: string, path: readonly PropertyKey[]): string {
  if (expected === 'boolean' && typeof value === 'string') return 'Write true or false.';
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return isSecret(path) ? 'Put it in quotes.' : `Put it in quotes: "${String(value)}".`;
  }
  if (expected === 'array' && value !== null) return `Write a list: start each item with "- ". ${example}`.trim();
  if (expected === 'number' && typeof value === 'string')
    return `Write a number without quotes or unit. ${example}`.trim();
  return example || `Write ${article(expected)}.`;
}

function exampleHint(schema: z.core.$ZodType, path: readonly PropertyKey[]): string {
  for (const found of schemasAt(schema, path)) {
    const { description, example } = metaOf(found);
    if (example !== undefined) return `Example: ${String(path.at(-1))}: ${example}`;
    if (description !== undefined) return `What goes here: ${description.replace(/\.$/, '')}.`;
  }
  return '';
}

function bound(word: string, limit: number | bigint, origin: string): string {
  if (origin === 'array') return `have ${word} ${limit} ${Number(limit) === 1 ? 'item' : 'items'}`;
  if (origin === 'string') return Number(limit) === 1 ? 'not be empty' : `have ${word} ${limit} characters`;
  return `be ${word} ${limit}`;
}

function article(type: string): string {
  const names: Record<string, string> = {
    object: 'a block of keys',
    record: 'a block of keys',
    array: 'a list',
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return names[type] ?? `a ${type}`;
}

/** Keys whose values stand in no error, which may end up in a log. */
const SECRET_KEY = /^(password|secret|token|api_?key|ha1|(proxy-)?authorization|cookie|x-api-key)$/i;

function isSecret(path: readonly PropertyKey[]): boolean {
  return path.some((key) => SECRET_KEY.test(String(key)));
}

/** A value as an error may have it: no secret, no credentials in a URL, no text that was to be a block with secrets in it. */
function show(value: unknown, path: readonly PropertyKey[], expected?: string): string {
  if (isSecret(path)) return '(not shown)';
  if (typeof value === 'string' && (expected === 'object' || expected === 'record')) return 'text';
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a block of keys';
  const text = JSON.stringify(value).replace(/\/\/[^\s@]*@/g, '//***@');
  return text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
