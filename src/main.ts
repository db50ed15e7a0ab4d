import { readFileSync } from 'node:fs';
import type Srf from 'drachtio-srf';
import { Answering, readFiles, type Sources } from './answering.js';
import { readWav } from './audio/wav.js';
import { Admission } from './calls/admission.js';
import { CallBacks } from './calls/call-backs.js';
import { CallServer } from './calls/call-server.js';
import { Handoffs } from './calls/ivr/handoffs.js';
import { legControl } from './calls/leg-control.js';
import type { Route } from './calls/services.js';
import { CallQueues } from './calls/targets/queues.js';
import { Targets, type TrunkRoute } from './calls/targets/targets.js';
import { AuditLog } from './console/audit.js';
import type { CallsSource } from './console/calls-api.js';
import type { Deletions } from './console/deletions.js';
import { Console } from './console/http.js';
import { LiveFigures } from './console/live-figures.js';
import { Metrics } from './console/metrics.js';
import type { ReloadOutcome } from './console/reload-api.js';
import { TokenBook } from './console/tokens.js';
import { startTracing } from './console/tracing/start.js';
import { Webhooks } from './console/webhooks/webhooks.js';
import { ParleyError, reasonOf } from './errors.js';
import type { LiveEvent, StoredEvent } from './journal/events.js';
import { JournalFeed } from './journal/feed.js';
import { JournalBook } from './journal/journal.js';
import { deletionsOf, discardClips, forgetWhenEnded, keptOf } from './kept.js';
import { pruneRecordings } from './media/recording/prune.js';
import { recoverRecordings } from './media/recording/recover.js';
import { usableCodecs } from './rtp/codec.js';
import type { CodecName } from './rtp/negotiated.js';
import { audioOptions } from './rtp/profile.js';
import { pcmRates } from './rtp/sdp.js';
import { recordingsFolder, type Settings } from './settings.js';
import { openDns } from './sip/edge/transport/dns.js';
import { Registrar } from './sip/registrar/registrar.js';
import { firstLine, sipUsers } from './sip/registrar/users.js';
import { SipTraces } from './sip/trace/traces.js';
import { TrunkGate } from './sip/trunk-gate.js';
import { TrunkHosts } from './sip/trunk-hosts.js';
import { TrunkLoad } from './sip/trunk-load.js';
import { Trunks } from './sip/trunks.js';
import { UserAgent } from './sip/user-agent.js';
import { openStore } from './store/open.js';
import { Keyring } from './store/sealing/keyring.js';
import type { Store } from './store/store.js';
import { type Alarm, Alarms } from './telemetry/alarms.js';
import { monotonicMs } from './telemetry/clock.js';
import { Load } from './telemetry/load.js';
import { createLogger, type Logger } from './telemetry/log.js';
import { UnhandledErrors } from './telemetry/unhandled.js';
import { Watch } from './watch.js';
import { MediaHost } from './workers/media/media-host.js';
import { Speaker } from './workers/speaker.js';
import { SpeechHost } from './workers/speech/speech-host.js';

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

/** An error that nothing caught is an alarm for so long, ms. */
const UNHANDLED_MS = 600_000;
/** Recordings are looked after so often, ms. */
const PRUNE_MS = 3_600_000;
/** Longest wait at the end for events that are not stored yet, ms. */
const FLUSH_MS = 3000;

/**
 * Starts the whole server: store, media, speech, agents, then SIP, so that everything is warm before the first call.
 *
 * @throws ConfigProblems, or ParleyError of what could not be started; nothing is left running then
 */
