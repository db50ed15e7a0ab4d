import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { ParleyError, reasonOf } from '../../errors.js';
import type { StoredEvent } from '../../journal/events.js';
import type { JournalBook } from '../../journal/journal.js';
import type { Records } from '../../store/store.js';
import type { Logger } from '../../telemetry/log.js';
import type { WebhookConfig } from './config.js';
import { deliver, type Endpoint } from './delivery.js';

/** What is kept of a call that a hook is still to be told of. The events themselves are in the journal. */
interface Cursor {
  /** Last event that needs not be sent any more. */
  after: number;
  /** Until when its node sees to it, ms since 1970; then another one may. */
  leaseUntil: number;
  /** Since when the next event is not taken, ms since 1970. */
  failingSince?: number | undefined;
}

const PREFIX = 'webhook:';
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** Beyond the longest call and the longest that an event is tried, a cursor is of no use, ms. */
const KEPT_MS = 4 * 86_400_000;
/** So often an event is tried before its call waits for the sweeper, and no longer in memory. */
const ATTEMPTS = 6;
/** Calls of the sweeper under way at once, of one hook. */
const MOST_RESUMED = 50;

/** A hook as it is used. */
interface Hook extends Endpoint {
  name: string;
  wants(type: string): boolean;
  /** Its last event was not taken. */
  down: boolean;
  /** Calls of the sweeper under way, and whether others wait for them. */
  resumed: number;
  more: boolean;
}

/** A call whose events a hook is told of, from where on. */
interface Task {
  hook: Hook;
  call: string;
  cursor: Omit<Cursor, 'leaseUntil'>;
  /** Of the call that are still to be sent, others with them. */
  events: AsyncIterable<StoredEvent>;
  attempts: number;
}

/**
 * Posts journal events to configured URLs, those of a call in their order. The outbox is the journal itself with a cursor
 * per hook and call in the store: a restart goes on where it was, and another node takes over from one that died. While
 * a receiver is down its calls wait in the store alone, and one of them is tried at each sweep. An event may come twice,
 * never not at all, and never before an earlier one of its call.
 */
export class Webhooks {
  readonly #hooks: readonly Hook[];
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #undo: () => void;
  readonly #sweeper: NodeJS.Timeout;
  #sweeping = false;

