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
}

const PREFIX = 'webhook:';
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** Beyond the longest call and the longest that an event is tried, a cursor is of no use, ms. */
const KEPT_MS = 4 * 86_400_000;

/** A hook as it is used. */
interface Hook extends Endpoint {
  name: string;
  wants(type: string): boolean;
}

/**
 * Posts journal events to configured URLs, those of a call in their order. The outbox is the journal itself with a cursor
 * per hook and call in the store: a restart goes on where it was, and another node takes over from one that died. An
 * event may come twice, never not at all, and never before an earlier one of its call.
 */
export class Webhooks {
  readonly #hooks: readonly Hook[];
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #undo: () => void;
  readonly #sweeper: NodeJS.Timeout;

  /** @throws ParleyError PARLEY_ERR_CONFIG_FILE when a secret can't be read */
  constructor(
    hooks: readonly WebhookConfig[],
    private readonly journals: Pick<JournalBook, 'follow' | 'read' | 'lastSeq' | 'onEvent'>,
    private readonly records: Records,
    private readonly logger: Logger,
    firstPauseMs?: number,
  ) {
    this.#hooks = hooks.map((hook) => ({
      ...hook,
      firstPauseMs,
      secret: secretOf(hook),
      wants: filterOf(hook.events),
    }));
    this.#undo = journals.onEvent((event) => {
      // Its own first event: each call begins with it.
      if (!('seq' in event) || event.seq !== 1) return;
      for (const hook of this.#hooks) this.#begin(hook, event.call, 0, this.#follow(event.call));
    });
    this.#sweeper = setInterval(() => void this.#takeOver(), LEASE_MS);
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

  /** @param events of the call that are still to be sent, others with them */
  #begin(hook: Hook, call: string, after: number, events: AsyncIterable<StoredEvent>): void {
    const key = keyOf(hook, call);
    if (this.#running.has(key) || this.#stop.signal.aborted) return;
    const work = this.#run(hook, call, after, events)
      .catch((error) => this.logger.error({ err: error, hook: hook.name, call }, 'webhook failed'))
      .finally(() => this.#running.delete(key));
    this.#running.set(key, work);
  }

  async #run(hook: Hook, call: string, from: number, events: AsyncIterable<StoredEvent>): Promise<void> {
    const key = keyOf(hook, call);
    let after = from;
    const save = (leaseMs = LEASE_MS) => this.#save(key, { after, leaseUntil: Date.now() + leaseMs });
    await save();
    const renewal = setInterval(() => void save(), RENEW_MS);
    let done = false;
    try {
      for await (const event of events) {
        if (event.seq <= after) continue;
        const wanted = hook.wants(event.type);
        const taken = !wanted || (await this.#deliver(event, hook));
        done = !taken || event.type === 'call.ended';
        if (done) break;
        after = event.seq;
        if (wanted) await save();
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      clearInterval(renewal);
      // Not at the end: somebody else may go on at once.
      if (done) await this.records.delete(key).catch(() => undefined);
      else await save(0);
    }
  }

  /** @returns false when it is given up, and all that follows of its call */
  async #deliver(event: StoredEvent, hook: Hook): Promise<boolean> {
    const about = { hook: hook.name, call: event.call, seq: event.seq };
    const taken = await deliver(event, hook, this.#stop.signal, (reason, attempt) => {
      this.logger.warn({ ...about, attempt, reason }, 'webhook not taken; tried again');
    });
    if (!taken) this.logger.error(about, 'webhook given up, with what follows of its call');
    return taken;
  }

  #follow(call: string): AsyncIterable<StoredEvent> {
    return this.journals.follow(call, 0, this.#stop.signal);
  }

  /** What there is of a call: one whose node died has no end, and nobody waits for it. */
  async *#stored(call: string): AsyncIterable<StoredEvent> {
    yield* await this.journals.read(call);
  }

  /** Goes on with what an earlier run, or another node that is gone, has left. */
  async #takeOver(): Promise<void> {
    if (this.#hooks.length === 0) return;
    try {
      for (const key of await this.records.list(PREFIX)) {
        const [name = '', call = ''] = key.slice(PREFIX.length).split(':');
        const hook = this.#hooks.find((one) => one.name === name);
        if (!hook || this.#running.has(key)) continue;
        const record = await this.records.get(key);
        const cursor = record && (JSON.parse(record.value) as Cursor);
        if (!cursor || cursor.leaseUntil > Date.now()) continue;
        if ((await this.journals.lastSeq(call)) <= cursor.after) continue;
        const mine = JSON.stringify({ ...cursor, leaseUntil: Date.now() + LEASE_MS });
        const won = await this.records.set(key, mine, { ifVersion: record.version, ttlMs: KEPT_MS });
        if (won !== undefined) this.#begin(hook, call, cursor.after, this.#stored(call));
      }
    } catch (error) {
      this.logger.warn({ reason: reasonOf(error) }, 'webhooks of earlier runs can not be looked for now');
    }
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
