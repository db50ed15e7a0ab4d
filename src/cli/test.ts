import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { collectProblems } from '../config/problems.js';
import { loadYaml } from '../config/yaml.js';
import { Dialplan, noticeOf, redirectionText } from '../dialplan/dialplan.js';
import { ParleyError } from '../errors.js';
import { loadSettings, type Settings } from '../settings.js';
import { actionText, factsOf, writtenCall } from './dialplan-facts.js';
import { EXIT, print } from './output.js';

const expectation = z
  .strictObject({
    /** `file#name`, or the name alone. */
    entry: z.string().optional(),
    agent: z.string().optional(),
    status: z.number().int().optional(),
    redirect: z.string().optional(),
    language: z.string().optional(),
    /** Text that is in the notice, its announcement included; or the question for consent. */
    notice: z.string().optional(),
    consent: z.string().optional(),
    recorded: z.boolean().optional(),
    /** Target or URI of the fallback. */
    fallback: z.string().optional(),
    /** Those that are named here must have these values. */
    variables: z.record(z.string(), z.unknown()).optional(),
  })
  .refine((value) => Object.values(value).some((each) => each !== undefined), {
    message: 'expects nothing',
    params: {
      hint: 'Name at least one of entry, agent, status, redirect, language, notice, consent, recorded, fallback, variables.',
    },
  });

/** A file of tests. */
export const testFile = z.array(z.strictObject({ name: z.string().min(1), call: writtenCall, expect: expectation }));

type DialplanTest = z.output<typeof testFile>[number];

/** `parley test`: does the dialplan do what its tests say? */
export function register(program: Command): void {
  program
    .command('test')
    .description('Runs the tests of a dialplan: each tests/*.yaml of its folder names calls and where they must go.')
    .argument('[dir]', 'folder of the dialplan files; the configured one by default')
    .option('-c, --config <file>', 'configuration file')
    .action((directory: string | undefined, options: { config?: string }) => {
      const settings = loadSettings(options.config);
      process.exitCode = test(directory ?? settings.dialplans, settings);
    });
}

function test(directory: string, settings: Settings): number {
  const plan = Dialplan.load(directory);
  let failed = 0;
  const tests = loadTests(join(directory, 'tests'));
  for (const { file, test } of tests) {
    const wrong = mismatches(plan, test, settings);
    if (wrong.length > 0) failed++;
    print(
      `${wrong.length === 0 ? 'ok    ' : 'failed'}  ${file}: ${test.name}${wrong.map((line) => `\n        ${line}`).join('')}`,
    );
  }
  print(`${tests.length - failed} passed, ${failed} failed`);
  return failed === 0 ? EXIT.ok : EXIT.failed;
}

function loadTests(folder: string): { file: string; test: DialplanTest }[] {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => /\.ya?ml$/.test(name)) : [];
  if (files.length === 0) {
    throw new ParleyError('PARLEY_ERR_CONFIG_FILE', { file: folder, reason: 'there are no tests, *.yaml' });
  }
  const tests: { file: string; test: DialplanTest }[] = [];
  collectProblems(
    files.sort().map((name) => () => {
      for (const test of loadYaml(join(folder, name), testFile)) tests.push({ file: basename(name), test });
    }),
  );
  return tests;
}

/** What is other than expected; nothing when the test passes. */
function mismatches(plan: Dialplan, { call, expect }: DialplanTest, settings: Settings): string[] {
  const match = plan.match(factsOf(call, settings));
  const action = match?.action;
  const found: Record<string, unknown> = {
    entry: expect.entry?.includes('#') ? match?.entry : match?.entry.split('#').slice(1).join('#'),
    agent: action?.type === 'answer' ? action.agent : undefined,
    status: action ? (action.type === 'reject' ? action.status : undefined) : 404,
    redirect: action?.type === 'redirect' ? redirectionText(action.to) : undefined,
    ...(action?.type === 'answer' && {
      language: action.language,
      consent: action.consent?.ask,
      recorded: action.record !== false,
      fallback: action.fallback?.target ?? action.fallback?.redirect,
    }),
  };
  const { variables, notice, ...plain } = expect;
  const wrong = Object.entries(plain).filter(([key, value]) => value !== undefined && found[key] !== value);
  const lines = wrong.map(([key, value]) => `${key}: expected ${value}, found ${found[key] ?? 'none'}`);
  const said = action?.type === 'answer' ? noticeOf(action, settings.recording.announcement) : undefined;
  if (notice !== undefined && !said?.includes(notice))
    lines.push(`notice: expected ${notice}, found ${said ?? 'none'}`);
  const given = action?.type === 'answer' ? action.variables : {};
  for (const [name, value] of Object.entries(variables ?? {})) {
    if (JSON.stringify(given[name]) === JSON.stringify(value)) continue;
    lines.push(`variable ${name}: expected ${JSON.stringify(value)}, found ${JSON.stringify(given[name]) ?? 'none'}`);
  }
  if (lines.length > 0) lines.push(match && action ? `${match.entry}: ${actionText(action)}` : 'no entry fits');
  return lines;
}