  /** @throws ParleyError PARLEY_ERR_CONFIG_FILE when a secret can't be read */
  constructor(
    hooks: readonly WebhookConfig[],
    private readonly journals: Pick<JournalBook, 'follow' | 'read' | 'lastSeq' | 'live' | 'onEvent'>,
    private readonly records: Records,
    private readonly logger: Logger,
    { firstPauseMs, sweepMs = LEASE_MS }: { firstPauseMs?: number; sweepMs?: number } = {},
  ) {
    this.#hooks = hooks.map((hook) => ({
      ...hook,
      firstPauseMs,
      secret: secretOf(hook),
      wants: filterOf(hook.events),
      down: false,
      resumed: 0,
      more: false,
    }));
    // Each call that is followed listens to it.
    setMaxListeners(0, this.#stop.signal);
    this.#undo = journals.onEvent((event) => {
      // Its own first event: each call begins with it.
      if (!('seq' in event) || event.seq !== 1) return;
      const { call } = event;
      for (const hook of this.#hooks)
        void this.#begin({ hook, call, cursor: { after: 0 }, events: this.#eventsOf(call, 0), attempts: ATTEMPTS });
    });
    this.#sweeper = setInterval(() => void this.#takeOver(), sweepMs);
    this.#sweeper.unref();
    void this.#takeOver();
  }

  /** Calls that a hook is still to be told of, by this node. */
  get pending(): number {
    return this.#running.size;
  }

  /** Stops; what is not sent is left to the next start, or another node. */
  async close(): Promise<void> {
    this.#undo();
    clearInterval(this.#sweeper);
    this.#stop.abort();
    await Promise.all(this.#running.values());
  }

  async #begin(task: Task): Promise<void> {
    const { hook, call } = task;
    const key = keyOf(hook, call);
    if (this.#running.has(key) || this.#stop.signal.aborted) return;
    const work = this.#run(task)
      .catch((error) => this.logger.error({ err: error, hook: hook.name, call }, 'webhook failed'))
      .finally(() => this.#running.delete(key));
    this.#running.set(key, work);
    await work;
  }

  async #run(task: Task): Promise<void> {
    const { hook, call, events, cursor } = task;
    const key = keyOf(hook, call);
    const save = (leaseMs = LEASE_MS) => this.#save(key, { ...cursor, leaseUntil: Date.now() + leaseMs });
    await save();
    const renewal = setInterval(() => void save(), RENEW_MS);
    let done = false;
    try {
      for await (const event of events) {
        if (event.seq <= cursor.after) continue;
        const wanted = hook.wants(event.type);
        const outcome = wanted ? await this.#deliver(event, task) : 'taken';
        done = outcome === 'given up' || (outcome === 'taken' && event.type === 'call.ended');
        if (done || outcome === 'later') break;
        cursor.after = event.seq;
        if (wanted) await save();
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      // What can't be read now may be read later; what is damaged won't.
      done = !(error instanceof ParleyError && error.code === 'PARLEY_ERR_STORE_UNAVAILABLE');
      throw error;
    } finally {
      clearInterval(renewal);
      // Not at the end: somebody else may go on at once.
      if (done) await this.records.delete(key).catch(() => undefined);
      else await save(0);
    }
  }

  /** `given up`: with all that follows of its call. */
  async #deliver(event: StoredEvent, { hook, cursor, attempts }: Task): Promise<'taken' | 'later' | 'given up'> {
    const about = { hook: hook.name, call: event.call, seq: event.seq };
    const since = cursor.failingSince ?? Date.now();
    const patience = { until: since + hook.retryForMs, attempts };
    const outcome = await deliver(event, hook, patience, this.#stop.signal, (reason, attempt) => {
      hook.down = true;
      cursor.failingSince = since;
      this.logger.warn({ ...about, attempt, reason }, 'webhook not taken; tried again');
    });
    if (outcome === 'given up') this.logger.error(about, 'webhook given up, with what follows of its call');
    if (outcome !== 'taken') return outcome;
    cursor.failingSince = undefined;
    // Those that waited for this need not wait for the next sweep.
    if (hook.down) setImmediate(() => void this.#takeOver());
    hook.down = false;
    return outcome;
  }

  /** A call of this process is followed. What there is of another is all: one whose node died is ended by another, and comes up again then. */
  async *#eventsOf(call: string, after: number): AsyncIterable<StoredEvent> {
    if (this.journals.live.has(call)) yield* this.journals.follow(call, after, this.#stop.signal);
    else yield* await this.journals.read(call);
  }

  /** Goes on with what waits in the store: receivers were down, an earlier run has left it, or another node that is gone. */
  async #takeOver(): Promise<void> {
    if (this.#hooks.length === 0 || this.#sweeping || this.#stop.signal.aborted) return;
    this.#sweeping = true;
    const tried = new Set<Hook>();
    try {
      // The oldest first.
      for (const key of await this.records.list(PREFIX)) {
        const [name = '', call = ''] = key.slice(PREFIX.length).split(':');
        const hook = this.#hooks.find((one) => one.name === name);
        if (!hook || this.#running.has(key) || (hook.down && tried.has(hook))) continue;
        hook.more = hook.resumed >= MOST_RESUMED;
        if (!hook.more && (await this.#resume(hook, call, key))) tried.add(hook);
      }
    } catch (error) {
      this.logger.warn({ reason: reasonOf(error) }, 'webhooks of earlier runs can not be looked for now');
    } finally {
      this.#sweeping = false;
    }
  }

  /** @returns whether there was something to be sent, and nobody else who does it */
  async #resume(hook: Hook, call: string, key: string): Promise<boolean> {
    const record = await this.records.get(key);
    const cursor = record && (JSON.parse(record.value) as Cursor);
    if (!cursor || cursor.leaseUntil > Date.now() || (await this.journals.lastSeq(call)) <= cursor.after) return false;
    const mine = JSON.stringify({ ...cursor, leaseUntil: Date.now() + LEASE_MS });
    const won = await this.records.set(key, mine, { ifVersion: record.version, ttlMs: KEPT_MS });
    if (won === undefined) return false;
    const events = this.#eventsOf(call, cursor.after);
    const task = this.#begin({ hook, call, cursor, events, attempts: 1 });
    // A call that is up is followed to its end: nobody waits for that.
    if (this.journals.live.has(call)) return true;
    hook.resumed += 1;
    void task.finally(() => {
      hook.resumed -= 1;
      if (hook.resumed === 0 && hook.more) void this.#takeOver();
    });
    return true;
  }

  async #save(key: string, cursor: Cursor): Promise<void> {
    try {
      await this.records.set(key, JSON.stringify(cursor), { ttlMs: KEPT_MS });
    } catch (error) {
      this.logger.debug({ key, reason: reasonOf(error) }, 'webhook cursor not stored');
    }
  }
}

function keyOf({ name }: Hook, call: string): string {
  return `${PREFIX}${name}:${call}`;
}

function filterOf(events: readonly string[]): (type: string) => boolean {
  const exact = new Set(events.filter((event) => !event.endsWith('*')));
  const starts = events.filter((event) => event.endsWith('*')).map((event) => event.slice(0, -1));
  return (type) => exact.has(type) || starts.some((start) => type.startsWith(start));
}

function secretOf({ secret, secretFile }: WebhookConfig): string {
  if (secretFile === undefined) return secret ?? '';
  try {
    const line = readFileSync(secretFile, 'utf8').split(/\r?\n/, 1)[0]?.trim() ?? '';
    if (line.length < 16) throw new Error('its first line has less than 16 characters');
    return line;
  } catch (error) {
    throw new ParleyError('PARLEY_ERR_CONFIG_FILE', { file: secretFile, reason: reasonOf(error) });
  }
}
