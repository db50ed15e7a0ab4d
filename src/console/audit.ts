import { reasonOf } from '../errors.js';
import { newCallId } from '../journal/journal.js';
import type { Store } from '../store/store.js';
import type { Logger } from '../telemetry/log.js';
import type { Principal } from './tokens.js';

/** What somebody did by the API or the command line. */
export interface AuditEntry {
  /** ISO 8601. */
  time: string;
  by: string;
  role: string;
  /** `call.hold`, `call.delete`, `token.create`... */
  action: string;
  /** What it was done to. */
  subject: string;
  outcome: 'done' | 'refused' | 'failed';
}

const PREFIX = 'audit-';
/** A stream goes as a whole, so long after its last entry: it takes entries for a day. */
const STREAM_MS = 86_400_000;

/**
 * Who did what, in the store and in the log. Each process has a stream of its own, so that none waits for another; names
 * sort by time.
 */
export class AuditLog {
  #stream = '';
  #began = 0;
  #seq = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: Pick<Store, 'streams'>,
    private readonly retentionMs: number,
    private readonly logger: Logger,
  ) {}

  /** Notes it; resolves when it is stored, or could not be. Never rejects. */
  note(who: Principal, action: string, subject: string, outcome: AuditEntry['outcome']): Promise<void> {
    const entry: AuditEntry = {
      time: new Date().toISOString(),
      by: who.name,
      role: who.role,
      action,
      subject,
      outcome,
    };
    this.logger.info({ audit: entry }, 'audit');
    const data = JSON.stringify(entry);
    this.#last = this.#last.then(() => this.#write(data));
    return this.#last;
  }

  /** The newest entries of all processes, the newest first. */
  async read(limit: number): Promise<AuditEntry[]> {
    const entries: AuditEntry[] = [];
    for (const stream of (await this.store.streams.list(PREFIX)).toReversed()) {
      for (const { data } of await this.store.streams.read(stream)) entries.push(JSON.parse(data) as AuditEntry);
    }
    return entries.sort((a, b) => b.time.localeCompare(a.time)).slice(0, limit);
  }

  async #write(data: string): Promise<void> {
    if (Date.now() - this.#began > STREAM_MS) {
      this.#stream = PREFIX + newCallId();
      this.#began = Date.now();
      this.#seq = 0;
    }
    try {
      await this.store.streams.append(this.#stream, [{ seq: this.#seq + 1, data }]);
      this.#seq++;
      await this.store.streams.expire(this.#stream, this.retentionMs);
    } catch (error) {
      this.logger.error({ reason: reasonOf(error) }, 'audit entry is in the log only: the store does not keep it');
    }
  }
}
