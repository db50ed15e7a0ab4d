import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { type AgentDefinition, loadAgents } from '../agent/agents.js';
import { createReasoner } from '../agent/create.js';
import { fitTopics } from '../agent/topics/meaning.js';
import { Conversation, openingOf } from '../conversation/conversation.js';
import type { ConversationSettings } from '../conversation/settings.js';
import type { Voice, VoiceEvent } from '../conversation/voice.js';
import { ParleyError } from '../errors.js';
import { newCallId } from '../journal/journal.js';
import { TopicEncoder } from '../language/encoder.js';
import { Meanings } from '../language/meanings.js';
import { conversationSettings, loadSettings, type Settings } from '../settings.js';
import { monotonicMs } from '../telemetry/clock.js';
import { createLogger } from '../telemetry/log.js';
import { print } from './output.js';

interface ChatOptions {
  config?: string;
  events?: boolean;
}

/** `parley chat`: the same agent in text. */
export function register(program: Command): void {
  program
    .command('chat')
    .description('Talks with an agent in text: the same agent file, the same turns, no audio.')
    .argument('[agent]', 'name of the agent', 'orders')
    .option('-c, --config <file>', 'configuration file')
    .option('--events', 'also show what goes on the journal')
    .action(async (agent: string, options: ChatOptions) => chat(agent, options));
}

async function chat(name: string, options: ChatOptions): Promise<void> {
  const settings = loadSettings(options.config);
  const agents = loadAgents(settings.agents);
  const agent = agents.get(name);
  if (!agent) throw new ParleyError('PARLEY_ERR_AGENT_UNKNOWN', { agent: name, known: [...agents.keys()].join(', ') });
  const voice = new TextVoice();
  const encoder = await TopicEncoder.load();
  const meanings = new Meanings();
  const classifier = await fitTopics(agent.topics, { embed: (texts) => encoder.embed(texts), meanings });
  const session = createReasoner(agent, { classifier }).open({ call: newCallId(), channel: 'text', variables: {} });
  let over: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    over = resolve;
  });
  const conversation = new Conversation({
    voice,
    session,
    settings: patient(agent, settings),
    record: (event) => options.events && event.type !== 'agent.started' && print(`  ${JSON.stringify(event)}`),
    origin: monotonicMs(),
    finish: (afterwards) => {
      print(afterwards.type === 'transfer' ? '(hands over to a person)' : '(hangs up)');
      over();
    },
    logger: createLogger('error'),
  });
  conversation.begin(openingOf(session, undefined));
  const input = createInterface({ input: process.stdin, prompt: '' });
  try {
    const said = async (line: string) => {
      meanings.remember(await encoder.meanings(line));
      await voice.type(line);
    };
    await Promise.race([typeLines(input, said), ended]);
  } finally {
    input.close();
    conversation.end();
  }
}

/** Each line is a turn; the next waits for the answer, so that a script can be piped in. */
async function typeLines(lines: AsyncIterable<string>, say: (line: string) => Promise<void>): Promise<void> {
  for await (const line of lines) if (line.trim()) await say(line.trim());
}

/** Nobody is asked whether they are still there while they type. */
function patient(agent: AgentDefinition, settings: Settings): ConversationSettings {
  const forever = 2 ** 31 - 1;
  return { ...conversationSettings(agent, settings), callMs: forever, idle: { ...agent.idle, afterMs: forever } };
}

/** The voice port in text: what is said is printed, and so was heard. */
class TextVoice implements Voice {
  readonly channel = 'text';
  private listener: (event: VoiceEvent) => void = () => {};
  private answered: () => void = () => {};

  listen(listener: (event: VoiceEvent) => void): void {
    this.listener = listener;
  }

  say({ id, text }: { id: string; text: string }): void {
    const at = monotonicMs();
    print(`agent: ${text}`);
    this.listener({ type: 'utterance.started', at, id });
    this.listener({ type: 'utterance.ended', at, id, heard: text, stopped: false });
  }

  /** Resolves when the answer is complete. */
  async type(text: string): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.answered = resolve;
    });
    this.listener({ type: 'text', at: monotonicMs(), text });
    await answered;
  }

  /** Told at the end of each reply: what the next answer is expected to be. */
  expect(): void {
    this.answered();
  }

  prepare(): void {}
  stop(): void {}
  yield(): void {}
  goOn(): void {}
  sensitive(): void {}
  commit(): void {}
  finalise(): void {}
  close(): void {}
}
