/** The base intervals of RFC 3261 17.1.1.1, in ms; every timer is a multiple of these. */
export interface SipTimings {
  /** Estimate of the round-trip time: first retransmission interval. */
  readonly t1: number;
  /** Longest retransmission interval of non-INVITE requests and INVITE responses. */
  readonly t2: number;
  /** Longest time a message stays in the network. */
  readonly t4: number;
}

export const DEFAULT_TIMINGS: SipTimings = { t1: 500, t2: 4000, t4: 5000 };

/** A timer that was set; opaque. */
export type Timer = NodeJS.Timeout;

/** Every timer of one edge, so that they can be counted and all ended, and none can throw past its own event. */
export class Timers {
  readonly #live = new Set<Timer>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get count(): number {
    return this.#live.size;
  }

  set(ms: number, action: () => void): Timer {
    const timer = setTimeout(() => {
      this.#live.delete(timer);
      try {
        action();
      } catch (error) {
        this.#onError(error);
      }
    }, ms);
    this.#live.add(timer);
    return timer;
  }

  clear(timer: Timer | undefined): void {
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#live.delete(timer);
  }

  clearAll(): void {
    for (const timer of this.#live) clearTimeout(timer);
    this.#live.clear();
  }
}

/** The lettered timers of one transaction (RFC 3261 table 4). */
export class TimerGroup {
  readonly #timers: Timers;
  readonly #set = new Map<string, Timer>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  set(letter: string, ms: number, action: () => void): void {
    this.clear(letter);
    const timer = this.#timers.set(ms, () => {
      this.#set.delete(letter);
      action();
    });
    this.#set.set(letter, timer);
  }

  clear(letter: string): void {
    this.#timers.clear(this.#set.get(letter));
    this.#set.delete(letter);
  }

  clearAll(): void {
    for (const timer of this.#set.values()) this.#timers.clear(timer);
    this.#set.clear();
  }
}

/** Calls `send` after t1, then at doubling intervals up to `ceiling` ms, until `group` clears `letter`. */
export function retransmit(group: TimerGroup, letter: string, t1: number, ceiling: number, send: () => void): void {
  const arm = (interval: number) => {
    group.set(letter, interval, () => {
      send();
      arm(Math.min(interval * 2, ceiling));
    });
  };
  arm(t1);
}
