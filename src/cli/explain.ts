import { type Command, InvalidArgumentError } from 'commander';
import { Dialplan, type Tried } from '../dialplan/dialplan.js';
import { loadSettings } from '../settings.js';
import { actionText, factsOf, type WrittenCall, writtenCall } from './dialplan-facts.js';
import { EXIT, print } from './output.js';

interface ExplainOptions {
  config?: string;
  dialplans?: string;
  header: string[];
  [name: string]: unknown;
}

/** `parley explain`: which entry takes a call, and why the others don't. */
export function register(program: Command): void {
  program
    .command('explain')
    .description('Tells which dialplan entry takes a call, and what stands against those before it.')
    .requiredOption('--to <number>', 'the number that is dialled')
    .option('--from <number>', "the caller's number")
    .option('--at <time>', 'when, for example 2026-12-24T18:30:00+01:00; now by default')
    .option('--source <address>', 'the IP address that the INVITE comes from')
    .option('--trunk <name>', 'the trunk it comes by; by its address when left out')
    .option('--header <line>', 'a SIP header, "X-Tier: gold"; may be repeated', collect, [])
    .option('--id <call-id>', 'the SIP Call-ID, which decides on shares')
    .option('-c, --config <file>', 'configuration file')
    .option('--dialplans <dir>', 'folder of the dialplan files, instead of the configured one')
    .action((options: ExplainOptions) => {
      process.exitCode = explain(options);
    });
}

function explain(options: ExplainOptions): number {
  const settings = loadSettings(options.config);
  const plan = Dialplan.load(options.dialplans ?? settings.dialplans);
  const facts = factsOf(callOf(options), settings);
  const tried = plan.explain(facts);
  for (const line of tried.map(lineOf)) print(line);
  const match = plan.match(facts);
  print(
    `The call is ${match ? actionText(match.action) : 'rejected with 404: no entry fits, and there is no default'}.`,
  );
  return match ? EXIT.ok : EXIT.failed;
}

function lineOf({ entry, against }: Tried): string {
  if (against.length === 0) return `yes  ${entry.id}${entry.default ? ' (default)' : ''}`;
  const reasons = against.map(({ key, wanted, found }) => `${key}: wants ${wanted}, is ${found}`);
  return `no   ${entry.id}  ${reasons.join('; ')}`;
}

function callOf({ header, config: _config, dialplans: _dialplans, ...written }: ExplainOptions): WrittenCall {
  const headers = Object.fromEntries(header.map(headerOf));
  const read = writtenCall.safeParse({ ...written, headers });
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new InvalidArgumentError(`--${issue?.path.join('.')}: ${issue?.message}`);
}

function headerOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 1) throw new InvalidArgumentError(`--header: "${line}" is not "Name: value"`);
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

function collect(line: string, lines: readonly string[]): string[] {
  return [...lines, line];
}
