import type { Command } from 'commander';
import { type AgentDefinition, loadAgents } from '../agent/agents.js';
import { checkTargets } from '../calls/targets/targets.js';
import { checkNamedFiles } from '../config/named-files.js';
import { ConfigProblems } from '../config/problems.js';
import { Dialplan } from '../dialplan/dialplan.js';
import { ParleyError } from '../errors.js';
import { loadSettings } from '../settings.js';
import { checkVoice } from '../speech/synthesis/engines.js';
import { EXIT, print, printError, printFailure } from './output.js';

interface CheckOptions {
  config?: string;
  agents?: string;
  dialplans?: string;
}

/** `parley check`: is the configuration right? */
export function register(program: Command): void {
  program
    .command('check')
    .description('Reads the whole configuration and tells everything that is wrong with it.')
    .option('-c, --config <file>', 'configuration file')
    .option('--agents <dir>', 'folder of the agent files, instead of the configured one')
    .option('--dialplans <dir>', 'folder of the dialplan files, instead of the configured one')
    .action((options: CheckOptions) => {
      process.exitCode = check(options);
    });
}

function check(options: CheckOptions): number {
  const problems: ParleyError[] = [];
  const settings = gather(problems, () => loadSettings(options.config));
  const agentFolder = options.agents ?? settings?.agents;
  const dialplanFolder = options.dialplans ?? settings?.dialplans;
  const agents = agentFolder === undefined ? undefined : gather(problems, () => loadAgents(agentFolder));
  const dialplan = dialplanFolder === undefined ? undefined : gather(problems, () => Dialplan.load(dialplanFolder));
  if (agents) gather(problems, () => dialplan?.checkAgents(new Set(agents.keys())));
  const { targets = {} } = settings ?? {};
  if (settings) gather(problems, () => checkNamedFiles(settings));
  if (settings) gather(problems, () => dialplan?.checkTargets(new Set(Object.keys(targets))));
  if (settings) gather(problems, () => dialplan?.checkTrunks(new Set(settings.trunks.map(({ name }) => name))));
  if (settings && agents) gather(problems, () => checkTargets(targets, [...agents.values()]));
  for (const warning of [...(agents?.values() ?? [])].flatMap(voiceWarnings)) printError(`warning: ${warning}`);
  if (problems.length > 0) {
    printFailure(new ConfigProblems(problems));
    print(problems.length === 1 ? '1 problem.' : `${problems.length} problems.`);
    return EXIT.failed;
  }
  print(`${counted(agents?.size, 'agent')}, ${counted(dialplan?.entries.length, 'dialplan entry')}: all right.`);
  return EXIT.ok;
}

/** What a step makes, or nothing with its problems noted. */
function gather<T>(problems: ParleyError[], step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof ConfigProblems) problems.push(...error.problems);
    else if (error instanceof ParleyError) problems.push(error);
    else throw error;
    return undefined;
  }
}

function voiceWarnings({ file, voice }: AgentDefinition): string[] {
  return checkVoice(voice).map((warning) => `${file}: voice: ${warning}`);
}

function counted(count = 0, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}
