import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { JournalEvent, LiveEvent, StoredEvent } from '../journal/events.js';

/** Live figures that no event tells. */
export interface MetricsSource {
  /** Calls that are up. */
  calls: number;
  /** Events that are not in the store yet. */
  pendingEvents: number;
  /** Jobs that wait for a speech worker. */
  speechBacklog: number;
  speechRestarts: number;
  clips: { hits: number; misses: number; bytes: number };
  /** How late the 20 ms tick of each media worker came since it was last asked, ms. */
  late: readonly { p50: number; p99: number; max: number }[];
  /** Measures of load as shares of their limits. */
  load: readonly (readonly [string, number])[];
  /** Codes of the alarms that are raised. */
  alarms: readonly string[];
  /** Errors that nothing caught since the start. */
  unhandled: number;
}

/** Different values of one label. */
const MOST_VALUES = 200;
const SECONDS = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10];
const CALL_SECONDS = [5, 15, 30, 60, 120, 300, 600, 1200, 3600];
const LOSS = [0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2];
const JITTER = [0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2];
const MOS = [1.5, 2, 2.5, 3, 3.2, 3.4, 3.6, 3.8, 4, 4.2, 4.4];

/**
 * Prometheus metrics: a projection of the journals of this process's calls, and what its workers say when they are asked.
 * Labels come from configuration and from the code, never from a caller: their number is bounded.
 */
export class Metrics {
  private readonly registry = new Registry();
  /** The agent of each call that is up. */
  private readonly agents = new Map<string, string>();
  /** Values of labels so far. */
  private readonly values = new Map<string, Set<string>>();
  private readonly calls = this.counter('calls_total', 'Calls that ended', ['agent', 'ended_by']);
  private readonly duration = this.histogram('call_duration_seconds', 'From INVITE to end', [], CALL_SECONDS);
  private readonly turns = this.counter('turns_total', 'Turn decisions; held, rejoined: more words came', ['decision']);
  private readonly latency = this.histogram('turn_latency_seconds', 'Latency of replies by part', ['part'], SECONDS);
  private readonly replies = this.counter('replies_total', 'What the agent said', ['kind', 'interrupted']);
  private readonly interruptions = this.counter('interruptions_total', 'Callers who took the floor', []);
  private readonly cutOffs = this.counter('cut_offs_total', 'Callers who were not done when their turn was taken', [
    'heard',
  ]);
  private readonly backchannels = this.counter('backchannels_total', 'Listening sounds that stopped nothing', []);
  private readonly speculations = this.counter('speculations_total', 'Answers prepared in pauses', ['used']);
  private readonly silences = this.counter('idle_prompts_total', 'Prompts to silent callers', []);
  private readonly topics = this.counter('topics_total', 'Topics recognised; none: no topic', ['agent', 'topic']);
  private readonly actions = this.counter('actions_total', 'Actions of agents', ['agent', 'action', 'ok']);
  private readonly actionTime = this.histogram(
    'action_duration_seconds',
    'Time that actions took',
    ['action'],
    SECONDS,
  );
  private readonly sentiment = this.counter('caller_turns_by_mood_total', 'How turns sounded', ['mood']);
  private readonly escalations = this.counter('escalations_total', 'Calls sent to a person', ['agent', 'trigger']);
  private readonly transfers = this.counter('transfers_total', 'Transfers by outcome', ['outcome']);
  private readonly consents = this.counter('consents_total', 'Callers who were asked whether they agree', ['outcome']);
  private readonly fallbacks = this.counter('fallbacks_total', "Calls that an entry's fallback had", ['agent']);
  private readonly keys = this.counter('dtmf_total', 'Keys pressed', []);
  private readonly mos = this.histogram('media_mos', 'Opinion score by the E-model', ['direction'], MOS);
  private readonly loss = this.histogram('media_loss_ratio', 'Packets lost, by report', ['direction'], LOSS);
  private readonly jitter = this.histogram('media_jitter_seconds', 'Jitter, by report', ['direction'], JITTER);
  private readonly silent = this.counter('media_silent_total', 'Directions that lost their RTP', ['direction']);
  private readonly errors = this.counter('errors_total', 'Errors on calls by code', ['code']);
  private readonly reloads = this.counter('reloads_total', 'Reads of agents and dialplans; refused: not used', [
    'outcome',
  ]);
  private readonly filesBad = this.gauge('reload_refused', '1 while the files can not be used as they are', []);
  private readonly live = this.gauge('calls_live', 'Calls that are up', []);
  private readonly pending = this.gauge('journal_pending_events', 'Events not stored yet', []);
  private readonly backlog = this.gauge('speech_backlog', 'Jobs that wait for a speech worker', []);
  private readonly restarts = this.gauge('speech_worker_restarts', 'Speech workers replaced since the start', []);
  private readonly clips = this.gauge('clip_cache', 'Clip cache: hits, misses, bytes', ['what']);
  private readonly late = this.gauge('media_tick_late_seconds', 'Lateness of the 20 ms tick', ['worker', 'quantile']);

