import { scrypt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ParleyError, reasonOf } from '../errors.js';
import type { StoredEvent } from '../journal/events.js';
import type { JournalBook } from '../journal/journal.js';
import type { Records } from '../store/store.js';
import type { Logger } from '../telemetry/log.js';

/** What was deleted of one caller, or would be. */
export interface Forgotten {
  /** Calls from the number that are over. */
  calls: string[];
  /** Calls that are not over: they are deleted when they are. */
  live: string[];
  events: number;
  recordings: number;
  /** Hand-offs that no call has taken yet. */
  handoffs: number;
  callbacks: number;
  /** Calls whose journal can't be read, so that nobody knows whose they are. */
  unreadable: string[];
  /** Calls that could not be deleted, and why. */
  failed: { call: string; reason: string }[];
}

/** Who is to be forgotten. */
export interface ForgetRequest {
  number: string;
  /** Country code without +: then local and international forms count as one. */
  country?: string | undefined;
  /** Nothing is deleted. */
  dryRun?: boolean | undefined;
}

/** What it takes. */
export interface Forgetting {
  journals: Pick<JournalBook, 'calls' | 'beginning'>;
  records: Records;
  /** Deletes what is kept of a call. @throws ParleyError PARLEY_ERR_CALL_LIVE */
  remove(call: string): Promise<{ events: number; recordings: number }>;
}

const MARK = 'forget:';
/** Longer than any call, ms. */
const MARK_MS = 4 * 86_400_000;
/** Who calls is said at the beginning. */
const FIRST_EVENTS = 12;
/** After its end a call's journal and traces are still being written, ms. */
const SETTLED_MS = 3000;
const TRIES = 5;

/**
 * Deletes all that is kept of a caller: calls from the number with journals, transcripts, recordings, clips and SIP traces,
 * what an IVR has handed over for it, wishes to be called back, and what is still to be posted of its calls.
 *
 * @throws ParleyError PARLEY_ERR_STORE_UNAVAILABLE; what was deleted until then is
 */
export async function forget(request: ForgetRequest, forgetting: Forgetting): Promise<Forgotten> {
  const { journals, records } = forgetting;
  const dryRun = request.dryRun ?? false;
  const forms = formsOf(request.number, request.country);
  const done: Forgotten = {
    calls: [],
    live: [],
    events: 0,
    recordings: 0,
    handoffs: 0,
    callbacks: 0,
    unreadable: [],
    failed: [],
  };
  const own = new Set<string>();
  for (const call of await journals.calls()) {
    const events = await journals.beginning(call, FIRST_EVENTS).catch((error: unknown) => unread(error));
    if (!events) done.unreadable.push(call);
    if (events && isFrom(events, forms)) own.add(call);
  }
  // Before the calls: broken off in between, they are found again.
  done.handoffs = await forgetHandoffs(records, forms, dryRun);
  done.callbacks = await forgetCallbacks(records, forms, own, dryRun);
  for (const call of own) await forgetCall(call, dryRun, forgetting, done);
  for (const key of await records.list('webhook:')) {
    if (!dryRun && done.calls.includes(key.slice(key.lastIndexOf(':') + 1))) await records.delete(key);
  }
  return done;
}

/**
 * Deletes a call that has ended if somebody wanted that while it was up. Never rejects.
 *
 * @param isOver false: its node was taken for dead, may be there all the same, and bring the call back
 */
export async function forgetEnded(
  call: string,
  forgetting: Forgetting,
  logger: Logger,
  isOver = true,
  settledMs = SETTLED_MS,
): Promise<void> {
  for (let tries = 1; tries <= TRIES; tries++) {
    await delay(settledMs * tries, undefined, { ref: false });
    try {
      if (!(await forgetting.records.get(MARK + call))) return;
      await forgetting.remove(call);
      if (isOver) await forgetting.records.delete(MARK + call);
      return logger.info({ call }, 'call forgotten, as was asked for while it was up');
    } catch (error) {
      if (tries === TRIES) logger.error({ call, reason: reasonOf(error) }, 'call could not be forgotten: do it again');
    }
  }
}

