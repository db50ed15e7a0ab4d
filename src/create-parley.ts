import type Srf from 'drachtio-srf';
import type { ActionFunctions } from './agent/actions/local.js';
import type { AgentSources } from './agent/agents.js';
import { answerWith } from './calls/services.js';
import { checkNamedFiles } from './config/named-files.js';
import type { CallsSource } from './console/calls-api.js';
import type { ReloadOutcome } from './console/reload-api.js';
import type { DialplanSource } from './dialplan/dialplan.js';
import { ParleyError } from './errors.js';
import { startParley } from './main.js';
import { type ParleyEvents, type ParleyListener, ParleyListeners } from './parley-events.js';
import type { Health, Running } from './running.js';
import { type SettingsInput, settingsOf } from './settings.js';
import { createLogger, type Logger } from './telemetry/log.js';

/** What {@link createParley} is told; nothing is needed. */
export interface ParleyOptions {
  /** A parley.yaml, or what would stand in it. Reference: docs/reference/configuration.md. */
  settings?: string | SettingsInput | undefined;
  /** Environment whose `PARLEY_...` variables go over the settings; none unless given: `process.env` for the usual ones. */
  env?: NodeJS.ProcessEnv | undefined;
  /** A folder of agent files; or agents, each a file or what would stand in one. Default: as the settings have it. */
  agents?: AgentSources | undefined;
  /**
   * A folder of dialplan files, or the entries of one. Default: as the settings have it; when `agents` is exactly one
   * agent, that takes every call.
   */
  dialplan?: DialplanSource | undefined;
  /** What the agents' actions of type `function` do, by name. */
  actions?: ActionFunctions | undefined;
  /**
   * The application's own drachtio-srf, connected by itself. Parley then opens no SIP server, and answers only what
   * {@link Parley.handler} is given.
   */
  srf?: Srf | undefined;
  /** A pino logger in place of Parley's own on standard error. Worker threads log on standard error. */
  logger?: Logger | undefined;
}

/** Where {@link Parley.handler} sends its calls; by the dialplan when nothing is said. */
export interface HandlerOptions {
  /** The agent that takes all of them. */
  agent?: string | undefined;
  /** What the agent knows of the call; for `agent` only. */
  variables?: Record<string, unknown> | undefined;
}

/** A drachtio-srf request handler. `next`, a function, is called for calls that the dialplan has nothing for. */
export type ParleyHandler = (req: Srf.SrfRequest, res: Srf.SrfResponse, next?: unknown) => void;

/** A running Parley. */
export interface Parley {
  /** Where SIP is taken, `host:port`; undefined with the application's own drachtio-srf. */
  readonly sip: string | undefined;
  /** Where HTTP is, `host:port`; undefined when `http.enabled` is false. */
  readonly http: string | undefined;
  /** The calls that are up, and what can be done to them. */
  readonly calls: CallsSource;
  /** Listens to what happens on all calls. */
  on<K extends keyof ParleyEvents>(name: K, listener: ParleyListener<K>): this;
  off<K extends keyof ParleyEvents>(name: K, listener: ParleyListener<K>): this;
  /**
   * Takes calls of the application's own drachtio-srf.
   *
   * @example
   * srf.invite(parley.handler());                       // by the dialplan
   * srf.use('invite', parley.handler());                // the same; what it has nothing for goes on to the next route
   * srf.invite(parley.handler({ agent: 'orders' }));    // every call that comes here
   *
   * @throws ParleyError PARLEY_ERR_PLUGIN_SRF without `srf`, PARLEY_ERR_AGENT_UNKNOWN
   */
  handler(options?: HandlerOptions): ParleyHandler;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
  /** Reads the folders of agents and dialplan again, for the calls from now on; a change in them is also noticed by itself. */
  reload(): Promise<ReloadOutcome>;
  /** Takes no more calls and lets those that are up end by themselves, for as long as `limits.drainMs` says. */
  drain(): Promise<void>;
  /**
   * For a program that keeps running after errors that nothing caught (`uncaughtException`, `unhandledRejection`): tells
   * Parley of one, in the context it was thrown in, and it costs the call it belongs to at most.
   *
   * @returns false once they come one after another: the process should be drained and started anew
   */
  failed(error: unknown): boolean;
  /** Whether the process is of use, and what somebody should see to. */
  health(): Health;
  /** Ends all calls and stops; safe to call twice. The application's drachtio-srf stays as it is. */
  close(): Promise<void>;
}

/**
 * Starts Parley inside a program; several may run side by side, on ports of their own. It installs no signal handlers and
 * never ends the process: what to do about either is the program's to decide.
 *
 * @throws ConfigProblems with all that is wrong with the configuration, or ParleyError of what could not be started;
 *   nothing is left running then
 */
export async function createParley(options: ParleyOptions = {}): Promise<Parley> {
  const settings = settingsOf(options.settings ?? {}, options.env ?? {});
  checkNamedFiles(settings);
  const logger = options.logger ?? createLogger(settings.log.level);
  const listeners = new ParleyListeners(logger);
  const running = await startParley(settings, {
    agents: options.agents,
    dialplan: options.dialplan ?? onlyAgent(options.agents),
    functions: options.actions,
    srf: options.srf,
    logger,
  });
  running.onEvent((event) => listeners.tell(event));
  return new OwnParley(running, listeners, options.srf !== undefined);
}

class OwnParley implements Parley {
  readonly sip: string | undefined;
  readonly http: string | undefined;
  readonly calls: CallsSource;
  #closed: Promise<void> | undefined;

  constructor(
    private readonly running: Running,
    private readonly listeners: ParleyListeners,
    private readonly hasSrf: boolean,
  ) {
    ({ sip: this.sip, http: this.http, calls: this.calls } = running);
  }

  on<K extends keyof ParleyEvents>(name: K, listener: ParleyListener<K>): this {
    this.listeners.add(name, listener);
    return this;
  }

  off<K extends keyof ParleyEvents>(name: K, listener: ParleyListener<K>): this {
    this.listeners.remove(name, listener);
    return this;
  }

  handler({ agent, variables = {} }: HandlerOptions = {}): ParleyHandler {
    if (!this.hasSrf) throw new ParleyError('PARLEY_ERR_PLUGIN_SRF');
    const known = this.running.agentNames();
    if (agent !== undefined && !known.includes(agent)) {
      throw new ParleyError('PARLEY_ERR_AGENT_UNKNOWN', { agent, known: known.join(', ') });
    }
    const route = agent === undefined ? undefined : { entry: 'handler', action: answerWith(agent, variables) };
    return (req, res, next) =>
      this.running.take(req, res, route, typeof next === 'function' ? () => next() : undefined);
  }

  async metrics(): Promise<string> {
    return (await this.running.metrics()).text;
  }

  reload(): Promise<ReloadOutcome> {
    return this.running.reload();
  }

  drain(): Promise<void> {
    return this.running.drain();
  }

  failed(error: unknown): boolean {
    return this.running.failed(error);
  }

  health(): Health {
    return this.running.health();
  }

  close(): Promise<void> {
    this.#closed ??= this.running.close();
    return this.#closed;
  }
}

/** One agent and no dialplan: it takes every call. */
function onlyAgent(agents: AgentSources | undefined): DialplanSource | undefined {
  const [agent, ...others] = Array.isArray(agents) ? agents : [];
  if (typeof agent !== 'object' || others.length > 0) return undefined;
  return [{ name: agent.name, default: true, answer: { agent: agent.name } }];
}
