import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ParleyError, reasonOf } from '../errors.js';
import { explainIssues } from './explain.js';
import { ConfigProblems } from './problems.js';

/** A validated file, with the means to point into it when a later check finds something wrong. */
export interface LoadedYaml<T> {
  value: T;
  /** The file as it was read; a program's value as JSON. */
  text: string;
  /** A PARLEY_ERR_CONFIG_INVALID for the value at that path of keys and indexes; `hint` says what to write. */
  problemAt(path: readonly PropertyKey[], reason: string, hint: string): ParleyError;
}

/**
 * Reads and validates a YAML file. Unknown and duplicate keys are errors.
 *
 * @throws ConfigProblems with every problem found: PARLEY_ERR_CONFIG_FILE, or PARLEY_ERR_CONFIG_INVALID with file,
 *   line, key and reason; its `mend` says what to write
 */
export function loadYaml<T>(file: string, schema: z.ZodType<T>): T {
  return loadYamlLocated(file, schema).value;
}

/** As {@link loadYaml}, for files whose content is checked further against other files. */
export function loadYamlLocated<T>(file: string, schema: z.ZodType<T>): LoadedYaml<T> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigProblems([
      new ParleyError('PARLEY_ERR_CONFIG_FILE', { file, reason: reasonOf(error) }, { cause: error }),
    ]);
  }
  return parseYamlLocated(text, file, schema);
}

/** As {@link loadYaml}, from text; `file` is only named in errors. */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): T {
  return parseYamlLocated(text, file, schema).value;
}

function parseYamlLocated<T>(text: string, file: string, schema: z.ZodType<T>): LoadedYaml<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ConfigProblems(
      document.errors.map((error) => {
        const { reason, hint } = explainSyntax(error.code, error.message);
        const key = `column ${lines.linePos(error.pos[0]).col}`;
        return invalid(file, lines.linePos(error.pos[0]).line, key, reason, hint);
      }),
    );
  }
  const problemAt = (path: readonly PropertyKey[], reason: string, hint: string): ParleyError =>
    invalid(file, lineOf(document, lines, path), showPath(path), reason, hint);

  return { ...validated(document.toJS() ?? {}, schema, problemAt), text };
}

/**
 * Validates a value that a program gives in place of a file.
 *
 * @param where what it is called in errors
 * @throws ConfigProblems with every problem found: PARLEY_ERR_OPTION_INVALID
 */
export function checkLocated<T>(value: unknown, where: string, schema: z.ZodType<T>): LoadedYaml<T> {
  const located = validated(value, schema, (path, reason, hint) => {
    const key = path.length > 0 ? `${where}: ${showPath(path)}` : where;
    return new ParleyError('PARLEY_ERR_OPTION_INVALID', { key, reason, hint });
  });
  return { ...located, text: JSON.stringify(value) };
}

function validated<T>(data: unknown, schema: z.ZodType<T>, problemAt: LoadedYaml<T>['problemAt']) {
  const result = schema.safeParse(data);
  if (!result.success) {
    const found = explainIssues(result.error.issues, data, schema);
    throw new ConfigProblems(found.map(({ path, reason, hint }) => problemAt(path, reason, hint)));
  }
  return { value: result.data, problemAt };
}

function invalid(file: string, line: number, key: string, reason: string, hint: string): ParleyError {
  return new ParleyError('PARLEY_ERR_CONFIG_INVALID', { file, line, key, reason, hint });
}

function showPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(file)';
  return path.reduce<string>(
    (shown, key) => (typeof key === 'number' ? `${shown}[${key}]` : shown ? `${shown}.${String(key)}` : String(key)),
    '',
  );
}

/** Line of the key at the path; where it is missing, of the nearest thing above it that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const key of path) {
    const next = stepInto(node, key);
    if (next === undefined) break;
    offset = next.offset;
    node = next.node;
  }
  return lines.linePos(offset).line;
}

function stepInto(node: Node | null, key: PropertyKey): { node: Node | null; offset: number } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => String(item.key) === String(key));
    if (!pair || !isNode(pair.key)) return undefined;
    return { node: isNode(pair.value) ? pair.value : null, offset: pair.key.range?.[0] ?? 0 };
  }
  if (isSeq(node) && typeof key === 'number') {
    const item = node.items[key];
    return isNode(item) ? { node: item, offset: item.range?.[0] ?? 0 } : undefined;
  }
  return undefined;
}

function explainSyntax(code: string, message: string): { reason: string; hint: string } {
  const reason = message.split('\n')[0] ?? message;
  switch (code) {
    case 'DUPLICATE_KEY':
      return { reason: 'this key is already written above', hint: 'Keep one of the two, or join what they hold.' };
    case 'TAB_AS_INDENT':
      return { reason: 'a tab is used for indentation', hint: 'Indent with spaces: YAML allows no tabs there.' };
    case 'BAD_INDENT':
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        reason,
        hint: 'Line it up with its neighbours: two spaces for each level, and quote text that holds ": ".',
      };
    case 'MULTIPLE_DOCS':
      return { reason: 'the file holds several documents', hint: 'Remove the "---" lines in the middle.' };
    case 'MISSING_CHAR':
      if (/map keys/i.test(reason)) return { reason: 'a key without ":"', hint: 'Write "key: value", with a space.' };
      return { reason, hint: 'Close the quote, bracket or brace, or add the missing sign.' };
    default:
      return { reason, hint: 'Check quotes, colons and indentation on this line and the one above.' };
  }
}
