import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ParleyError } from '../errors.js';
import { storeConfig } from '../store/config.js';
import { openStore } from '../store/open.js';
import type { Store } from '../store/store.js';
import { monotonicMs } from '../telemetry/clock.js';
import { createLogger } from '../telemetry/log.js';
import type { JournalEvent, StoredEvent } from './events.js';
import { type CallJournal, JournalBook, newCallId } from './journal.js';
import { NodeWatch } from './node-watch.js';

const logger = createLogger('silent');
const HOUR = 3_600_000;
/** Looks until a silent node is dead, the first included. */
const LOOKS = 7;

/** A store that a node may be cut off from. */
class Cable implements Store {
  cut = false;
  readonly streams: Store['streams'];
  readonly records: Store['records'];

  constructor(private readonly store: Store) {
    this.streams = this.through(store.streams);
    this.records = this.through(store.records);
  }

  get blobs() {
    return this.store.blobs;
  }

  get fanout() {
    return this.store.fanout;
  }

  healthy = () => this.store.healthy();
  onRecovered = (listener: () => void) => this.store.onRecovered(listener);
  close = async () => undefined;

  private through<T extends object>(part: T): T {
    return new Proxy(part, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...given: unknown[]) => Promise<unknown>;
        return (...given: unknown[]) =>
          this.cut
            ? Promise.reject(new ParleyError('PARLEY_ERR_STORE_UNAVAILABLE', { store: 'x', reason: 'cut' }))
            : method.apply(target, given);
      },
    });
  }
}

/** A node on the store. */
class Node {
  readonly cable: Cable;
  readonly book: JournalBook;
  readonly watch: NodeWatch;
  readonly told: string[] = [];

  constructor(store: Store, local = false) {
    this.cable = new Cable(store);
    this.book = new JournalBook(this.cable, logger, { retentionMs: HOUR, closeTimeoutMs: 10 });
    // It looks when it is told to.
    const options = { lostMs: HOUR, local, retentionMs: HOUR };
    this.watch = new NodeWatch(this.book, this.cable.records, logger, options);
    this.book.onEvent(({ type }) => this.told.push(type));
  }

  async call(): Promise<CallJournal> {
    const journal = this.book.open(newCallId(), monotonicMs());
    const time = new Date().toISOString();
    const who = { from: '100', to: '8001', source: '127.0.0.1', sipCallId: 'x' };
    journal.append({ type: 'call.received', time, ...who });
    journal.append({ type: 'caller.turn', turn: 1, text: 'hello', from: 'speech' });
    await this.book.flush(2000);
    await this.watch.look();
    return journal;
  }

  async looks(times: number): Promise<void> {
    for (let n = 0; n < times; n++) await this.watch.look();
  }
}

const DIGIT: JournalEvent = { type: 'dtmf', digit: '1', durationMs: 1 };
const ENDED: JournalEvent = { type: 'call.ended', by: 'caller', reason: 'BYE', durationMs: 5 };

describe('calls whose node is gone', () => {
  let store: Store;
  let folder: string;
  let here: Node;
  let there: Node;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-nodes-'));
    store = await openStore(storeConfig.parse({}), folder, logger);
    [here, there] = [new Node(store), new Node(store)];
  });

  afterEach(async () => {
    for (const { watch, book, cable } of [here, there]) {
      cable.cut = false;
      await watch.close();
      await book.close();
    }
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const stored = async (call: string) =>
    (await store.streams.read(`call-${call}`)).map(({ data }) => JSON.parse(data) as StoredEvent);
  const notes = () => store.records.list('node');

  it('are ended by one other node, with a summary, and without a gap', async () => {
    const { call } = await here.call();
    here.cable.cut = true;
    const third = new Node(store);
    await Promise.all([there.looks(LOOKS - 1), third.looks(LOOKS - 1)]);
    expect(await stored(call), 'not yet').toHaveLength(2);
    await Promise.all([there.looks(2), third.looks(2)]);
    const events = await stored(call);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(events.slice(2)).toMatchObject([
      { type: 'node.lost', node: here.watch.node, seenAt: expect.stringMatching(/^\d{4}-/) },
      { type: 'call.summary', disposition: 'interrupted', turns: { caller: 1 } },
      { type: 'call.ended', by: 'node-lost' },
    ]);
    expect([...there.told, ...third.told].sort()).toEqual(['call.ended', 'call.summary', 'node.lost']);
    expect((await notes()).filter((key) => key.includes(here.watch.node))).toEqual([]);
    await third.watch.close();
    await third.book.close();
  });

  it('are left alone while their node says that it is there, however slow, and while nobody can say anything', async () => {
    const journal = await here.call();
    for (let n = 0; n < 3; n++) {
      await there.looks(LOOKS - 1);
      await here.looks(1);
    }
    // The store was away for all: that counts for nothing.
    await there.looks(LOOKS - 1);
    for (const node of [here, there]) node.cable.cut = true;
    await there.looks(LOOKS);
    there.cable.cut = false;
    await there.looks(LOOKS - 1);
    here.cable.cut = false;
    await here.looks(1);
    await there.looks(LOOKS - 1);
    expect(await stored(journal.call)).toHaveLength(2);
    journal.append(ENDED);
    await journal.close();
    await expect.poll(notes).toHaveLength(2);
    await there.looks(LOOKS + 1);
    expect(there.told).toEqual([]);
  });

  it('are put right by a node that was taken for dead, and was not', async () => {
    const [journal, over] = [await here.call(), await here.call()];
    here.cable.cut = true;
    for (const one of [journal, over]) one.append(DIGIT);
    over.append(ENDED);
    await over.close();
    await there.looks(LOOKS);
    for (const { call } of [journal, over]) expect((await stored(call)).at(-1)).toMatchObject({ by: 'node-lost' });
    here.cable.cut = false;
    await here.looks(1);
    journal.append(ENDED);
    await journal.close();
    expect(await here.book.flush(5000)).toBe(true);
    for (const { call, events } of [journal, over]) expect(await stored(call)).toEqual(events);
    await there.looks(LOOKS + 1);
    await here.looks(1);
    expect(await notes()).toEqual(expect.arrayContaining([`node:${here.watch.node}`, `node:${there.watch.node}`]));
  });

  it('are ended at once on one machine when the process is gone, and not when it is not', async () => {
    const { call } = await here.call();
    const next = new Node(store, true);
    await next.looks(2);
    expect(await stored(call), 'its process runs').toHaveLength(2);
    const key = `node:${here.watch.node}`;
    here.cable.cut = true;
    const gone = { at: Date.now(), host: hostname(), pid: process.pid, started: '1' };
    await store.records.set(key, JSON.stringify({ ...gone, host: 'elsewhere' }));
    await next.looks(1);
    expect(await stored(call), 'it may be on another machine').toHaveLength(2);
    await store.records.set(key, JSON.stringify(gone));
    await next.looks(1);
    expect((await stored(call)).at(-1)).toMatchObject({ type: 'call.ended', by: 'node-lost' });
    await next.watch.close();
    await next.book.close();
  });

  it('leave nothing behind when their node leaves in order', async () => {
    const journal = await here.call();
    journal.append(ENDED);
    await journal.close();
    await here.watch.close();
    await there.watch.close();
    expect(await notes()).toEqual([]);
  });
});
