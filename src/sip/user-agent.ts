import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import Srf from 'drachtio-srf';
import { ParleyError, reasonOf } from '../errors.js';
import type { Store } from '../store/store.js';
import { scoped } from '../telemetry/call-scope.js';
import type { Logger, LogLevel } from '../telemetry/log.js';
import type { SipConfig } from './config.js';
import type { Taker } from './dialog.js';
import { DialogFile } from './dialog-file.js';
import { DialogsElsewhere } from './dialogs-elsewhere.js';
import type { EdgeCounts } from './edge/counters.js';
import { type RunningEdge, startEdge } from './edge/edge-host.js';
import { NetworkFilter } from './edge/transport/network-filter.js';
import { headersOf } from './header-of.js';
import { Invite } from './invite.js';
import { inviteRefusal } from './offer.js';
import { OutgoingCall, type OutgoingEvents, type OutgoingRequest } from './outgoing.js';
import type { Registrar, SipRequestView } from './registrar/registrar.js';
import { ReplaceableDialogs } from './replaceable.js';
import { tapControl } from './trace/control-tap.js';
import type { SipTraces } from './trace/traces.js';
import type { TrunkGate } from './trunks/trunk-gate.js';

/** How the SIP side is started. */
export interface UserAgentOptions {
  /** Where the embedded edge's dialogs are noted, for the process after one that was killed. */
  dialogsFolder?: string | undefined;
  config: SipConfig;
  logger: Logger;
  logLevel: LogLevel;
  /** The program's own, which has routes and a connection of its own; without it there is a server, or a connection to one. */
  srf?: Srf | undefined;
  /** A call comes in. */
  onInvite: (invite: Invite) => void;
  /** Takes registrations, and says who may call. */
  registrar?: Registrar | undefined;
  /** Keeps the messages of calls. */
  traces?: SipTraces | undefined;
  /** Shared with other nodes. */
  shared?: Pick<Store, 'fanout' | 'onRecovered'> | undefined;
  /** The trunks, who may call by them, and from where. */
  trunks?: { of(source: string): string | undefined; gate: TrunkGate; allowed(): string[] } | undefined;
  /** The signalling was lost and is being set up again, and with it calls that were being set up; `all`: dialogs, too. */
  onLost: (all: boolean) => void;
}

/**
 * Parley's SIP user agent: drachtio-srf on a drachtio-server, on the embedded edge, which speaks the same protocol, or the
 * program's own. They are told apart nowhere else.
 */
export class UserAgent {
  /** drachtio-srf reads it again at each attempt. */
  private readonly reconnect: Server['reconnect'] = { retryMaxDelay: RECONNECT_MS };
  private readonly replaceable = new ReplaceableDialogs<Taker>();
  private readonly elsewhere: DialogsElsewhere | undefined;
  private connected = false;
  private closed = false;
  private restarting: NodeJS.Timeout | undefined;
  private crashed: RunningEdge | undefined;
  /** A drachtio-server lets everybody in: it is Parley that refuses. */
  private readonly filter: NetworkFilter | undefined;

  private constructor(
    private readonly options: UserAgentOptions,
    readonly srf: Srf,
    private edge: RunningEdge | undefined,
    private readonly file?: DialogFile | undefined,
  ) {
    const { shared, logger, srf: own, config } = options;
    this.elsewhere = shared && new DialogsElsewhere(shared, this.replaceable, logger);
    if (!own && config.drachtio.host) this.filter = new NetworkFilter(allowedSources(options));
  }

  /** @throws ParleyError PARLEY_ERR_SIP_START when the edge can't listen or the server can't be reached */
  static async start(options: UserAgentOptions): Promise<UserAgent> {
    const { config } = options;
    if (options.srf) return UserAgent.onto(options, options.srf);
    const srf = new Srf();
    const secret = config.drachtio.host ? config.drachtio.secret : randomBytes(24).toString('hex');
    const { dialogsFolder: folder } = options;
    const file = folder === undefined ? undefined : new DialogFile(join(folder, `dialogs-${config.port}.json`));
    const own = { ...edgeOptions(options, secret, 0, config.port), left: file?.take() ?? [] };
    const edge = config.drachtio.host ? undefined : await startEdge(own);
    const agent = new UserAgent(options, srf, edge, file);
    agent.listen();
    agent.trace(edge);
    const server = {
      host: config.drachtio.host ?? '127.0.0.1',
      port: edge?.controlPort ?? config.drachtio.port,
      secret,
      reconnect: agent.reconnect,
    };
    const { traces } = options;
    try {
      await connected(srf, server);
      if (!edge && traces) tapControl(srf, (message) => traces.seen(message), options.logger);
    } catch (error) {
      await agent.close();
      throw new ParleyError('PARLEY_ERR_SIP_START', { reason: reasonOf(error) }, { cause: error });
    }
    if (edge) agent.watch(edge, secret);
    return agent;
  }

  private note(edge: RunningEdge): void {
    const { file } = this;
    if (file) edge.onDialogs(() => file.changed(() => edge.dialogs()));
  }

