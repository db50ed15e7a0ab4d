import type { Store } from '../store/store.js';
import type { CallBack } from './transfer/transfer.js';

const PREFIX = 'callback-';

/** A wish as it is kept. */
export interface KeptCallBack extends CallBack {
  /** ISO 8601. */
  time: string;
}

/** Who wants to be called back, in the store, until somebody has done so. */
export class CallBacks {
  /** @param keptMs how long, ms */
  constructor(
    private readonly records: Store['records'],
    private readonly keptMs: number,
  ) {}

  async note(wish: CallBack): Promise<void> {
    const kept: KeptCallBack = { ...wish, time: new Date().toISOString() };
    await this.records.set(PREFIX + wish.call, JSON.stringify(kept), { ttlMs: this.keptMs });
  }

  /** Oldest first. */
  async list(): Promise<KeptCallBack[]> {
    const kept = await Promise.all((await this.records.list(PREFIX)).map((key) => this.records.get(key)));
    return kept.flatMap((record) => (record ? [JSON.parse(record.value) as KeptCallBack] : []));
  }

  /** @returns whether there was one */
  async remove(call: string): Promise<boolean> {
    const there = (await this.records.get(PREFIX + call)) !== undefined;
    if (there) await this.records.delete(PREFIX + call);
    return there;
  }
}
