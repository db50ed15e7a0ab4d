import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import type { z } from 'zod';
import { agentFile } from '../agent/file/schema.js';
import { environmentNames } from '../config/env.js';
import { referenceRows } from '../config/reference.js';
import { dialplanFile } from '../dialplan/file.js';
import { ERRORS } from '../errors.js';
import { OTHER_VARIABLES, settingsSchema } from '../settings.js';
import { loadScript } from './call/script.js';
import { program } from './program.js';
import { testFile } from './test.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = ['README.md', ...['docs', 'sip-config', 'examples'].flatMap(pagesOf)];

/** A fenced block of a page. */
interface Block {
  where: string;
  language: string;
  text: string;
}

const blocks = PAGES.flatMap((page) => {
  const lines = read(page).split('\n');
  const found: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    // One that names its file belongs to a whole that guides.test.ts loads.
    const language = /^```(\w*)$/.exec(lines[at] ?? '')?.[1];
    if (!lines[at]?.startsWith('```')) continue;
    const end = lines.indexOf('```', at + 1);
    const text = lines.slice(at + 1, end).join('\n');
    if (language !== undefined) found.push({ where: `${page}:${at + 1}`, language, text });
    at = end;
  }
  return found;
});

describe('what the documentation shows', () => {
  it.each(ofLanguage('yaml'))('$where is YAML that loads', ({ text }) => {
    const value: unknown = parse(text);
    const isTest = Array.isArray(value) && 'expect' in Object(value[0]);
    if (Array.isArray(value)) return void expect(problems(isTest ? testFile : dialplanFile, value)).toEqual([]);
    const keys = Object.keys(Object(value));
    if (keys.includes('steps')) return void loadScript(fileWith(text));
    const isSettings = keys.every((key) => key in settingsSchema.shape);
    // What is shown is the part that the page is about; what it names may stand in another.
    const elsewhere = / (there is no (topic|target|trunk) |nothing sets )/;
    const whole = isSettings ? value : { name: 'shown', greeting: 'Hello.', ...Object(value) };
    const found = problems(isSettings ? settingsSchema : agentFile, whole);
    expect(found.filter((problem) => !elsewhere.test(problem))).toEqual([]);
  });

  it.each(ofLanguage('json'))('$where is JSON', ({ text }) => {
    expect(() => JSON.parse(text)).not.toThrow();
  });

  it('are commands, with options and arguments that they take', () => {
    const typed = blocks
      .filter(({ language }) => language === 'sh' || language === '')
      .flatMap(({ where, text }) => commandLines(text).map((line) => ({ where, line })));
    // `parley serve --sip HOST:PORT` in the middle of a sentence or a table.
    const named = PAGES.flatMap((page) =>
      [...read(page).matchAll(/`((?:npx )?parley [a-z][^`\n]*)`/g)].map(([, line = '']) => ({ where: page, line })),
    );
    expect(typed.length).toBeGreaterThan(20);
    const wrong = [
      ...typed.map(({ where, line }) => [where, line, misuse(line, true)]),
      ...named.map(({ where, line }) => [where, line, misuse(line, false)]),
    ].filter(([, , why]) => why !== undefined);
    expect(wrong).toEqual([]);
  });

  it('are environment variables and scripts that there are', () => {
    const settings = new Set([...environmentNames(settingsSchema).keys(), ...OTHER_VARIABLES, ...Object.keys(ERRORS)]);
    const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
    const unknown = PAGES.flatMap((page) => {
      const text = read(page);
      const variables = [...text.matchAll(/\bPARLEY_[A-Z_]*[A-Z]\b(?!_?\*)/g)].map(([name]) => name);
      const ran = [...text.matchAll(/\bnpm run ([a-z]+)/g)].map(([, name = '']) => name);
      return [
        ...variables.filter(
          (name) => !/^PARLEY_TEST_/.test(name) && !settings.has(name) && !settings.has(name.replace(/_FILE$/, '')),
        ),
        ...ran.filter((name) => !scripts.includes(name)),
      ].map((name) => `${page}: ${name}`);
    });
    expect(unknown).toEqual([]);
    const page = read('docs/reference/configuration.md');
    expect(OTHER_VARIABLES.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('is every key of every file', () => {
    // Editors show what the schema says of each.
    const bare = Object.values({ settingsSchema, agentFile, dialplanFile })
      .flatMap((schema) => referenceRows(schema))
      .filter(({ description }) => description === '');
    expect(bare.map(({ key }) => key)).toEqual([]);
    const missing = Object.entries({ 'agent-file': agentFile, dialplan: dialplanFile }).flatMap(([name, schema]) => {
      const page = read(`docs/reference/${name}.md`);
      const keys = referenceRows(schema).map(({ key }) => key);
      return keys.filter((key) => !new RegExp(`\\b${key.replace('[]', '').split('.').at(-1)}\\b`).test(page));
    });
    expect(missing).toEqual([]);
  });
});

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

function pagesOf(folder: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`);
}

function ofLanguage(wanted: string): Block[] {
  return blocks.filter(({ language }) => language === wanted);
}

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-shown-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'shown.yaml'), text);
  return join(folder, 'shown.yaml');
}

function problems(schema: z.ZodType, value: unknown): string[] {
  return schema.safeParse(value).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim()) ?? [];
}

/** The `parley ...` of a block, one a line, continued lines joined, without what stands around them. */
function commandLines(text: string): string[] {
  return text
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/^(\$ )?([A-Z_]+=\S+ )*/, '').replace(/\s(#|\||>).*$/, ''))
    .map((line) => line.replace(/^node .*dist\/cli\/parley\.js/, 'parley'))
    .filter((line) => /^(npx )?parley /.test(line));
}

/** Why a command line would be refused; undefined when it would not. `whole`: nothing may be left out. */
function misuse(line: string, whole: boolean): string | undefined {
  const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
  let command: Command = program();
  let rest = words.slice(words.indexOf('parley') + 1);
  for (let inner = command; rest.length > 0; command = inner) {
    const found = command.commands.find((candidate) => candidate.name() === rest[0]);
    if (!found) break;
    inner = found;
    rest = rest.slice(1);
  }
  if (command.parent === null && rest[0] !== '--help') return `no command ${rest[0]}`;
  if (!whole) {
    const known = new Set(command.options.map(({ long }) => long));
    return rest.find((word) => word.startsWith('--') && !known.has(word.replace(/[,;].*/, '')));
  }
  try {
    const { operands, unknown } = command.parseOptions(rest);
    const required = command.registeredArguments.filter((argument) => argument.required);
    const missing = command.options.find(
      (option) => option.mandatory && command.getOptionValue(option.attributeName()) === undefined,
    );
    if (unknown.length > 0) return `unknown: ${unknown.join(' ')}`;
    if (missing) return `without ${missing.long}`;
    if (command.commands.length > 0) return 'without a command of it';
    return operands.length < required.length || operands.length > command.registeredArguments.length
      ? `${operands.length} arguments`
      : undefined;
  } catch (error) {
    return String(error);
  }
}
