import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ActionFunctions } from './agent/actions/local.js';
import { type AgentDefinition, type AgentSources, loadAgents } from './agent/agents.js';
import { createReasoner } from './agent/create.js';
import type { Classifier } from './agent/topics/classifier.js';
import { fitTopics } from './agent/topics/meaning.js';
import { agentVocabulary } from './agent/vocabulary.js';
import { checkTargets, targetsOf } from './calls/targets/targets.js';
import type { VoiceAgent } from './calls/voice-agent.js';
import { ConfigProblems } from './config/problems.js';
import { versionOf } from './config/version.js';
import { FileWatch } from './config/watch.js';
import type { LoadedFiles, ReloadOutcome } from './console/reload-api.js';
import { Dialplan, type DialplanSource } from './dialplan/dialplan.js';
import { ParleyError, reasonOf } from './errors.js';
import { conversationSettings, type Settings } from './settings.js';
import { Lexicon } from './speech/synthesis/lexicon.js';
import { sentencesOf } from './speech/synthesis/splitter.js';
import type { Logger } from './telemetry/log.js';
import { LlmJudge } from './turns/llm-judge.js';
import type { Speaker } from './workers/speaker.js';
import type { SpeechHost } from './workers/speech/speech-host.js';

/** Agents and dialplan as the files had them at one moment. */
interface Files {
  definitions: ReadonlyMap<string, AgentDefinition>;
  dialplan: Dialplan;
}

/** What a program gives in place of the folders of the settings. */
export interface Sources {
  agents?: AgentSources | undefined;
  dialplan?: DialplanSource | undefined;
  /** For actions of type `function`. */
  functions?: ActionFunctions | undefined;
}

/** What calls are answered with. A call keeps the edition that it began with. */
export interface Edition {
  dialplan: Dialplan;
  agents: ReadonlyMap<string, VoiceAgent>;
}

/** What editions are prepared with. */
export interface AnsweringOptions {
  settings: Settings;
  given: Sources;
  speech: SpeechHost;
  speaker: Speaker;
  /** Rates that legs may have, Hz. */
  sampleRates: readonly number[];
  logger: Logger;
}

/**
 * Reads agents and dialplan, and checks them against each other and the targets.
 *
 * @throws ConfigProblems, ParleyError
 */
export function readFiles(settings: Settings, { agents, dialplan: entries, functions = {} }: Sources): Files {
  const definitions = loadAgents(agents ?? settings.agents, functions);
  const dialplan = Dialplan.load(entries ?? settings.dialplans);
  dialplan.checkAgents(new Set(definitions.keys()));
  dialplan.checkTargets(new Set(Object.keys(settings.targets)));
  dialplan.checkTrunks(new Set(settings.trunks.map(({ name }) => name)));
  checkTargets(settings.targets, [...definitions.values()]);
  return { definitions, dialplan };
}

/** Keeps what calls are answered with as the files are, while the server runs. */
export class Answering {
  private readonly judge: LlmJudge | undefined;
  private readonly settingsVersion: string;
  private since = new Date();
  private refused: readonly ParleyError[] = [];
  private restartNeeded = false;
  private reloading: Promise<unknown> = Promise.resolve();
  private watching: FileWatch | undefined;
  private tell: (edition: Edition) => void = () => undefined;
  private count: (outcome: ReloadOutcome['outcome']) => void = () => undefined;

  private constructor(
    private readonly options: AnsweringOptions,
    private files: Files,
    private agents: ReadonlyMap<string, VoiceAgent>,
  ) {
    this.judge = secondJudge(options.settings);
    this.settingsVersion = versionOfFile(options.settings.file);
  }

  /** @throws ParleyError PARLEY_ERR_SPEECH_WORKER */
  static async start(files: Files, options: AnsweringOptions): Promise<Answering> {
    const answering = new Answering(options, files, new Map());
    answering.agents = await answering.prepare(files);
    return answering;
  }

  /** What new calls are answered with. */
  get edition(): Edition {
    return { dialplan: this.files.dialplan, agents: this.agents };
  }

  /**
   * Reads the files again whenever they change, from now on.
   *
   * @param tell told of each new edition
   * @param count told how each attempt came out
   */
  watch(tell: (edition: Edition) => void, count: (outcome: ReloadOutcome['outcome']) => void): void {
    this.tell = tell;
    this.count = count;
    this.watching = new FileWatch(
      () => this.watched(),
      () => void this.reload(),
    );
  }

  close(): void {
    this.watching?.close();
  }

  /** What is loaded, and what stands against what is in the files now. */
  state(): LoadedFiles {
    const { dialplan, definitions } = this.files;
    const { settings, given } = this.options;
    const folder = given.dialplan ?? settings.dialplans;
    return {
      since: this.since.toISOString(),
      agents: [...definitions.values()].map(({ name, file, version }) => ({ name, file, version })),
      dialplans: [...dialplan.files].map(([name, version]) => ({
        file: typeof folder === 'string' ? join(folder, name) : name,
        version,
      })),
      dialplan: dialplan.version,
      problems: this.refused,
      restartNeeded: this.restartNeeded,
    };
  }

  /** Reads the files again: all of them hold from the next call on, or nothing does. One after another; never rejects. */
  reload(): Promise<ReloadOutcome> {
    const outcome = this.reloading.then(() => this.attempt());
    this.reloading = outcome;
    return outcome;
  }

