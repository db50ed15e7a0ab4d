import type Srf from 'drachtio-srf';
import type { Sources } from './answering.js';
import type { Route } from './calls/services.js';
import type { CallsSource } from './console/calls-api.js';
import type { ReloadOutcome } from './console/reload-api.js';
import type { LiveEvent, StoredEvent } from './journal/events.js';
import type { Alarm } from './telemetry/alarms.js';
import type { Logger } from './telemetry/log.js';

/** What a program gives that starts the server inside itself. */
export interface Embedding extends Sources {
  /** The program's own: no SIP server is opened, and only calls that come by {@link Running.take} are answered. */
  srf?: Srf | undefined;
  logger?: Logger | undefined;
}

/** A running server. */
export interface Running {
  /** Where SIP is taken, `host:port`; undefined with the program's own drachtio-srf. */
  sip: string | undefined;
  /** Where HTTP is, `host:port`; undefined when it is off. */
  http: string | undefined;
  /** The calls that are up. */
  calls: CallsSource;
  /** Names of the agents there are now. */
  agentNames(): string[];
  /** Takes an INVITE of the program's own drachtio-srf. `next`: what else may take it when the dialplan has nothing for it. */
  take(req: Srf.SrfRequest, res: Srf.SrfResponse, route: Route | undefined, next: (() => void) | undefined): void;
  /** Told of every event of every call. */
  onEvent(listener: (event: StoredEvent | LiveEvent) => void): void;
  /** In Prometheus' text format. */
  metrics(): Promise<{ text: string; contentType: string }>;
  /** Reads agents and dialplans again, for the calls from now on. */
  reload(): Promise<ReloadOutcome>;
  /** Takes no more calls and lets those that are up end by themselves, for as long as `limits.drainMs` says. */
  drain(): Promise<void>;
  /**
   * To be told of errors that nothing caught, in the context they were thrown in: each costs the call it belongs to at
   * most.
   *
   * @returns false once they come one after another: the process should be drained and started anew
   */
  failed(error: unknown): boolean;
  /** `unhealthy`: why the process should be started anew; absent while it is of use. */
  health(): Health;
  /** Ends all calls and stops; safe to call twice. */
  close(): Promise<void>;
}

/** How the server is. */
export interface Health {
  unhealthy: string | undefined;
  calls: number;
  /** What somebody should see to. */
  alarms: readonly Alarm[];
}