  private readonly refusals = this.counter('calls_refused_total', 'Calls answered 503 for want of room', ['reason']);
  private readonly load = this.gauge('load_ratio', 'Load as a share of limits.load; above 1 calls are refused', [
    'signal',
  ]);
  private readonly alarms = this.gauge('alarm', '1 for each alarm that is raised', ['code']);
  private readonly unhandled = this.gauge('unhandled_errors', 'Errors that nothing caught since the start', []);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Counts an event of a call. */
  observe(event: StoredEvent | LiveEvent): void {
    switch (event.type) {
      case 'call.received':
        return void this.agents.set(event.call, event.agent ?? 'none');
      case 'call.ended':
        this.calls.inc({ agent: this.agentOf(event.call), ended_by: event.by });
        this.duration.observe(event.durationMs / 1000);
        return void this.agents.delete(event.call);
      case 'turn.decision':
        // Before the answer began, or when its beginning was heard.
        if (event.decision === 'held') this.cutOffs.inc({ heard: 'false' });
        if (event.decision === 'rejoined') this.cutOffs.inc({ heard: 'true' });
        return this.turns.inc({ decision: event.decision });
      case 'agent.turn':
        this.replies.inc({ kind: event.kind, interrupted: String(event.interrupted) });
        for (const [part, ms] of Object.entries(event.latency ?? {})) {
          if (typeof ms === 'number') this.latency.observe({ part }, ms / 1000);
        }
        return;
      case 'action.returned':
        this.actions.inc({
          agent: this.agentOf(event.call),
          action: this.bounded('action', event.action),
          ok: String(event.ok),
        });
        return this.actionTime.observe({ action: this.bounded('action', event.action) }, event.ms / 1000);
      case 'media.quality':
        return this.quality(event);
      default:
        return this.count(event);
    }
  }

  /** A call was refused for want of room. */
  refused(reason: string): void {
    this.refusals.inc({ reason });
  }

  /** Agents and dialplans were read again. */
  reloaded(outcome: 'done' | 'unchanged' | 'refused'): void {
    this.reloads.inc({ outcome });
    this.filesBad.set(outcome === 'refused' ? 1 : 0);
  }

  /** What a scrape gets, in Prometheus' text format. */
  async text(source: MetricsSource): Promise<string> {
    this.live.set(source.calls);
    this.pending.set(source.pendingEvents);
    this.backlog.set(source.speechBacklog);
    this.restarts.set(source.speechRestarts);
    for (const [what, value] of Object.entries(source.clips)) this.clips.set({ what }, value);
    source.late.forEach(({ p50, p99, max }, worker) => {
      for (const [quantile, ms] of Object.entries({ '0.5': p50, '0.99': p99, '1': max })) {
        this.late.set({ worker: String(worker), quantile }, ms / 1000);
      }
    });
    for (const [signal, share] of source.load) this.load.set({ signal }, share);
    this.alarms.reset();
    for (const code of source.alarms) this.alarms.set({ code }, 1);
    this.unhandled.set(source.unhandled);
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  private count(event: StoredEvent | LiveEvent): void {
    switch (event.type) {
      case 'interruption':
        return this.interruptions.inc();
      case 'backchannel':
        return this.backchannels.inc();
      case 'speculation':
        return this.speculations.inc({ used: String(event.used) });
      case 'idle':
        return this.silences.inc();
      case 'topic':
        return this.topics.inc({ agent: this.agentOf(event.call), topic: this.bounded('topic', event.topic) });
      case 'sentiment':
        return this.sentiment.inc({ mood: event.mood });
      case 'escalation':
        return this.escalations.inc({
          agent: this.agentOf(event.call),
          trigger: this.bounded('trigger', event.trigger),
        });
      case 'transfer.finished':
        return this.transfers.inc({ outcome: event.outcome });
      case 'consent':
        return this.consents.inc({ outcome: event.outcome });
      case 'fallback':
        return this.fallbacks.inc({ agent: this.agentOf(event.call) });
      case 'dtmf':
        return this.keys.inc();
      case 'media.silent':
        if (event.on) this.silent.inc({ direction: event.direction });
        return;
      case 'error':
        return this.errors.inc({ code: event.code });
    }
  }

  private quality({ direction, mos, lossPercent, jitterMs }: Extract<JournalEvent, { type: 'media.quality' }>): void {
    if (mos !== undefined) this.mos.observe({ direction }, mos);
    if (lossPercent !== undefined) this.loss.observe({ direction }, lossPercent / 100);
    if (jitterMs !== undefined) this.jitter.observe({ direction }, jitterMs / 1000);
  }

  /** What a model gives as its reason may be anything, and its every form would be a series for ever. */
  private bounded(label: string, value: string): string {
    const known = this.values.get(label) ?? new Set();
    this.values.set(label, known);
    if (known.has(value)) return value;
    if (known.size >= MOST_VALUES || !/^[\p{L}\p{N}_.:#/-]{1,64}$/u.test(value)) return 'other';
    known.add(value);
    return value;
  }

  /** Name, kind, labels and meaning of each metric of ours, for the documentation. */
  describe(): { name: string; type: string; labels: string[]; help: string }[] {
    return this.registry
      .getMetricsAsArray()
      .filter(({ name }) => name.startsWith('parley_'))
      .map((metric) => {
        const { name, help, labelNames } = metric as typeof metric & { labelNames: string[] };
        const type = metric instanceof Counter ? 'counter' : metric instanceof Gauge ? 'gauge' : 'histogram';
        return { name, type, labels: labelNames.filter((label) => label !== 'le'), help };
      });
  }

  private agentOf(call: string): string {
    return this.bounded('agent', this.agents.get(call) ?? 'none');
  }

  private counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name: `parley_${name}`, help, labelNames, registers: [this.registry] });
  }

  private gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge({ name: `parley_${name}`, help, labelNames, registers: [this.registry] });
  }

  private histogram<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: readonly number[],
  ): Histogram<L> {
    const config = { name: `parley_${name}`, help, labelNames, buckets: [...buckets] };
    return new Histogram({ ...config, registers: [this.registry] });
  }
}