/**
 * Names a number in the audit log without telling it: slow to compute, so that trying all numbers is out of reach. The same number
 * has the same name: whether it was forgotten can be shown.
 */
export function numberName(number: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(plain(number), 'parley forget', 12, { N: 2 ** 15, maxmem: 2 ** 26 }, (error, key) =>
      error ? reject(error) : resolve(key.toString('hex')),
    );
  });
}

/**
 * How a number may stand in a call: `+49 30 123`, `0049-30-123` and `4930123` are one; with the country `49` also `030123`
 * and `30123`.
 */
export function formsOf(number: string, country?: string): ReadonlySet<string> {
  const given = plain(number);
  const forms = new Set([given]);
  if (country === undefined) return forms;
  const local = given.startsWith(country) ? given.slice(country.length) : given.replace(/^0/, '');
  if (local.length < 5) return forms;
  return forms
    .add(country + local)
    .add(`0${local}`)
    .add(local);
}

/** Another's damaged journal, or one whose key is gone, keeps nobody from being forgotten. */
function unread(error: unknown): undefined {
  if (error instanceof ParleyError && error.code !== 'PARLEY_ERR_STORE_UNAVAILABLE') return undefined;
  throw error;
}

async function forgetCall(
  call: string,
  dryRun: boolean,
  { remove, records }: Forgetting,
  done: Forgotten,
): Promise<void> {
  if (dryRun) return void done.calls.push(call);
  try {
    const { events, recordings } = await remove(call);
    done.calls.push(call);
    done.events += events;
    done.recordings += recordings;
  } catch (error) {
    const code = error instanceof ParleyError ? error.code : undefined;
    if (code === 'PARLEY_ERR_CALL_LIVE') {
      await records.set(MARK + call, '1', { ttlMs: MARK_MS });
      done.live.push(call);
    } else if (code === 'PARLEY_ERR_STORE_UNAVAILABLE') throw error;
    else done.failed.push({ call, reason: reasonOf(error) });
  }
}

function isFrom(events: readonly StoredEvent[], forms: ReadonlySet<string>): boolean {
  return events.some((event) => {
    if (event.type === 'call.received') return forms.has(plain(event.from));
    if (event.type !== 'ivr.segment' || event.part !== 'signalling') return false;
    return event.identity?.some((who) => forms.has(plain(who))) ?? false;
  });
}

async function forgetHandoffs(records: Records, forms: ReadonlySet<string>, dryRun: boolean): Promise<number> {
  const keys = new Set<string>();
  for (const pair of await records.list('handoff-for:')) {
    if (!forms.has(pair.slice('handoff-for:'.length, pair.indexOf('>')))) continue;
    for (const { key } of parsed<{ key: string }[]>(await records.get(pair)) ?? []) keys.add(key);
    if (!dryRun) await records.delete(pair);
  }
  for (const key of await records.list('handoff:')) {
    const ani = parsed<{ document?: { ani?: string } }>(await records.get(key))?.document?.ani;
    if (ani !== undefined && forms.has(plain(ani))) keys.add(key);
  }
  if (!dryRun) for (const key of keys) await records.delete(key);
  return keys.size;
}

async function forgetCallbacks(
  records: Records,
  forms: ReadonlySet<string>,
  calls: ReadonlySet<string>,
  dryRun: boolean,
): Promise<number> {
  let found = 0;
  for (const key of await records.list('callback-')) {
    const wish = parsed<{ call?: string; number?: string }>(await records.get(key));
    if (!calls.has(wish?.call ?? '') && !forms.has(plain(wish?.number ?? ''))) continue;
    found++;
    if (!dryRun) await records.delete(key);
  }
  return found;
}

function parsed<T>(record: { value: string } | undefined): T | undefined {
  return record && record.value !== '' ? (JSON.parse(record.value) as T) : undefined;
}

/** The user of a SIP URI, or a number, in letters and digits, without a leading + or 00. */
function plain(number: string): string {
  const user = /^(?:"[^"]*"|[^<]*)<?(?:sips?|tel):([^@>;]+)/i.exec(number)?.[1] ?? number;
  return user
    .toLowerCase()
    .replace(/[\s().\-/]/g, '')
    .replace(/^(?:\+|00)(?=\d)/, '');
}
