import { ParleyError } from '../errors.js';
import type { JournalBook } from '../journal/journal.js';

/** A call that has not ended and was heard of so lately may still be alive on another node, ms. */
const SILENT_MS = 600_000;

/** What deletes all that is kept of a call. */
export interface CallRecords {
  journals: Pick<JournalBook, 'read' | 'delete' | 'live'>;
  /** Recordings of this call, on all nodes. Returns how many were here. */
  recordings(call: string): Promise<number>;
  /** The SIP messages of this call. */
  trace(call: string): Promise<void>;
  /** The caller's wish to be called back. */
  callback(call: string): Promise<void>;
  /** Clips of what its agent said. */
  clips(agent: string | undefined, texts: readonly string[]): Promise<void>;
}

/**
 * Deletes everything that is kept of a call that is over.
 *
 * @throws ParleyError PARLEY_ERR_CALL_LIVE, PARLEY_ERR_CALL_UNKNOWN, PARLEY_ERR_STORE_UNAVAILABLE
 */
export async function deleteCall(call: string, records: CallRecords): Promise<{ events: number; recordings: number }> {
  const live = () => new ParleyError('PARLEY_ERR_CALL_LIVE', { call });
  if (records.journals.live.has(call)) throw live();
  const events = await records.journals.read(call);
  const [first] = events;
  if (first?.type === 'call.received' && !events.some(({ type }) => type === 'call.ended')) {
    const last = Date.parse(first.time) + (events.at(-1)?.at ?? 0);
    if (Date.now() - last < SILENT_MS) throw live();
  }
  const recordings = await records.recordings(call);
  if (events.length === 0 && recordings === 0) {
    throw new ParleyError('PARLEY_ERR_CALL_UNKNOWN', {
      id: call,
      store: 'the store',
      hint: 'See `parley calls list`.',
    });
  }
  const said = events.flatMap((event) => (event.type === 'agent.turn' ? event.planned : []));
  const agent = first?.type === 'call.received' ? first.agent : undefined;
  await records.clips(agent, said);
  await records.trace(call);
  await records.callback(call);
  // Last: should anything before it fail, the request can be made again.
  await records.journals.delete(call);
  return { events: events.length, recordings };
}
