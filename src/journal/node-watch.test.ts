import { readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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
  /** What can't be decrypted. */
  readonly unreadable = new Set<unknown>();
  readonly #listeners = new Set<() => void>();
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
  onRecovered = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  close = async () => undefined;

  mend(): void {
    this.cut = false;
    for (const listener of this.#listeners) listener();
  }

  private through<T extends object>(part: T): T {
    return new Proxy(part, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...given: unknown[]) => Promise<unknown>;
        return async (...given: unknown[]) => {
          if (this.cut) throw new ParleyError('PARLEY_ERR_STORE_UNAVAILABLE', { store: 'x', reason: 'cut' });
          if (this.unreadable.has(given[0])) throw new ParleyError('PARLEY_ERR_KEY_MISSING', {});
          return method.apply(target, given);
        };
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

  constructor(store: Store, { local = false, lostMs = HOUR } = {}) {
    this.cable = new Cable(store);
    this.book = new JournalBook(this.cable, logger, { retentionMs: HOUR, closeTimeoutMs: 10 });
    // It says and looks when it is told to.
    const options = { lostMs, local, retentionMs: HOUR };
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
    await this.looks(1);
    return journal;
  }

  async looks(times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      await this.watch.sign();
      await this.watch.look();
    }
  }

  async close(): Promise<void> {
    this.cable.cut = false;
    await this.watch.close();
    await this.book.close();
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
    for (const node of [here, there]) await node.close();
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
    await third.close();
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
    // A store that is full is read all the same: who can't write judges nobody.
    there.cable.unreadable.add(`node:${there.watch.node}`);
    await there.looks(2 * LOOKS);
    there.cable.unreadable.clear();
    expect(await stored(journal.call)).toHaveLength(2);
    journal.append(ENDED);
    await journal.close();
    expect(await notes(), 'one record each').toHaveLength(2);
    await there.looks(LOOKS + 1);
    expect(there.told).toEqual([]);
  });

  it('are put right by a node that was taken for dead, and was not', async () => {
    const [journal, over, split] = [await here.call(), await here.call(), await here.call()];
    for (let n = 0; n < 3; n++) split.append(DIGIT);
    await here.book.flush(5000);
    here.cable.cut = true;
    // The store that takes over has less of it, and will have as much again.
    const stream = `call-${split.call}`;
    const copied = (await store.streams.read(stream)).slice(0, 2);
    await store.streams.expire(stream, 0);
    await store.streams.append(stream, copied);
    for (const one of [journal, over]) one.append(DIGIT);
    over.append(ENDED);
    await over.close();
    await there.looks(LOOKS);
    const all = [journal, over, split];
    for (const { call } of all) expect((await stored(call)).at(-1)).toMatchObject({ by: 'node-lost' });
    here.cable.mend();
    for (const { call, events } of all) await expect.poll(() => stored(call)).toEqual(events);
    await here.looks(1);
    journal.append(ENDED);
    await journal.close();
    expect(await here.book.flush(5000)).toBe(true);
    for (const { call, events } of [journal, over]) expect(await stored(call)).toEqual(events);
    await there.looks(LOOKS + 1);
    await here.looks(1);
    expect(await notes()).toEqual(expect.arrayContaining([`node:${here.watch.node}`, `node:${there.watch.node}`]));
  });

  it('are put right by a node that was slow, at the next word, or when it says again that it is there', async () => {
    const [talking, quiet] = [await here.call(), await here.call()];
    await there.looks(LOOKS);
    for (const { call } of [talking, quiet]) expect((await stored(call)).at(-1)).toMatchObject({ by: 'node-lost' });
    for (const event of [DIGIT, DIGIT, DIGIT, DIGIT, ENDED]) talking.append(event);
    await talking.close();
    await here.watch.sign();
    await expect.poll(() => stored(quiet.call)).toEqual(quiet.events);
    expect(await stored(talking.call)).toEqual(talking.events);
  });

  it('do not keep their node from saying that it is there', async () => {
    const lost = new Node(store, { lostMs: 60 });
    const { call } = await lost.call();
    lost.cable.cut = true;
    const busy = new Node(store, { lostMs: 60 });
    let finish = () => {};
    const slow = vi.spyOn(busy.book, 'endLost').mockReturnValue(new Promise((resolve) => (finish = resolve)));
    await expect.poll(() => slow.mock.calls.length, { timeout: 20_000 }).toBe(1);
    const version = async () => (await store.records.get(`node:${busy.watch.node}`))?.version ?? 0;
    const before = await version();
    await expect.poll(version, { timeout: 20_000 }).toBeGreaterThan(before + LOOKS);
    expect(slow.mock.calls[0]?.[0]).toBe(call);
    finish();
    await busy.close();
    await lost.close();
  });

  it('wait for as long as their own node says', async () => {
    const patient = new Node(store, { lostMs: 2 * HOUR });
    const { call } = await patient.call();
    patient.cable.cut = true;
    await there.looks(2 * LOOKS - 2);
    expect(await stored(call)).toHaveLength(2);
    await there.looks(1);
    expect((await stored(call)).at(-1)).toMatchObject({ by: 'node-lost' });
    await patient.close();
  });

  it('are ended also when another call, and another node, can not be read', async () => {
    const [sealed, call] = [await here.call(), (await here.call()).call];
    const other = new Node(store);
    await other.call();
    for (const node of [here, other]) node.cable.cut = true;
    for (const name of [`call-${sealed.call}`, `node:${other.watch.node}`]) there.cable.unreadable.add(name);
    await there.looks(LOOKS);
    expect((await stored(call)).at(-1)).toMatchObject({ by: 'node-lost' });
    expect(await stored(sealed.call)).toHaveLength(2);
    expect(await notes()).not.toContain(`node:${here.watch.node}`);
    await other.close();
  });

  it('are ended at once on one machine when the process is gone, and not when it is not', async () => {
    const { call } = await here.call();
    const next = new Node(store, { local: true });
    await next.looks(2);
    expect(await stored(call), 'its process runs').toHaveLength(2);
    const key = `node:${here.watch.node}`;
    here.cable.cut = true;
    const pids = readlinkSync('/proc/self/ns/pid');
    const gone = {
      at: Date.now(),
      lostMs: HOUR,
      host: hostname(),
      pids,
      pid: process.pid,
      started: '1',
      calls: [call],
    };
    for (const place of [{ host: 'elsewhere' }, { pids: 'pid:[1]' }]) {
      await store.records.set(key, JSON.stringify({ ...gone, ...place }));
      await next.looks(1);
      expect(await stored(call), 'it may be on another machine, or in another container').toHaveLength(2);
    }
    await store.records.set(key, JSON.stringify(gone));
    await next.looks(1);
    expect((await stored(call)).at(-1)).toMatchObject({ type: 'call.ended', by: 'node-lost' });
    await next.close();
  });

  it('are on record from their beginning, and leave nothing behind when their node leaves in order', async () => {
    const record = async () => (await store.records.get(`node:${here.watch.node}`))?.value;
    const journal = here.book.open(newCallId(), monotonicMs());
    journal.append(DIGIT);
    await expect.poll(record).toContain(journal.call);
    journal.append(ENDED);
    await journal.close();
    await here.watch.sign();
    expect(await record()).toContain('"calls":[]');
    await here.watch.close();
    await there.watch.close();
    expect(await notes()).toEqual([]);
  });
});
