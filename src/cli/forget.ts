import { type Command, InvalidArgumentError } from 'commander';
import { type AgentDefinition, loadAgents } from '../agent/agents.js';
import { AuditLog } from '../console/audit.js';
import { type ForgetRequest, type Forgotten, numberName } from '../console/forget.js';
import { ParleyError } from '../errors.js';
import { deletionsOf, discardClips, keptOf } from '../kept.js';
import { loadSettings, type Settings } from '../settings.js';
import { Lexicon } from '../speech/synthesis/lexicon.js';
import type { Store } from '../store/store.js';
import { createLogger } from '../telemetry/log.js';
import { Speaker } from '../workers/speaker.js';
import { type ApiOptions, apiOf, nobodyThere } from './api.js';
import { reading, withStore } from './calls/store.js';
import { EXIT, print, printError } from './output.js';

interface Options extends ApiOptions {
  config?: string;
  data?: string;
  country?: string;
  dryRun?: boolean;
  json?: boolean;
}

/** `parley forget`: deletes all that is kept of one caller. */
export function register(program: Command): void {
  withStore(
    program
      .command('forget <number>')
      .description(
        "Deletes what is kept of a caller's calls: journals, recordings, clips, SIP messages, hand-offs, call-backs.",
      ),
  )
    .option('--country <code>', 'country code, e.g. 49: +49 30 1234567 and 030 1234567 are then the same', countryCode)
    .option('--dry-run', 'only tell what would be deleted')
    .option('--url <url>', 'the server that does it; otherwise that of the configuration, or the store itself')
    .option('--token <token>', 'of an admin')
    .option('--json', 'print one JSON object')
    .action((number: string, options: Options) => forgetCaller(number, options));
}

async function forgetCaller(number: string, options: Options): Promise<void> {
  const settings = loadSettings(options.config);
  const { country, dryRun = false } = options;
  const request: ForgetRequest = { number, country, dryRun };
  const done = await byServer(settings, options, request);
  if (done) return show(done, options);
  await reading(options, async (book, _where, store) => {
    const own = { ...settings, data: options.data ?? settings.data };
    const kept = keptOf({
      settings: own,
      deletions: deletionsOf(own, store, createLogger('silent')),
      store,
      journals: book,
      clips: clipsOf(settings, store),
    });
    const forgotten = await kept.forget(request);
    if (!dryRun) {
      const audit = new AuditLog(store, settings.store.retention.auditMs, createLogger('silent'));
      await audit.note({ name: 'command line', role: 'admin' }, 'caller.forget', await numberName(number), 'done');
    }
    show(forgotten, options);
  });
}

/** A server has clips in memory too. Undefined when there is none, or another store was named. */
async function byServer(settings: Settings, options: Options, request: ForgetRequest): Promise<Forgotten | undefined> {
  if (options.data !== undefined && options.url === undefined) return undefined;
  try {
    return (await apiOf(settings, options).send('POST', '/v1/forget', request)) as Forgotten;
  } catch (error) {
    if (options.url !== undefined || !nobodyThere(error)) throw error;
    printError('no server runs here: the store itself is seen to');
    return undefined;
  }
}

function clipsOf(settings: Settings, store: Store) {
  const speech = { synthesise: () => Promise.reject(new ParleyError('PARLEY_ERR_INTERNAL', { reason: 'no speech' })) };
  const speaker = new Speaker({ speech, store, clipTtlMs: 0, memoryBytes: 0, logger: createLogger('error') });
  const agents = loadAgents(settings.agents);
  return (name: string | undefined, texts: readonly string[]) =>
    discardClips(voiceOf(agents.get(name ?? '')), texts, speaker, [8000, 16_000]);
}

function voiceOf(agent: AgentDefinition | undefined) {
  if (!agent) return undefined;
  const { pronunciations, ...voice } = agent.voice;
  return { voice, lexicon: pronunciations.length > 0 ? new Lexicon(pronunciations) : undefined };
}

function show(done: Forgotten, { dryRun, json }: Options): void {
  if (done.failed.length + done.unreadable.length > 0) process.exitCode = EXIT.failed;
  if (json) return print(JSON.stringify(done));
  const { calls, live, events, recordings, handoffs, callbacks, unreadable, failed } = done;
  for (const call of unreadable) printError(`  ${call} cannot be read: nobody knows whose it is`);
  if (dryRun) {
    print(`would delete: ${calls.length} calls, ${handoffs} hand-offs, ${callbacks} call-backs`);
    for (const call of calls) print(`  ${call}`);
    return;
  }
  print(
    `deleted: ${calls.length} calls (${events} events, ${recordings} recordings), ${handoffs} hand-offs, ${callbacks} call-backs`,
  );
  for (const call of live) print(`  ${call} is not over: it is deleted when it is`);
  for (const { call, reason } of failed) printError(`  ${call} could not be deleted: ${reason}`);
}

function countryCode(text: string): string {
  const code = text.replace(/^\+/, '');
  if (!/^[1-9]\d{0,2}$/.test(code)) throw new InvalidArgumentError('write one to three digits, as in 49.');
  return code;
}
