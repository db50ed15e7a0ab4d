import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ParleyError, reasonOf } from '../errors.js';
import { explainIssues } from './explain.js';
import { nearest } from './nearest.js';
import { ConfigProblems } from './problems.js';
import { schemasAt, unwrap } from './walk.js';

/** One setting that can be given by an environment variable. */
interface Setting {
  path: string[];
  schema: z.core.$ZodType;
}

/** Every variable that sets a key of the schema: `sip.port` is `PARLEY_SIP_PORT`, `callMs` is `PARLEY_..._CALL_MS`. */
export function environmentNames(schema: z.core.$ZodType): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  collect(schema, [], settings);
  return settings;
}

/**
 * Lays environment variables over a configuration: each key of the schema may be set by `PARLEY_` and its path in
 * capitals, or by the file that `..._FILE` names. Lists are written with commas, blocks as JSON. The whole is validated again, so that rules between keys hold.
 *
 * @param others names of `PARLEY_` variables that are no settings, besides `PARLEY_TEST_...`
 * @throws ConfigProblems of PARLEY_ERR_CONFIG_ENV
 */
export function overlayEnvironment<T>(
  config: T,
  schema: z.ZodType<T>,
  env: Readonly<Record<string, string | undefined>>,
  others: readonly string[] = [],
): T {
  const settings = environmentNames(schema);
  const problems: ParleyError[] = [];
  const used = new Map<string, string>();
  const merged: unknown = structuredClone(config);
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.startsWith('PARLEY_')) continue;
    if (name.startsWith('PARLEY_TEST_') || others.includes(name)) continue;
    const fromFile = !settings.has(name) && name.endsWith('_FILE');
    const setting = settings.get(fromFile ? name.slice(0, -'_FILE'.length) : name);
    if (!setting) {
      problems.push(unknownName(name, [...settings.keys()]));
      continue;
    }
    const plain = name.slice(0, -'_FILE'.length);
    if (fromFile && env[plain] !== undefined) {
      problems.push(new ParleyError('PARLEY_ERR_CONFIG_ENV', { name, reason: `${plain} is set, too` }));
      continue;
    }
    try {
      const value = fromFile ? readFileSync(text, 'utf8').trim() : text;
      used.set(setting.path.join('.'), name);
      assign(merged, setting.path, readValue(value, unwrap(setting.schema)));
    } catch (error) {
      problems.push(new ParleyError('PARLEY_ERR_CONFIG_ENV', { name, reason: reasonOf(error) }));
    }
  }
  if (used.size === 0 && problems.length === 0) return config;
  const result = schema.safeParse(merged);
  if (!result.success) {
    for (const { path, reason, hint } of explainIssues(result.error.issues, merged, schema)) {
      problems.push(
        new ParleyError('PARLEY_ERR_CONFIG_ENV', { name: nameFor(path, used), reason: `${reason}. ${hint}` }),
      );
    }
  }
  if (problems.length > 0 || !result.success) throw new ConfigProblems(problems);
  return result.data;
}

function collect(schema: z.core.$ZodType, path: string[], into: Map<string, Setting>): void {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    for (const [key, child] of Object.entries(inner.def.shape)) collect(child, [...path, key], into);
    return;
  }
  if (path.length > 0) into.set(`PARLEY_${path.map(upperSnake).join('_')}`, { path, schema });
}

function upperSnake(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}

function readValue(text: string, schema: z.core.$ZodType): unknown {
  if (schema instanceof z.ZodUnion) {
    // The first branch that takes the text as its own kind of value.
    const readings = schema.def.options.map((option) => ({ option, value: readValue(text, unwrap(option)) }));
    const fit = readings.find(({ option, value }) => z.core.safeParse(option, value).success);
    return fit ? fit.value : text;
  }
  if (schema instanceof z.ZodNumber) return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  if (schema instanceof z.ZodBoolean)
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
  if (schema instanceof z.ZodArray && !text.trimStart().startsWith('[')) return readList(text, schema);
  if (schema instanceof z.ZodArray || schema instanceof z.ZodRecord) return readJson(text);
  return text;
}

function readList(text: string, schema: z.ZodArray): unknown[] {
  const [element] = schemasAt(schema, [0]);
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '').map((part) => (element ? readValue(part, unwrap(element)) : part));
}

/** @throws Error that has nothing of the text, in which there may be secrets */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('is no valid JSON, which lists of blocks and blocks are written in');
  }
}

function assign(target: unknown, path: readonly string[], value: unknown): void {
  let object = target;
  for (const key of path.slice(0, -1)) {
    if (typeof object !== 'object' || object === null) return;
    const next: unknown = Reflect.get(object, key);
    if (typeof next !== 'object' || next === null) Reflect.set(object, key, {});
    object = Reflect.get(object, key);
  }
  const last = path.at(-1);
  if (typeof object === 'object' && object !== null && last !== undefined) Reflect.set(object, last, value);
}

function nameFor(path: readonly PropertyKey[], used: ReadonlyMap<string, string>): string {
  for (let length = path.length; length > 0; length--) {
    const name = used.get(path.slice(0, length).map(String).join('.'));
    if (name) return name;
  }
  return [...used.values()].join(', ');
}

function unknownName(name: string, names: readonly string[]): ParleyError {
  const meant = nearest(name, names);
  const reason = meant ? `no such setting; did you mean ${meant}?` : 'no such setting';
  return new ParleyError('PARLEY_ERR_CONFIG_ENV', { name, reason });
}