  /** On the program's connection, which it makes and ends. */
  private static onto(options: UserAgentOptions, srf: Srf): UserAgent {
    const agent = new UserAgent(options, srf, undefined);
    const { traces, logger } = options;
    // It may be connected already, or not yet: only then is there something to listen to.
    agent.connected = (srf as { app?: { client?: unknown } }).app?.client !== undefined;
    const listen = () => traces && tapControl(srf, (message) => agent.closed || traces.seen(message), logger);
    if (agent.connected) listen();
    else srf.once('connect', listen);
    srf.on('connect', agent.onConnect);
    srf.on('close' as 'disconnect', agent.onClose);
    return agent;
  }

  /** Where calls are taken, `host:port`; the drachtio-server's own when one is used; undefined where the program takes them. */
  get address(): string | undefined {
    if (this.options.srf) return undefined;
    if (!this.edge) return `drachtio ${this.options.config.drachtio.host}:${this.options.config.drachtio.port}`;
    const host = this.edge.sipHost;
    return `${isIPv6(host) ? `[${host}]` : host}:${this.edge.sipPort}`;
  }

  /** Trunks have other addresses than before. */
  trunksMoved(): void {
    const allowed = allowedSources(this.options);
    this.edge?.allow(allowed);
    this.filter?.replace(allowed);
  }

  /** Calls somebody. */
  call(request: OutgoingRequest, events: OutgoingEvents): OutgoingCall {
    const { config, logger, traces } = this.options;
    const { leg } = request;
    const sent = (callId: string) => leg && traces?.claim(callId, leg.call, leg.name);
    return new OutgoingCall(this.srf, request, config.sessionTimer, logger, this.replaceable, events, sent);
  }

  /** Whether an INVITE takes the place of a dialog that is, or was, one of this process. */
  replaces(invite: Invite): boolean {
    const named = invite.header('Replaces');
    return named !== undefined && ![400, 481].includes(Number(this.replaceable.find(named)));
  }

  async counts(): Promise<EdgeCounts | undefined> {
    return this.edge?.counts();
  }

  /** Whether SIP is this process's own. */
  get embedded(): boolean {
    return this.edge !== undefined;
  }

  /** Whether calls can come in now. */
  get up(): boolean {
    return this.connected;
  }

  async close(): Promise<void> {
    const { edge } = this;
    this.closed = true;
    this.edge = undefined;
    clearTimeout(this.restarting);
    this.elsewhere?.close();
    if (this.options.srf) {
      this.srf.off('connect', this.onConnect);
      this.srf.off('close', this.onClose);
      return;
    }
    this.disconnect();
    await edge?.close();
    this.file?.close();
  }

  private trace(edge: RunningEdge | undefined): void {
    const { traces } = this.options;
    if (traces) edge?.onWire((message) => traces.seen(message));
  }

  /** Also ends the attempts to connect again. */
  private disconnect(): void {
    this.connected = false;
    this.reconnect.maxAttempts = 1;
    try {
      this.srf.disconnect();
    } catch {
      // drachtio-srf throws when it has no connection.
    }
  }

  private listen(): void {
    const { logger, onInvite } = this.options;
    this.srf.on('error', (error) => this.closed || logger.warn({ reason: reasonOf(error) }, 'SIP control connection'));
    this.srf.on('connect', this.onConnect);
    // The typings have it under another name, which is never emitted.
    this.srf.on('close' as 'disconnect', this.onClose);
    const invited = scoped((req: Srf.SrfRequest, res: Srf.SrfResponse) => {
      void this.admit(req, this.invite(req, res), onInvite);
    });
    this.srf.invite((req, res) => invited(req, res));
    this.srf.use('register', (req, res) => void this.register(req, res));
    // A handler by `use` is announced to the server, a listener by `on` is not.
    this.srf.use('options', (_req, res) =>
      res.send(200, { headers: { Accept: 'application/sdp', Allow: ALLOW, Supported: '100rel, replaces, timer' } }),
    );
  }

  private readonly onConnect = (error?: unknown): void => {
    this.connected = !error;
    if (this.closed) this.disconnect();
  };

  private readonly onClose = (): void => {
    this.connected = false;
    const { edge } = this;
    // When the edge's thread has died its connection goes, too, and the dialogs are kept for the next edge.
    setTimeout(() => {
      if (edge && this.edge === edge && this.crashed !== edge) this.options.onLost(true);
    }, DEATH_MS).unref();
  };

  /** An INVITE that came. Made at once: it hears of a CANCEL that comes while others are asked. */
  invite(req: Srf.SrfRequest, res: Srf.SrfResponse): Invite {
    return new Invite(this.srf, req, res, this.options.config.sessionTimer, this.options.logger, this.replaceable);
  }

