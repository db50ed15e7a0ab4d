import { type Command, InvalidArgumentError } from 'commander';
import type { StoredEvent } from '../journal/events.js';
import type { CallSummary, JournalBook } from '../journal/journal.js';
import { renderTranscript, transcript } from '../journal/transcript.js';
import type { Settings } from '../settings.js';
import { readTrace, type TracedMessage } from '../sip/trace/traces.js';
import type { Store } from '../store/store.js';
import { apiOf } from './api.js';
import { Follower } from './calls/follower.js';
import { ladderLines } from './calls/ladder.js';
import { findCall, reading, type StoreOptions, withStore } from './calls/store.js';
import { print, tableLines } from './output.js';

/** `parley calls`: what was said on which call. */
export function register(program: Command): void {
  const calls = program.command('calls').description('Shows calls that were, and calls that are.');
  withStore(calls.command('list').description('Lists the newest calls, newest last.'))
    .option('-n, --limit <n>', 'how many', wholeNumber, 20)
    .option('--json', 'print one JSON array')
    .action((options: StoreOptions & { limit: number; json?: boolean }) =>
      reading(options, (book) => list(book, options.limit, options.json ?? false)),
    );
  withStore(
    calls.command('show <id>').description('Shows the transcript of a call: its id, the beginning of it, or "last".'),
  )
    .option('--json', 'print the events of its journal as one JSON array')
    .action((id: string, options: StoreOptions & { json?: boolean }) =>
      reading(options, (book, store) => show(book, id, store, options.json ?? false)),
    );
  withStore(calls.command('ladder <id>').description('Shows the SIP messages of a call, of all its legs, as a ladder.'))
    .option('--full', 'each message in full; credentials and sensitive headers are not kept')
    .option('--json', 'print one JSON array')
    .action((id: string, options: StoreOptions & { full?: boolean; json?: boolean }) =>
      reading(options, async (book, where, store, settings) => {
        const call = await findCall(book, id, where);
        const messages = await traceOf(call, store, settings);
        if (options.json) return print(JSON.stringify(messages));
        for (const line of ladderLines(messages, await book.read(call), options.full ?? false)) print(line);
      }),
    );
  withStore(calls.command('follow [id]').description('Shows a call as it happens; without an id, every new call.'))
    .option('--json', 'print each event as a line of JSON')
    .action((id: string | undefined, options: StoreOptions & { json?: boolean }) =>
      reading(options, (book, store) => follow(book, id, store, options.json ?? false)),
    );
}

async function list(book: JournalBook, limit: number, json: boolean): Promise<void> {
  const summaries = await book.list(limit);
  const rows = await Promise.all(
    summaries.map(async (call) => ({ ...call, turns: turnsOf(await book.read(call.call)) })),
  );
  if (json) {
    print(JSON.stringify(rows));
    return;
  }
  if (rows.length === 0) print('No calls yet.');
  else for (const line of tableLines([HEADING, ...rows.map(rowOf)])) print(line);
}

const HEADING = ['ID', 'TIME', 'FROM', 'TO', 'AGENT', 'DURATION', 'TURNS', 'ENDED BY'];

function rowOf(call: CallSummary & { turns: number }): string[] {
  const { time, from = '', to = '', agent = '', ended, turns } = call;
  const duration = ended ? `${(ended.durationMs / 1000).toFixed(1)} s` : '';
  const when = time === undefined ? '' : new Date(time).toLocaleString('sv-SE');
  // What a caller writes into From can't steer the terminal.
  const cells = [call.call, when, from, to, agent, duration, String(turns), ended?.by ?? '(live)'];
  return cells.map((cell) => cell.replace(/\p{Cc}+/gu, ' '));
}

function turnsOf(events: readonly StoredEvent[]): number {
  return events.filter(({ type }) => type === 'caller.turn').length;
}

async function show(book: JournalBook, id: string, store: string, json: boolean): Promise<void> {
  const events = await book.read(await findCall(book, id, store));
  if (json) print(JSON.stringify(events));
  else process.stdout.write(renderTranscript(transcript(events)));
}

async function follow(book: JournalBook, id: string | undefined, store: string, json: boolean): Promise<void> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    const follower = new Follower(book, stop.signal, json);
    if (id === undefined) await follower.everyNewCall();
    else await follower.call(await findCall(book, id, store));
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('write a whole number from 1 on.');
  return number;
}

/** From the store; of a call that is up, from the server that has it. */
async function traceOf(call: string, store: Store, settings: Settings): Promise<TracedMessage[]> {
  const kept = await readTrace(store.streams, call);
  if (kept.length > 0) return kept;
  const answer = await apiOf(settings).get(`/v1/calls/${call}/sip`);
  return (answer as { messages: TracedMessage[] }).messages;
}