  private async attempt(): Promise<ReloadOutcome> {
    const { logger, settings, given } = this.options;
    this.checkSettings();
    const before = this.state();
    try {
      const files = readFiles(settings, given);
      const changed = differences(this.files, files);
      if (changed.length > 0) {
        const agents = await this.prepare(files);
        this.files = files;
        this.agents = agents;
        this.since = new Date();
        this.tell(this.edition);
      }
      const outcome = changed.length > 0 ? 'done' : 'unchanged';
      const corrected = this.refused.length > 0;
      this.refused = [];
      this.count(outcome);
      const { agents, dialplan } = this.state();
      const versions = Object.fromEntries(agents.map(({ name, version }) => [name, version]));
      if (outcome === 'done' || corrected) logger.info({ changed, agents: versions, dialplan }, 'files reloaded');
      return { outcome, changed, ...this.state() };
    } catch (error) {
      this.refused = problemsOf(error);
      if (textOf(before.problems) !== textOf(this.refused)) this.complain();
      return { outcome: 'refused', changed: [], ...this.state() };
    }
  }

  private complain(): void {
    this.count('refused');
    for (const { code: cause, message, mend } of this.refused) {
      const { code, message: said } = new ParleyError('PARLEY_ERR_RELOAD', { reason: message });
      this.options.logger.error({ code, cause, mend }, said);
    }
  }

  /** parley.yaml is read at the start only. */
  private checkSettings(): void {
    const { settings, logger } = this.options;
    const changed = versionOfFile(settings.file) !== this.settingsVersion;
    if (changed && !this.restartNeeded)
      logger.warn({ file: settings.file }, 'this file has changed: it is read at the start only, so restart to use it');
    this.restartNeeded = changed;
  }

  private watched() {
    const { settings, given } = this.options;
    const sources = [...this.files.definitions.values()].flatMap((agent) => agent.sources);
    const own = [given.agents ?? settings.agents, given.dialplan ?? settings.dialplans];
    const folders = new Set(own.filter((source) => typeof source === 'string'));
    for (const file of sources) folders.add(dirname(file));
    // What is missing may come to lie in a folder that nobody watches yet.
    const again = this.refused.length > 0;
    return { folders: [...folders], files: settings.file === undefined ? [] : [settings.file], again };
  }

  /** The agents as calls need them; those that are as they were stay. All that can be made ready for a call is. */
  private async prepare({ definitions, dialplan }: Files): Promise<Map<string, VoiceAgent>> {
    const { settings, speech } = this.options;
    const source = { embed: (texts: readonly string[]) => speech.embed(texts), meanings: speech.meanings };
    const agents = new Map<string, VoiceAgent>();
    for (const [name, definition] of definitions) {
      const known = this.agents.get(name);
      const agent =
        known?.version === definition.version
          ? known
          : voiceAgent(definition, settings, await fitTopics(definition.topics, source), this.judge);
      agents.set(name, agent);
      const notices = dialplan.spoken(name, settings.recording.announcement);
      await this.warm(agent, agent === known ? notices : [...notices, ...promptsOf(agent)]);
    }
    return agents;
  }

  /** What every caller hears is synthesised before the first call. */
  private async warm({ name, voice, lexicon }: VoiceAgent, texts: readonly string[]): Promise<void> {
    const { speaker, sampleRates, logger } = this.options;
    for (const sentence of texts.flatMap((text) => sentencesOf(text))) {
      for (const sampleRate of sampleRates) {
        await speaker
          .prepare(sentence, voice, sampleRate, lexicon)
          .catch((error) => logger.error({ err: error, agent: name }, 'prompt could not be synthesised'));
      }
    }
  }
}

/** Greeting, idle prompts, apologies. */
function promptsOf({ reasoner, settings: { idle, apology, farewell, bearWithMe } }: VoiceAgent): string[] {
  const session = reasoner.open({ call: 'warm-up', channel: 'voice', variables: {} });
  const greeting = session.greeting();
  session.close();
  return [greeting, ...idle.prompts, idle.goodbye, apology, farewell, bearWithMe];
}

/** An agent file as a call needs it. */
function voiceAgent(
  agent: AgentDefinition,
  settings: Settings,
  classifier: Classifier,
  judge: LlmJudge | undefined,
): VoiceAgent {
  const { pronunciations, ...voice } = agent.voice;
  const { target } = agent.escalation;
  return {
    name: agent.name,
    version: agent.version,
    language: agent.language,
    reasoner: createReasoner(agent, { classifier }),
    voice,
    lexicon: pronunciations.length > 0 ? new Lexicon(pronunciations) : undefined,
    vocabulary: agentVocabulary(agent),
    settings: conversationSettings(agent, settings),
    working: agent.working,
    judge,
    escalationTarget: target,
    ownTargets: targetsOf(agent),
  };
}

/** One for all calls, so that they share its verdicts. */
function secondJudge({ conversation }: Settings): LlmJudge | undefined {
  if (!conversation.judge) return undefined;
  const { url, model, apiKey, timeoutMs } = conversation.judge;
  return new LlmJudge({ url, model, timeoutMs, headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {} });
}

/** What is other than it was: `agent orders`, `dialplan main.yaml`. */
function differences(before: Files, after: Files): string[] {
  const versions = ({ definitions, dialplan }: Files) =>
    new Map([
      ...[...definitions].map(([name, { version }]): [string, string] => [`agent ${name}`, version]),
      ...[...dialplan.files].map(([name, version]): [string, string] => [`dialplan ${name}`, version]),
    ]);
  const [old, now] = [versions(before), versions(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key));
}

function problemsOf(error: unknown): readonly ParleyError[] {
  if (error instanceof ConfigProblems) return error.problems;
  return [error instanceof ParleyError ? error : new ParleyError('PARLEY_ERR_INTERNAL', { reason: reasonOf(error) })];
}

function textOf(problems: LoadedFiles['problems']): string {
  return problems.map(({ message }) => message).join('\n');
}

function versionOfFile(file: string | undefined): string {
  try {
    return file === undefined ? '' : versionOf(readFileSync(file));
  } catch {
    return 'gone';
  }
}