  /** Hands over an INVITE that can be understood, of somebody who may call. */
  async admit(req: Srf.SrfRequest, invite: Invite, onInvite: (invite: Invite) => void): Promise<void> {
    const { registrar, trunks, logger, config } = this.options;
    try {
      const refusal = inviteRefusal(headersOf(req), req.body ?? '', config.sessionTimer);
      if (refusal) return invite.reject(refusal.status, refusal.headers);
      const view = viewOf(req);
      if (this.isStranger(view)) return invite.reject(403);
      const trunk = trunks?.of(view.source);
      const refused = trunk === undefined ? undefined : await trunks?.gate.admit(view, trunk);
      if (refused) return invite.reject(refused.status, refused.headers);
      const admitted = await registrar?.admit(view, trunk);
      if (admitted && 'status' in admitted) return invite.reject(admitted.status, admitted.headers);
      invite.user = admitted?.user;
      const replaces = invite.header('Replaces');
      if (replaces === undefined) return onInvite(invite);
      const take = this.replaceable.find(replaces);
      if (typeof take !== 'number') return take(invite);
      const elsewhere = take === 481 ? await this.elsewhere?.find(replaces) : undefined;
      if (elsewhere === undefined) invite.reject(take);
      else invite.reject(302, { Contact: `<${elsewhere}>` });
    } catch (error) {
      logger.error({ err: error, sipCallId: invite.sipCallId }, 'INVITE failed');
      invite.reject(500);
    }
  }

  private async register(req: Srf.SrfRequest, res: Srf.SrfResponse): Promise<void> {
    const { registrar } = this.options;
    const view = viewOf(req);
    if (this.isStranger(view)) return void res.send(403);
    const answer = (await registrar?.register(view)) ?? { status: 405, headers: { Allow: ALLOW } };
    res.send(answer.status, { headers: answer.headers });
  }

  /** Whether a request came by a drachtio-server from where nobody may call; the embedded edge does not pass it on. */
  private isStranger({ source, method }: SipRequestView): boolean {
    if (!this.filter || this.filter.allows(source)) return false;
    this.options.logger.warn({ source, method }, 'refused: neither of sip.allowedNetworks nor of a trunk');
    return true;
  }

  /** Sets up a crashed edge again on the same ports; drachtio-srf reconnects by itself. */
  private watch(edge: RunningEdge, secret: string): void {
    this.note(edge);
    edge.onExit((error) => {
      if (this.edge !== edge) return;
      this.options.logger.error({ err: error }, 'the SIP edge died; starting it again');
      this.crashed = edge;
      this.options.onLost(false);
      void this.restart(edge, secret);
    });
  }

  private async restart(edge: RunningEdge, secret: string): Promise<void> {
    try {
      const next = await startEdge({
        ...edgeOptions(this.options, secret, edge.controlPort, edge.sipPort),
        dialogs: edge.dialogs(),
      });
      if (this.closed) return next.close();
      this.edge = next;
      this.trace(next);
      this.watch(next, secret);
    } catch (error) {
      if (this.closed) return;
      this.options.logger.fatal({ err: error }, 'the SIP edge could not be started again; trying on');
      this.restarting = setTimeout(() => void this.restart(edge, secret), RECONNECT_MS);
    }
  }
}

const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY, PRACK, REFER, REGISTER, UPDATE';

function viewOf(req: Srf.SrfRequest): SipRequestView {
  const {
    method,
    uri,
    source_address: source,
    source_port: port,
    protocol,
  } = req as unknown as {
    method: string;
    uri: string;
    source_address: string;
    source_port: number;
    protocol: string;
  };
  return { method, uri, source, port, protocol, header: headersOf(req) };
}

/** All that SIP may come from. */
function allowedSources({ config, trunks }: UserAgentOptions): string[] {
  return [...config.allowedNetworks, ...(trunks?.allowed() ?? [])];
}

function edgeOptions(options: UserAgentOptions, secret: string, controlPort: number, sipPort: number) {
  const { host, externalAddress, tls, dnsServers, limits } = options.config;
  const { requestsPerSecond, exemptNetworks } = limits;
  return {
    sip: { host, port: sipPort },
    control: { host: '127.0.0.1', port: controlPort },
    secret,
    allowedNetworks: allowedSources(options),
    defence: { requestsPerSecond, burst: 5 * requestsPerSecond, exempt: exemptNetworks },
    ...(externalAddress === undefined ? {} : { externalAddress }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
    ...(dnsServers === undefined ? {} : { dnsServers }),
    logLevel: options.logLevel,
    traced: options.traces !== undefined,
  };
}

function tlsOptions({ ca, ...given }: NonNullable<SipConfig['tls']>) {
  return { ...given, ...(ca === undefined ? {} : { ca }) };
}

function connected(srf: Srf, server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer from ${server.host}:${server.port}`)), CONNECT_MS);
    srf.on('connect', (error) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve();
    });
    srf.connect(server);
  });
}

interface Server {
  host: string;
  port: number;
  secret: string;
  reconnect: { retryMaxDelay: number; maxAttempts?: number };
}

const CONNECT_MS = 10_000;
/** Longest pause before the SIP side is tried again, ms. */
const RECONNECT_MS = 2000;
/** A thread's death is known so long after its connection's, ms. */
const DEATH_MS = 500;
