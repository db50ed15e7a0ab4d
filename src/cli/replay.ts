import { type Command, InvalidArgumentError } from 'commander';
import { type AgentDefinition, loadAgents } from '../agent/agents.js';
import { readWav } from '../audio/wav.js';
import { ParleyError } from '../errors.js';
import type { StoredEvent } from '../journal/events.js';
import type { JournalBook } from '../journal/journal.js';
import { readRecording } from '../media/recording/read.js';
import { loadSettings, type Settings } from '../settings.js';
import { Keyring } from '../store/sealing/keyring.js';
import { PATIENCE, PATIENCE_NAMES, type WaitTimes } from '../turns/config.js';
import { SpeechEngines } from '../workers/speech/speech-engines.js';
import { findCall, reading, type StoreOptions, withStore } from './calls/store.js';
import { print } from './output.js';
import { type Answered, answerAgain } from './replay/answers.js';
import { contextOf, type FoundTurn, hearAgain } from './replay/audio.js';
import { type Redecided, redecide } from './replay/decisions.js';

interface ReplayOptions extends StoreOptions {
  agent?: string;
  patience?: keyof typeof PATIENCE;
  audio?: string;
  all?: boolean;
  json?: boolean;
}

/** Everything that a replay finds. */
interface Replayed {
  call: string;
  decisions: Redecided[];
  answers: Answered[];
  turns?: FoundTurn[];
}

const EXAMPLES = `
Examples:
  parley replay last                             with the agent file and the models of now
  parley replay last --patience quick            if the agent were quicker
  parley replay last --audio data/recordings/2026-11-27/CALL.wav

Actions are not run again: they give what they gave in the call.
`;

/** `parley replay`: a recorded call through the pipeline as it is now. */
export function register(program: Command): void {
  withStore(
    program
      .command('replay <id>')
      .description(
        'Runs a recorded call through the present models, settings and agent file, and shows what would be different.',
      ),
  )
    .option('--agent <name>', 'another agent than the one that took the call')
    .option('--patience <name>', `other waits: ${PATIENCE_NAMES.join(', ')}`, patienceName)
    .option('--audio <file>', "the call's recording (WAV): its caller is heard and its turns are found again")
    .option('--all', 'also show what stays the same')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action((id: string, options: ReplayOptions) =>
      reading(options, async (book, store) => {
        const replayed = await replay(book, await findCall(book, id, store), options);
        if (options.json) print(JSON.stringify(replayed));
        else for (const line of linesOf(replayed, options.all ?? false)) print(line);
      }),
    );
}

async function replay(book: JournalBook, call: string, options: ReplayOptions): Promise<Replayed> {
  const events = await book.read(call);
  const agent = agentOf(events, options);
  const endpointing: WaitTimes = options.patience ? PATIENCE[options.patience] : agent.endpointing;
  const { stopWords } = agent.interruption;
  const engines = await SpeechEngines.load();
  try {
    const decisions = await redecide(events, engines.turns, { endpointing, stopWords });
    // A language model never says the same twice, and costs.
    const answers = agent.reasoner.type === 'builtin' ? await answerAgain(events, agent, timeOf(events)) : [];
    if (options.audio === undefined) return { call, decisions, answers };
    const sound = readWav(await soundOf(options.audio, loadSettings(options.config)), options.audio, 0);
    const turns = await hearAgain(sound, engines, endpointing, contextOf(events, recordedFrom(events)));
    return { call, decisions, answers, turns };
  } finally {
    await engines.close();
  }
}

function agentOf(events: readonly StoredEvent[], options: ReplayOptions): AgentDefinition {
  const received = events.find((event) => event.type === 'call.received');
  const name = options.agent ?? (received?.type === 'call.received' ? (received.agent ?? '') : '');
  const agents = loadAgents(loadSettings(options.config).agents);
  const agent = agents.get(name);
  if (!agent) throw new ParleyError('PARLEY_ERR_AGENT_UNKNOWN', { agent: name, known: [...agents.keys()].join(', ') });
  return agent;
}

function timeOf(events: readonly StoredEvent[]): Date {
  const received = events.find((event) => event.type === 'call.received');
  return new Date(received?.type === 'call.received' ? received.time : Date.now());
}

/** A recording that names no beginning began with the answer. */
function recordedFrom(events: readonly StoredEvent[]): number {
  const began =
    events.find((event) => event.type === 'recording.started') ??
    events.find((event) => event.type === 'call.answered');
  return began?.at ?? 0;
}

function* linesOf({ call, decisions, answers, turns }: Replayed, all: boolean): Generator<string> {
  const shown = <T extends { differs: boolean }>(list: readonly T[]) => list.filter(({ differs }) => all || differs);
  const count = (list: readonly { differs: boolean }[]) =>
    `${list.filter(({ differs }) => differs).length} of ${list.length} different`;
  yield `call ${call}`;
  yield `turns and interruptions: ${count(decisions)}`;
  for (const { at, text, was, now } of shown(decisions)) {
    yield `  ${seconds(at / 1000)}  ${text}`;
    yield `    was ${was}; now ${now}`;
  }
  yield `answers: ${count(answers)}`;
  for (const { turn, text, was, now } of shown(answers)) {
    yield `  turn ${turn}  ${text}`;
    yield `    was [${was.topic || 'no topic'}] ${was.said}`;
    yield `    now [${now.topic || 'no topic'}] ${now.said}`;
  }
  if (!turns) return;
  yield `turns found in the recording: ${turns.length}`;
  for (const { from, to, text, waitMs, finished, pauses } of turns) {
    const inside = pauses.length > 0 ? `, pauses of ${pauses.join(', ')} ms inside` : '';
    yield `  ${seconds(from)} to ${seconds(to)}  ${text}   (wait ${waitMs} ms, P ${finished.toFixed(2)}${inside})`;
  }
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

function patienceName(text: string): keyof typeof PATIENCE {
  const name = PATIENCE_NAMES.find((known) => known === text);
  if (!name) throw new InvalidArgumentError(`write one of ${PATIENCE_NAMES.join(', ')}.`);
  return name;
}

/** An encrypted recording is decrypted. */
async function soundOf(path: string, { store }: Pick<Settings, 'store'>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await readRecording(path, Keyring.read(store.encryption.keysFile))) pieces.push(piece);
  return Buffer.concat(pieces);
}
