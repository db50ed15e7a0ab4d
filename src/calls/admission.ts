import type { LoadConfig } from './config.js';

/** What is measured now. */
export interface Load {
  /** How late the main thread's event loop comes, ms. */
  loopMs: number;
  /** How late the 20 ms tick of the worst media worker comes, 99 of 100, ms. */
  mediaMs: number;
  /** Pieces of work that wait for each speech worker. */
  speech: number;
}

/** One of the measures. */
export type LoadSignal = keyof Load;

/** A measure above its limit for so many samples in a row is load, below is a hiccup. */
const OVER = 3;
/** Calls are taken again when all measures have been below this share of their limits... */
const CALM = 0.7;
/** ...for so many samples. */
const UNDER = 6;

/**
 * Whether there is room for another call: measured, not counted, and with hysteresis, so that a server at its limit does
 * not take calls and refuse them by turns.
 */
export class Admission {
  private readonly over = new Map<LoadSignal, number>();
  private calm = 0;
  private refusing: LoadSignal | undefined;
  private shares: [LoadSignal, number][] = [];

  constructor(private readonly limits: LoadConfig) {}

  /** To be told what is measured, at a steady pace. */
  sample(load: Load): void {
    const { loopMs, mediaMs, speechBacklog } = this.limits;
    const limits: [LoadSignal, number][] = [
      ['loopMs', loopMs],
      ['mediaMs', mediaMs],
      ['speech', speechBacklog],
    ];
    this.shares = limits.map(([signal, limit]) => [signal, limit > 0 ? load[signal] / limit : 0]);
    for (const [signal, share] of this.shares) {
      const times = share > 1 ? (this.over.get(signal) ?? 0) + 1 : 0;
      this.over.set(signal, times);
      if (times >= OVER) this.refusing ??= signal;
    }
    this.calm = this.shares.every(([, share]) => share < CALM) ? this.calm + 1 : 0;
    if (this.calm >= UNDER) this.refusing = undefined;
  }

  /** What there is too much of; undefined while there is room. */
  get overload(): LoadSignal | undefined {
    return this.refusing;
  }

  /** Each measure as a share of its limit: above 1 calls are refused. */
  get load(): readonly (readonly [LoadSignal, number])[] {
    return this.shares;
  }
}
