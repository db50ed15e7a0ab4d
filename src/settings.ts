import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { AgentDefinition } from './agent/agents.js';
import { idleHandOver } from './agent/escalation/idle.js';
import { limitsConfig } from './calls/config.js';
import { targetsConfig, transferConfig } from './calls/targets/config.js';
import { targetProblems } from './calls/targets/targets.js';
import { overlayEnvironment } from './config/env.js';
import { checkLocated, loadYaml } from './config/yaml.js';
import { consoleConfig } from './console/config.js';
import { webhooksConfig } from './console/webhooks/config.js';
import { conversationConfig } from './conversation/config.js';
import type { ConversationSettings } from './conversation/settings.js';
import { echoConfig } from './media/echo-config.js';
import { mediaWatchConfig } from './media/quality-config.js';
import { recordingConfig } from './media/recording-config.js';
import { soundsConfig } from './media/sounds-config.js';
import { rtpConfig } from './rtp/config.js';
import { mediaOverrides } from './rtp/profile.js';
import { sipConfig } from './sip/config.js';
import { trunksConfig } from './sip/trunks/trunks.js';
import { storeConfig } from './store/config.js';
import { speechConfig } from './workers/config.js';

/** parley.yaml: each room's own part, put together. */
export const settingsSchema = z
  .strictObject({
    sip: sipConfig.prefault({}),
    rtp: rtpConfig.prefault({}),
    /** What is done to the callers' audio before it is detected and recognised. */
    listening: echoConfig.prefault({}),
    sounds: soundsConfig.prefault({}),
    recording: recordingConfig.prefault({}),
    trunks: trunksConfig(mediaOverrides),
    mediaWatch: mediaWatchConfig.prefault({}),
    http: consoleConfig.prefault({}),
    webhooks: webhooksConfig.describe('URLs that events of calls are posted to.'),
    store: storeConfig.prefault({}),
    speech: speechConfig.prefault({}),
    conversation: conversationConfig.prefault({}),
    limits: limitsConfig.prefault({}),
    targets: targetsConfig,
    transfer: transferConfig.prefault({}),
    data: z.string().default('data').describe('Folder for everything that the files store keeps, and for recordings.'),
    agents: z
      .string()
      .optional()
      .describe('Folder of the agent files; ./agents, else the examples that Parley comes with.'),
    dialplans: z
      .string()
      .optional()
      .describe('Folder of the dialplan files; ./dialplans, else the examples that Parley comes with.'),
    traces: z
      .strictObject({
        header: z
          .string()
          .regex(/^[A-Za-z0-9_-]+$/, 'is the name of a header')
          .optional()
          .describe(
            'Header of an INVITE that brings W3C Trace Context, e.g. X-Traceparent: the spans of the call belong to that trace.',
          ),
      })
      .prefault({}),
    log: z
      .strictObject({
        level: z
          .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
          .default('info')
          .describe('The least that is logged.'),
      })
      .prefault({}),
  })
  .superRefine(({ targets, trunks }, context) => {
    trunks.forEach(({ overflow }, index) => {
      if (overflow?.target === undefined || Object.hasOwn(targets, overflow.target)) return;
      const message = `there is no target "${overflow.target}"`;
      context.addIssue({ code: 'custom', path: ['trunks', index, 'overflow', 'target'], message });
    });
    const outbound = new Set(trunks.flatMap(({ name, outbound: route }) => (route ? [name] : [])));
    for (const { path, reason } of targetProblems(targets, outbound)) {
      context.addIssue({ code: 'custom', path: ['targets', ...path], message: reason });
    }
  });

/** The whole configuration, validated, folders resolved. */
export type Settings = Omit<z.infer<typeof settingsSchema>, 'agents' | 'dialplans'> & {
  agents: string;
  dialplans: string;
  /** The file that it was read from. */
  file?: string | undefined;
};

/** parley.yaml as it can be written: every key is optional. */
export type SettingsInput = z.input<typeof settingsSchema>;

/** Variables that are read elsewhere and name no key of the configuration. */
export const OTHER_VARIABLES = ['PARLEY_CONFIG', 'PARLEY_LOG', 'PARLEY_TOKEN'];

/** The file that is meant when none is named; undefined when there is none: the defaults hold. */
export function usualFile(env: NodeJS.ProcessEnv): string | undefined {
  return env.PARLEY_CONFIG ?? (existsSync('parley.yaml') ? 'parley.yaml' : undefined);
}

/**
 * Reads parley.yaml (the given file, PARLEY_CONFIG, or ./parley.yaml; without any the defaults hold) and the
 * environment over it.
 *
 * @throws ConfigProblems
 */
export function loadSettings(file: string | undefined, env: NodeJS.ProcessEnv = process.env): Settings {
  return settingsOf(file ?? usualFile(env) ?? {}, env);
}

/**
 * The settings of a file, or given by a program, and the environment over them.
 *
 * @throws ConfigProblems
 */
export function settingsOf(source: string | SettingsInput, env: NodeJS.ProcessEnv): Settings {
  const read =
    typeof source === 'string'
      ? loadYaml(source, settingsSchema)
      : checkLocated(source, 'settings', settingsSchema).value;
  const settings = overlayEnvironment(read, settingsSchema, { ...env, ...drachtioVariables(env) }, OTHER_VARIABLES);
  return {
    ...settings,
    file: typeof source === 'string' ? resolve(source) : undefined,
    data: resolve(settings.data),
    agents: resolve(settings.agents ?? ownFolder('agents')),
    dialplans: resolve(settings.dialplans ?? ownFolder('dialplans')),
  };
}

/** Where recordings lie. */
export function recordingsFolder({ recording, data }: Pick<Settings, 'recording' | 'data'>): string {
  return resolve(recording.folder ?? join(data, 'recordings'));
}

/** How an agent converses: what holds for every agent, and over it what its file says. */
export function conversationSettings(agent: AgentDefinition, { conversation }: Settings): ConversationSettings {
  return {
    ...conversation,
    ...agent.limits,
    endpointing: agent.endpointing,
    ...agent.interruption,
    speculation: agent.speculation,
    secondJudge: conversation.judge !== undefined,
    goAhead: agent.phrases.afterYou,
    bearWithMe: agent.phrases.bearWithMe,
    idle: { ...agent.idle, handOver: idleHandOver(agent) },
    apology: agent.fallbacks.apology,
    secrets: agent.topics.flatMap(({ slots }) => slots.filter(({ sensitive }) => sensitive).map(({ name }) => name)),
  };
}

/** The names that drachtio applications use for their server. */
function drachtioVariables(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return {
    PARLEY_SIP_DRACHTIO_HOST: env.PARLEY_SIP_DRACHTIO_HOST ?? env.DRACHTIO_HOST,
    PARLEY_SIP_DRACHTIO_PORT: env.PARLEY_SIP_DRACHTIO_PORT ?? env.DRACHTIO_PORT,
    PARLEY_SIP_DRACHTIO_SECRET: env.PARLEY_SIP_DRACHTIO_SECRET ?? env.DRACHTIO_SECRET,
  };
}

/** The folder here, else the one that comes with Parley. */
function ownFolder(name: string): string {
  if (existsSync(name)) return name;
  return fileURLToPath(new URL(`../${name}`, import.meta.url));
}
