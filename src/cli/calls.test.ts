import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CallJournal } from '../journal/journal.js';
import { JournalBook } from '../journal/journal.js';
import { FilesStore } from '../store/files/files-store.js';
import { monotonicMs } from '../telemetry/clock.js';
import { createLogger } from '../telemetry/log.js';
import { register } from './calls.js';

const FIRST = '01JZZZZZZZAAAAAAAAAAAAAAAA';
const SECOND = '01JZZZZZZZBBBBBBBBBBBBBBBB';
const THIRD = '01K00000000000000000000000';

let folder: string;
let store: FilesStore;
let book: JournalBook;

function begin(id: string, from: string): CallJournal {
  const journal = book.open(id, monotonicMs());
  const time = '2025-07-01T12:00:00.000Z';
  journal.append({
    type: 'call.received',
    time,
    from,
    to: '8001',
    source: '127.0.0.1',
    sipCallId: id,
    agent: 'orders',
  });
  return journal;
}

async function end(journal: CallJournal): Promise<void> {
  journal.append({ type: 'caller.turn', turn: 1, text: 'Where is my order?', from: 'speech' });
  journal.append({ type: 'call.ended', by: 'caller', reason: 'BYE', durationMs: 4200 });
  await journal.close();
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-calls-'));
  const logger = createLogger('error');
  store = await FilesStore.open(folder, logger);
  book = new JournalBook(store, logger, { retentionMs: 60_000 });
  await end(begin(FIRST, '100'));
  await end(begin(SECOND, '\u001b[31mred'));
});
afterAll(async () => {
  await book.close();
  await store.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => vi.restoreAllMocks());

/** Runs `parley calls ...`; `onOutput` sees what is printed as it is printed. */
async function run(args: string[], onOutput: (text: string) => void = () => undefined): Promise<string> {
  let output = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += String(text);
    onOutput(output);
    return true;
  });
  const program = new Command().exitOverride();
  register(program);
  await program.parseAsync(['calls', ...args, '--data', folder], { from: 'user' });
  return output;
}

describe('parley calls', () => {
  it('lists the newest calls last, without letting a caller steer the terminal', async () => {
    const lines = (await run(['list'])).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^ID +TIME +FROM +TO +AGENT +DURATION +TURNS +ENDED BY$/);
    expect(lines[1]).toMatch(new RegExp(`^${FIRST} .* 100 +8001 +orders +4\\.2 s +1 +caller$`));
    expect(lines[2]).toContain(`${SECOND} `);
    expect(lines[2]).not.toContain('\u001b');
    expect(JSON.parse(await run(['list', '--json', '-n', '1']))).toMatchObject([{ call: SECOND, turns: 1 }]);
  });

  it('shows a call by the beginning of its id, and the last one', async () => {
    expect(await run(['show', FIRST.slice(0, 12).toLowerCase()])).toContain('Where is my order?');
    expect(JSON.parse(await run(['show', 'last', '--json']))).toMatchObject([
      { call: SECOND },
      {},
      { type: 'call.ended' },
    ]);
  });

  it('says when an id is unknown or too short', async () => {
    await expect(run(['show', 'XYZ'])).rejects.toMatchObject({ code: 'PARLEY_ERR_CALL_UNKNOWN' });
    await expect(run(['show', '01'])).rejects.toMatchObject({ mend: '2 calls begin so: write more of the id.' });
  });

  it('follows a call until it ends', async () => {
    const journal = begin(THIRD, '300');
    await vi.waitUntil(() => journal.pending === 0);
    let ended: Promise<void> | undefined;
    const output = await run(['follow', THIRD], (text) => {
      if (text.includes('call from 300')) ended ??= end(journal);
    });
    await ended;
    expect(output.split('\n').map((line) => line.slice(10, 30).trim())).toEqual([
      'system  call from 30',
      'caller  Where is my',
      'system  call ended b',
      '',
    ]);
  });
});
