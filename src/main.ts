import { readFileSync } from 'node:fs';
import { Answering, readFiles } from './answering.js';
import { readWav } from './audio/wav.js';
import { Admission } from './calls/admission.js';
import { CallBacks } from './calls/call-backs.js';
import { CallServer } from './calls/call-server.js';
import { Handoffs } from './calls/ivr/handoffs.js';
import { legControl } from './calls/legs/leg-control.js';
import { CallQueues } from './calls/targets/queues.js';
import { Targets } from './calls/targets/targets.js';
import { AuditLog } from './console/audit.js';
import { Console } from './console/http.js';
import { LiveFigures } from './console/live-figures.js';
import { Metrics } from './console/metrics.js';
import { TokenBook } from './console/tokens.js';
import { startTracing } from './console/tracing/start.js';
import { Webhooks } from './console/webhooks/webhooks.js';
import { ParleyError, reasonOf } from './errors.js';
import { Figures } from './figures.js';
import { JournalFeed } from './journal/feed.js';
import { JournalBook } from './journal/journal.js';
import { NodeWatch } from './journal/node-watch.js';
import { deletionsOf, discardClips, forgetWhenEnded, keepRecordings, keptOf } from './kept.js';
import type { CodecName } from './rtp/negotiated.js';
import { pcmRates } from './rtp/sdp/sdp.js';
import type { Embedding, Running } from './running.js';
import { recordingsFolder, type Settings } from './settings.js';
import { openDns } from './sip/edge/transport/dns.js';
import { TrunkGate } from './sip/trunks/trunk-gate.js';
import { TrunkHosts } from './sip/trunks/trunk-hosts.js';
import { Trunks } from './sip/trunks/trunks.js';
import { UserAgent } from './sip/user-agent.js';
import { openStore } from './store/open.js';
import { Keyring } from './store/sealing/keyring.js';
import type { Store } from './store/store.js';
import { Alarms } from './telemetry/alarms.js';
import { monotonicMs } from './telemetry/clock.js';
import { Load } from './telemetry/load.js';
import { createLogger, type Logger } from './telemetry/log.js';
import { UnhandledErrors } from './telemetry/unhandled.js';
import { callAudio, sipRegistrar, sipTraces, trunkLoad, trunkRoutes } from './telephony.js';
import { Watch } from './watch.js';
import { MediaHost } from './workers/media/media-host.js';
import { Speaker } from './workers/speaker.js';
import { SpeechHost } from './workers/speech/speech-host.js';

/** An error that nothing caught is an alarm for so long, ms. */
const UNHANDLED_MS = 600_000;
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
  const live = new LiveFigures();
  journals.onEvent((event) => live.observe(event));
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
  const { format, opusBitrate: bitrate, beep } = settings.recording;
  const keys = Keyring.read(settings.store.encryption.keysFile);
  const recording = { folder: recordingsFolder(settings), format, bitrate, key: keys.current, beep };

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
  const { kind, nodeLostMs: lostMs, retention } = settings.store;
  const lifetimes = { lostMs, local: kind === 'files', retentionMs: retention.journalMs };
  keep(new NodeWatch(journals, store.records, logger, lifetimes));
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
  const figures = new Figures({
    calls,
    media,
    speech,
    speaker,
    journals,
    sip: agent,
    load,
    admission,
    alarms,
    metrics,
    unhandled,
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
          figures: (call) => live.of(call),
          callBacks,
          registrations: async () => (await registrar?.registered()) ?? [],
          stats: () => figures.stats(),
          metrics: () => figures.metrics(),
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
    metrics: () => figures.metrics(),
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

function journalBook(store: Store, settings: Settings, logger: Logger): JournalBook {
  return new JournalBook(store, logger, { retentionMs: settings.store.retention.journalMs });
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
