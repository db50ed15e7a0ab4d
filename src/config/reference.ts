import { z } from 'zod';
import { environmentNames } from './env.js';

/** What is read of a JSON Schema (draft 2020-12). */
interface JsonSchema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}

/** One key of a configuration file. */
export interface ReferenceRow {
  /** `sip.port`, `trunks[].name`, `targets.NAME.uri`. */
  key: string;
  type: string;
  /** As it is written in YAML; nothing when there is none. */
  default: string;
  description: string;
  /** The environment variable that sets it; none inside lists. */
  env: string | undefined;
}

/** A schema as JSON Schema of what is written in a file: for editors. */
export function jsonSchemaOf(schema: z.core.$ZodType, title: string): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return { $schema, title, ...rest };
}

/** Every key of a configuration file, in the order of its schema. */
export function referenceRows(schema: z.core.$ZodType): ReferenceRow[] {
  const names = new Map([...environmentNames(schema)].map(([name, { path }]) => [path.join('.'), name]));
  const rows: ReferenceRow[] = [];
  const add = (key: string, node: JsonSchema): void => {
    const row = { key, type: typeOf(node), default: writtenDefault(node.default), description: node.description ?? '' };
    rows.push({ ...row, env: names.get(key) });
  };
  const walk = (node: JsonSchema, key: string): void => {
    const inner = node.properties ? [node] : (node.anyOf ?? []).filter(({ properties }) => properties);
    const items = node.items?.properties || node.items?.anyOf?.some(({ properties }) => properties);
    const named = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
    if (node.items && items) {
      if (node.description) add(key, node);
      return walk(node.items, `${key}[]`);
    }
    if (named?.properties) {
      add(key, node);
      return walk(named, `${key}.NAME`);
    }
    const others = node.anyOf && inner.length < node.anyOf.length;
    if (key !== '' && (inner.length === 0 || node.description || others)) add(key, node);
    for (const { properties = {} } of inner) {
      for (const [name, child] of Object.entries(properties)) walk(child, key === '' ? name : `${key}.${name}`);
    }
  };
  walk(jsonSchemaOf(schema, '') as JsonSchema, '');
  return rows;
}

/** The rows as Markdown tables, one for each first key. */
export function referenceTables(rows: readonly ReferenceRow[]): string {
  const sections = new Map<string, ReferenceRow[]>();
  for (const row of rows) {
    const section = row.key.split(/[.[]/, 1)[0] ?? '';
    sections.set(section, [...(sections.get(section) ?? []), row]);
  }
  return [...sections].map(([section, list]) => `## ${section}\n\n${table(list)}\n`).join('\n');
}

function table(rows: readonly ReferenceRow[]): string {
  const lines = rows.map(({ key, type, default: value, description, env }) => {
    const cells = [`\`${key}\``, type, value === '' ? '' : `\`${value}\``, env ? `\`${env}\`` : '', description];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ')).join(' | ')} |`;
  });
  return ['| key | | default | environment | |', '|---|---|---|---|---|', ...lines].join('\n');
}

function typeOf(node: JsonSchema): string {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(', ');
  if (node.anyOf) return [...new Set(node.anyOf.map(typeOf))].join(' or ');
  switch (node.type) {
    case 'array':
      return node.items?.enum ? `list of ${typeOf(node.items)}` : 'list';
    case 'integer':
    case 'number':
      return `${node.type === 'integer' ? 'whole number' : 'number'}${range(node)}`;
    case 'string':
      return 'text';
    case 'boolean':
      return '`true`, `false`';
    case 'object':
      return 'block';
    default:
      return 'any';
  }
}

function range({ minimum, maximum }: JsonSchema): string {
  const least = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (least !== undefined && most !== undefined) return `, ${least} to ${most}`;
  if (least !== undefined) return `, from ${least}`;
  return most === undefined ? '' : `, up to ${most}`;
}

function writtenDefault(value: unknown): string {
  if (value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0))
    return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
