import { type Command, InvalidArgumentError } from 'commander';
import { type CallFacts, Dialplan, type Tried } from '../dialplan/dialplan.js';
import { loadSettings, type Settings } from '../settings.js';
import { actionText, detailsOf, factsOf, type WrittenCall, writtenCall } from './dialplan-facts.js';
import { EXIT, print } from './output.js';

interface ExplainOptions {
  config?: string;
  dialplans?: string;
  header: string[];
  running: string[];
  json?: boolean;
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
    .option('--running <entry=calls>', 'calls that an entry, file#name, has already; may be repeated', collect, [])
    .option('--json', 'for programs')
    .action((options: ExplainOptions) => {
      process.exitCode = explain(options);
    });
}

function explain(options: ExplainOptions): number {
  const settings = loadSettings(options.config);
  const plan = Dialplan.load(options.dialplans ?? settings.dialplans);
  const facts = factsOf(callOf(options), settings);
  const tried = plan.explain(facts);
  const match = plan.match(facts);
  if (options.json) print(JSON.stringify(forPrograms(facts, tried, match, settings), undefined, 2));
  else explainInWords(tried, match, settings, facts.trunk);
  return match ? EXIT.ok : EXIT.failed;
}

type Match = ReturnType<Dialplan['match']>;

function explainInWords(tried: readonly Tried[], match: Match, settings: Settings, trunk: string | undefined): void {
  for (const line of tried.map(lineOf)) print(line);
  const none = 'rejected with 404: no entry fits, and there is no default';
  print(`The call is ${match ? actionText(match.action) : none}.`);
  for (const [what, how] of match ? detailsOf(match.action, settings.recording.announcement) : []) {
    print(`  ${what}: ${how}`);
  }
  if (trunk !== undefined) print(`  trunk: ${trunkText(trunk, settings)}`);
  const calls = tried.find(({ entry }) => entry.id === match?.entry)?.entry.calls;
  if (calls !== undefined) print(`  calls: at most ${calls} at once; more go on to the next entry that fits`);
}

function trunkText(name: string, { trunks }: Settings): string {
  const { calls, overflow, inbound } = trunks.find((trunk) => trunk.name === name) ?? {};
  const more = overflow ? `redirected to ${overflow.target ?? overflow.uri}` : 'refused with 503';
  const cap = calls === undefined ? '' : `, at most ${calls} calls at once, both ways; more are ${more}`;
  return `${name}${inbound ? ', after digest authentication' : ''}${cap}`;
}

/** The whole decision. */
function forPrograms(
  { to, from, source, trunk, at }: CallFacts,
  tried: readonly Tried[],
  match: Match,
  { trunks }: Settings,
) {
  const by = trunks.find(({ name }) => name === trunk);
  return {
    call: { to, from, source, trunk, at: new Date(at ?? Date.now()).toISOString() },
    tried: tried.map(({ entry: { id, priority, default: last, calls }, against }) => ({
      entry: id,
      fits: against.length === 0,
      priority,
      default: last,
      calls,
      against,
    })),
    trunk: by && { name: by.name, digest: by.inbound !== undefined, calls: by.calls, overflow: by.overflow },
    entry: match?.entry,
    action: match?.action ?? { type: 'reject', status: 404, reason: 'no dialplan entry' },
  };
}

function lineOf({ entry, against }: Tried): string {
  if (against.length === 0) return `yes  ${entry.id}${entry.default ? ' (default)' : ''}`;
  const reasons = against.map(({ key, wanted, found }) => `${key}: wants ${wanted}, is ${found}`);
  return `no   ${entry.id}  ${reasons.join('; ')}`;
}

function callOf({
  header,
  running: full,
  config: _c,
  dialplans: _d,
  json: _j,
  ...written
}: ExplainOptions): WrittenCall {
  const headers = Object.fromEntries(header.map(headerOf));
  const running = Object.fromEntries(full.map(runningOf));
  const read = writtenCall.safeParse({ ...written, headers, running });
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new InvalidArgumentError(`--${issue?.path.join('.')}: ${issue?.message}`);
}

function headerOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 1) throw new InvalidArgumentError(`--header: "${line}" is not "Name: value"`);
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

function runningOf(text: string): [entry: string, calls: number] {
  const [, entry = '', calls = ''] = /^(.+)=(\d+)$/.exec(text) ?? [];
  if (entry === '') throw new InvalidArgumentError(`--running: "${text}" is not "file#name=calls"`);
  return [entry, Number(calls)];
}

function collect(line: string, lines: readonly string[]): string[] {
  return [...lines, line];
}
