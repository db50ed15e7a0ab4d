import { randomBytes } from 'node:crypto';
import type { Store } from '../../store/store.js';

/** One caller in a line. */
interface Waiting {
  /** Sorts by who comes first. */
  key: string;
  place: number;
  tell(place: number): void;
}

/** Who waits for one target. */
interface Line {
  own: Waiting[];
  /** Keys of those who wait on other nodes. */
  others: readonly string[];
  clock: NodeJS.Timeout | undefined;
}

const CHANNEL = 'queues';
const prefixOf = (target: string) => `queue:${target}:`;
const HIGHEST = 999;

/** How lines of several nodes are kept together. */
export interface SharedQueues {
  store: Pick<Store, 'records' | 'fanout'>;
  /** How often a place is looked up and renewed; one that is not renewed for eight times as long is somebody's who is gone, ms. */
  everyMs?: number;
}

/**
 * Who waits for whom, in the order in which they came. Places are records of the store, so that the nodes that share it
 * have one line together; while the store is away, each has its own.
 */
export class CallQueues {
  private readonly lines = new Map<string, Line>();
  /** Keys of ours that are being taken out of the store. */
  private readonly left = new Set<string>();

  constructor(private readonly shared?: SharedQueues) {
    // Without it a change is seen at the next look.
    shared?.store.fanout.subscribe(CHANNEL, (target) => void this.look(target)).catch(() => undefined);
  }

  /** Callers waiting here, for leak tests. */
  get waiting(): number {
    let all = 0;
    for (const { own } of this.lines.values()) all += own.length;
    return all;
  }

  /**
   * Takes the last place in the line of a target, but before all of lower priority; who is the first, and so being put
   * through, stays there.
   *
   * @param tell told the place as soon as it is known, and each time it changes; 1 is the first
   * @returns leaves the line; safe to call twice
   */
  join(target: string, tell: (place: number) => void, priority = 0): () => void {
    const line = this.lines.get(target) ?? { own: [], others: [], clock: undefined };
    this.lines.set(target, line);
    const one: Waiting = { key: keyOf(target, priority), place: 0, tell: (place) => tell(place) };
    line.own.push(one);
    if (!this.shared) this.settle(target);
    else {
      line.clock ??= setInterval(() => void this.renew(target), this.everyMs).unref();
      void this.change(target, one.key);
    }
    return () => this.leave(target, one);
  }

  private get everyMs(): number {
    return this.shared?.everyMs ?? 2000;
  }

  private leave(target: string, one: Waiting): void {
    const line = this.lines.get(target);
    const at = line?.own.indexOf(one) ?? -1;
    if (!line || at < 0) return;
    line.own.splice(at, 1);
    if (line.own.length === 0) {
      clearInterval(line.clock);
      this.lines.delete(target);
    }
    if (this.shared) void this.change(target, undefined, one.key);
    this.settle(target);
  }

  /** Tells everybody here whose place is another one now. */
  private settle(target: string): void {
    const line = this.lines.get(target);
    if (!line) return;
    const keys = [...line.own.map(({ key }) => key), ...line.others].sort();
    const moved = line.own.map((one) => ({ one, place: keys.indexOf(one.key) + 1 }));
    for (const { one, place } of moved.sort((a, b) => a.place - b.place)) {
      if (place === one.place || !line.own.includes(one)) continue;
      one.place = place;
      if (place === 1) this.claim(target, one);
      one.tell(place);
    }
  }

  /** Whoever comes now comes after this one. */
  private claim(target: string, one: Waiting): void {
    const before = one.key;
    one.key = prefixOf(target) + before.slice(prefixOf(target).length).replace(/^1/, '0');
    if (this.shared && one.key !== before) void this.change(target, one.key, before);
  }

  /** Puts a place into the store, and takes one out. */
  private async change(target: string, add: string | undefined, remove?: string): Promise<void> {
    const { records, fanout } = this.shared?.store ?? {};
    if (remove !== undefined) this.left.add(remove);
    try {
      if (add !== undefined) await records?.set(add, '', { ttlMs: 8 * this.everyMs });
      if (remove !== undefined) await records?.delete(remove);
      await fanout?.publish(CHANNEL, target);
    } catch {
      // The store is away: what it misses is written when the places are renewed, and what it has too much ends by itself.
    }
    await this.look(target);
    if (remove !== undefined) this.left.delete(remove);
  }

  private async renew(target: string): Promise<void> {
    const { records } = this.shared?.store ?? {};
    const ttlMs = 8 * this.everyMs;
    const own = this.lines.get(target)?.own ?? [];
    await Promise.all(own.map(({ key }) => records?.set(key, '', { ttlMs }))).catch(() => undefined);
    await this.look(target);
  }

  /** Sees who else waits. */
  private async look(target: string): Promise<void> {
    if (!this.lines.has(target)) return;
    const found = await this.shared?.store.records.list(prefixOf(target)).catch(() => []);
    const line = this.lines.get(target);
    if (!line) return;
    const own = new Set(line.own.map(({ key }) => key));
    line.others = (found ?? []).filter((key) => !own.has(key) && !this.left.has(key));
    this.settle(target);
  }
}

/** In the order of keys: who is being put through, then by priority, then by time. */
function keyOf(target: string, priority: number): string {
  const rank = HIGHEST - Math.max(0, Math.min(HIGHEST, Math.round(priority)));
  const digits = [String(rank).padStart(3, '0'), Date.now().toString(36), String(++made).padStart(9, '0')];
  return `${prefixOf(target)}1-${digits.join('-')}-${randomBytes(6).toString('hex')}`;
}

let made = 0;