export async function startParley(settings: Settings, given: Embedding): Promise<Running> {
  const logger = given.logger ?? createLogger(settings.log.level);
  const started: { close(): unknown }[] = [];
  const keep = <T extends { close(): unknown }>(part: T): T => {
    started.push(part);
    return part;
  };
  const stop = async () => {
    for (let part = started.pop(); part; part = started.pop()) await part.close();
  };
  try {
    return await compose(settings, given, logger, keep, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function compose(
  settings: Settings,
  given: Embedding,
  logger: Logger,
  keep: <T extends { close(): unknown }>(part: T) => T,
  stop: () => Promise<void>,
): Promise<Running> {
  const files = readFiles(settings, given);

  const store = keep(await openStore(settings.store, settings.data, logger));
  const journals = keep(journalBook(store, settings, logger));
  const metrics = new Metrics();
  journals.onEvent((event) => metrics.observe(event));
  const figures = new LiveFigures();
  journals.onEvent((event) => figures.observe(event));
  const load = new Load();
  const tracing = await startTracing(logger);
  if (tracing) {
    keep(tracing);
    journals.onEvent((event) => tracing.observe(event));
  }
  const trunks = new Trunks(settings.trunks);
  const audio = callAudio(settings, trunks, logger);
  const media = keep(await startMedia(settings, audio.codecs));
  const deletions = keep(deletionsOf(settings, store, logger).listen());
  keep(keepRecordings(settings, deletions, logger));
  const speech = keep(
    await SpeechHost.start({
      workers: settings.speech.workers,
      logLevel: settings.log.level,
      jobTimeoutMs: settings.speech.jobTimeoutMs,
      connectMedia: (worker, attach) => media.connectSpeech(worker, attach),
    }),
  );
  const speaker = new Speaker({
    speech,
    store,
    clipTtlMs: settings.store.retention.clipsMs,
    memoryBytes: settings.speech.clipCacheMb * 1024 * 1024,
    logger,
  });
  const sampleRates = pcmRates(audio);
  const answering = keep(await Answering.start(files, { settings, given, speech, speaker, sampleRates, logger }));
  const { format, opusBitrate: bitrate } = settings.recording;
  const keys = Keyring.read(settings.store.encryption.keysFile);
  const recording = { folder: recordingsFolder(settings), format, bitrate, key: keys.current };

  const callBacks = new CallBacks(store.records, settings.store.retention.callbacksMs);
  const alarms = new Alarms(logger);
  const admission = new Admission(settings.limits.load);
  let sip: UserAgent | undefined;
  const handoffs = new Handoffs(store, settings.store.retention.handoffsMs);
  if (trunks.names.length > 0) {
    keep(await TrunkHosts.start(trunks, openDns(settings.sip.dnsServers), () => sip?.trunksMoved(), logger));
  }
  const registrar = sipRegistrar(settings, store, logger);
  const calls = keep(
    new CallServer(
      {
        media,
        speech,
        speaker,
        audio: audio.of,
        ...answering.edition,
        limits: settings.limits,
        admission,
        refused: (reason) => metrics.refused(reason),
        announcement: settings.recording.announcement,
        traceHeader: settings.traces.header,
        traceparent: (call) => tracing?.traceparent(call) ?? journals.traceparent(call),
        control: (leg) => legControl(leg, recording),
        handoffs,
        storeAnswers: () => store.healthy(),
        dial: (request, events) => {
          if (!sip) throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: 'SIP is not up' });
          return sip.call(request, events);
        },
        audioFor: audio.byTrunk,
        trunks: new Map(settings.trunks.map((trunk) => [trunk.name, trunk])),
        trunkLoad: trunkLoad(settings),
        targets: new Targets(settings.targets, trunkRoutes(settings), registrar ?? { lookup: async () => [] }),
        queues: new CallQueues(settings.store.kind === 'redis' ? { store } : undefined),
        transfer: settings.transfer,
        callBack: (wish) => callBacks.note(wish),
        logger,
      },
      journals,
    ),
  );
  answering.watch(
    (edition) => calls.renew(edition),
    (outcome) => metrics.reloaded(outcome),
  );
  const unhandled = new UnhandledErrors({
    logger,
    ofCall: (call, error) => calls.failed(call, error),
  });
  media.onWorkerLost((legs) => calls.lostLegs(legs));
  keep(new Webhooks(settings.webhooks, journals, store.records, logger));
  const feed = keep(new JournalFeed(journals, store, logger));
  const traces = sipTraces(settings, store, journals, logger);
  if (traces) keep(traces);
  await media.rehearsed();
  const agent = keep(
    await UserAgent.start({
      srf: given.srf,
      config: settings.sip,
      dialogsFolder: settings.data,
      registrar,
      traces,
      shared: settings.store.kind === 'redis' ? store : undefined,
      trunks: {
        of: (source) => trunks.of(source)?.name,
        gate: new TrunkGate(settings.trunks, settings.sip.realm, store, logger),
        allowed: () => trunks.allowed,
      },
      logger,
      logLevel: settings.log.level,
      onInvite: (invite) => calls.admit(invite),
      onLost: (all) => calls.lost('signalling lost', all),
    }),
  );
  sip = agent;
  const kept = keptOf({
    settings,
    store,
    journals,
    traces,
    deletions,
    clips: (name, texts) => discardClips(answering.edition.agents.get(name ?? ''), texts, speaker, sampleRates),
  });
  forgetWhenEnded(journals, kept.forgetting, logger);
  const workers = { media: settings.rtp.workers, speech: settings.speech.workers };
  const watch = keep(new Watch({ media, speech, sip: agent, store, journals, admission, alarms, workers }));
  const readMetrics = async () => ({
    contentType: metrics.contentType,
    text: await metrics.text({
      calls: calls.stats().calls,
      pendingEvents: journals.pending(),
      speechBacklog: speech.stats().backlog,
      speechRestarts: speech.stats().restarts,
      clips: speaker.stats(),
      late: (await media.stats()).map((worker) => worker.late),
      load: admission.load,
      alarms: alarms.active().map(({ code }) => code),
      unhandled: unhandled.count,
    }),
  });
  const console = settings.http.enabled
    ? keep(
        await Console.start(settings.http, {
          unready: () => {
            if (calls.isDraining) return 'draining';
            return agent.up ? undefined : 'SIP is not connected';
          },
          unhealthy: () => watch.unhealthy,
          alarms: () => alarms.active(),
          calls,
          feed,
          logger,
          handoffs,
          files: answering,
          tokens: new TokenBook(store.records),
          audit: new AuditLog(store, settings.store.retention.auditMs, logger),
          ...kept,
          figures: (call) => figures.of(call),
          callBacks,
          registrations: async () => (await registrar?.registered()) ?? [],
          stats: () => stats({ load, admission, alarms, calls, media, speech, speaker, journals, sip: agent }),
          metrics: readMetrics,
        }),
      )
    : undefined;
  logger.info({ sip: agent.address, http: console?.address, agents: [...files.definitions.keys()] }, 'ready');
  return {
    sip: agent.address,
    http: console?.address,
    calls,
    agentNames: () => [...answering.edition.agents.keys()],
    take: (req, res, route, next) => {
      const invite = agent.invite(req, res);
      if (!route && next && !agent.replaces(invite) && !calls.takes(invite)) return next();
      void agent.admit(req, invite, (admitted) => calls.admit(admitted, route));
    },
    onEvent: (listener) => void journals.onEvent(listener),
    metrics: readMetrics,
    reload: () => answering.reload(),
    drain: () => calls.drain(),
    failed: (error) => {
      alarms.raise(new ParleyError('PARLEY_ERR_INTERNAL', { reason: reasonOf(error) }), UNHANDLED_MS);
      return unhandled.take(error);
    },
    health: () => ({ unhealthy: watch.unhealthy, calls: calls.stats().calls, alarms: alarms.active() }),
    close: async () => {
      const began = monotonicMs();
      await calls.close();
      await journals.flush(Math.max(0, FLUSH_MS - (monotonicMs() - began)));
      await stop();
    },
  };
}

/** Undefined without users: nobody could register. */
function sipRegistrar({ sip }: Settings, store: Store, logger: Logger): Registrar | undefined {
  const { realm, users, authenticate, registrar } = sip;
  if (users.length === 0 && authenticate !== 'all') return undefined;
  return new Registrar({ realm, authenticate, ...registrar, users: sipUsers(users, realm) }, store, logger);
}

/** The SIP messages of calls; undefined when none are kept. */
function sipTraces({ sip, store: { retention } }: Settings, store: Store, journals: JournalBook, logger: Logger) {
  const { enabled, ...options } = sip.trace;
  if (!enabled) return undefined;
  const traces = new SipTraces(store.streams, { ...options, retentionMs: retention.sipMs }, logger);
  journals.onEvent((event) => {
    if (event.type === 'call.received' || event.type === 'caller.replaced')
      traces.claim(event.sipCallId, event.call, 'caller');
    else if (event.type === 'transfer.replaced') traces.claim(event.sipCallId, event.call, event.leg);
    else if (event.type === 'call.ended') traces.ended(event.call);
  });
  return traces;
}

function journalBook(store: Store, settings: Settings, logger: Logger): JournalBook {
  return new JournalBook(store, logger, { retentionMs: settings.store.retention.journalMs });
}

/** Which codecs can be used at all, and what is agreed on with whom. */
function callAudio({ rtp, trunks }: Settings, known: Trunks<Settings['trunks'][number]>, logger: Logger) {
  const configured = new Set([...rtp.codecs, ...trunks.flatMap(({ media }) => media.codecs ?? [])]);
  const codecs = usableCodecs([...configured], logger);
  const byTrunk = new Map(trunks.map((trunk) => [trunk.name, audioOptions(rtp, codecs, trunk.media)]));
  const others = audioOptions(rtp, codecs);
  return {
    codecs,
    byTrunk: (name: string | undefined) => (name !== undefined && byTrunk.get(name)) || others,
    of: (source: string) => {
      const trunk = known.of(source)?.name;
      return { trunk, options: (trunk !== undefined && byTrunk.get(trunk)) || others };
    },
  };
}

/** Repairs what a crash has left, and deletes what is too old or too much, now and every hour. */
function keepRecordings(settings: Settings, deletions: Deletions, logger: Logger): { close(): void } {
  const folder = recordingsFolder(settings);
  const { retentionDays, maxGigabytes } = settings.recording;
  const complain = (error: unknown) => logger.error({ err: error, folder }, 'recordings could not be looked after');
  const prune = () => {
    void pruneRecordings(folder, retentionDays, maxGigabytes * 1e9, logger).catch(complain);
    void deletions.sweep();
  };
  const keys = Keyring.read(settings.store.encryption.keysFile);
  recoverRecordings(folder, logger, undefined, keys).then(prune, complain);
  const timer = setInterval(prune, PRUNE_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

function startMedia(settings: Settings, codecs: readonly CodecName[]): Promise<MediaHost> {
  const { rtp, speech, sounds, listening, mediaWatch } = settings;
  return MediaHost.start({
    workers: rtp.workers,
    bind: rtp.bind,
    advertise: rtp.address,
    ports: rtp.ports,
    vad: { ...speech.detection, windowMs: 32 },
    sounds: {
      ...sounds,
      music: sounds.music === undefined ? undefined : readWav(readFileSync(sounds.music), sounds.music),
    },
    stages: listening,
    watch: mediaWatch,
    codecs,
    logLevel: settings.log.level,
  });
}

function trunkRoutes({ trunks }: Settings): TrunkRoute[] {
  return trunks.flatMap(({ name, outbound, transport, headers }) => {
    if (!outbound) return [];
    const { username, passwordFile, from } = outbound;
    const password = passwordFile === undefined ? (outbound.password ?? '') : firstLine(passwordFile);
    const host =
      transport && !/;transport=/i.test(outbound.host) ? `${outbound.host};transport=${transport}` : outbound.host;
    return [
      { name, host, from, headers: headers.out, auth: username === undefined ? undefined : { username, password } },
    ];
  });
}

function trunkLoad({ trunks }: Settings): TrunkLoad {
  return new TrunkLoad(new Map(trunks.flatMap(({ name, calls }) => (calls === undefined ? [] : [[name, calls]]))));
}

async function stats(parts: {
  calls: CallServer;
  media: MediaHost;
  speech: SpeechHost;
  speaker: Speaker;
  journals: JournalBook;
  sip: UserAgent;
  load: Load;
  admission: Admission;
  alarms: Alarms;
}): Promise<Record<string, unknown>> {
  const media = await parts.media.stats();
  const sum = (pick: (worker: (typeof media)[number]) => number) =>
    media.reduce((total, worker) => total + pick(worker), 0);
  return {
    ...parts.calls.stats(),
    legs: sum((worker) => worker.legs),
    ports: sum((worker) => worker.ports),
    late: media.map((worker) => worker.late),
    journals: parts.journals.live.size,
    pendingEvents: parts.journals.pending(),
    speech: parts.speech.stats(),
    speculations: parts.journals.speculations,
    clips: parts.speaker.stats(),
    edge: await parts.sip.counts(),
    load: { ...parts.load.read(), ofLimit: Object.fromEntries(parts.admission.load) },
    alarms: Object.fromEntries(parts.alarms.active().map(({ code }) => [code, 1])),
  };
}
