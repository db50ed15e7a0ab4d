import { monotonicMs } from '../telemetry/clock.js';

/** Slots in a 20 ms frame: legs are spread over them, so that no slot's work holds up the next one's by much. */
export const PHASES = 10;
export const SLOT_MS = 20 / PHASES;
/** After a stall at most this many frames are made up for; what is beyond is left out. */
const MAX_CATCH_UP_SLOTS = 3 * PHASES;

/** Time source, replaceable for tests. */
export interface PacerClock {
  /** ms, monotonic */
  now(): number;
  /** A timer that calls back, to be set again and again. */
  timer(callback: () => void): PacerTimer;
}

/** One timer, used again for every slot: one of its own would be garbage each time. */
export interface PacerTimer {
  /** Calls back once, after `ms`, whole ones. */
  set(ms: number): void;
  clear(): void;
}

const REAL_CLOCK: PacerClock = {
  now: monotonicMs,
  timer(callback) {
    // One for each wait: setting one again makes nothing, but keeps its wait.
    const timers: (NodeJS.Timeout | undefined)[] = [];
    return {
      set(ms) {
        const timer = timers[ms];
        if (timer) timer.refresh();
        else timers[ms] = setTimeout(callback, ms);
      },
      clear() {
        for (const timer of timers.splice(0)) clearTimeout(timer);
      },
    };
  },
};

/**
 * Calls `slot` every 2 ms on a grid that does not drift: each timer aims at an absolute point of it. A late timer makes
 * up for the slots it missed at once; after a long stall it goes on at the present point, so that no burst leaves.
 */
export class Pacer {
  private origin = 0;
  private done = 0;
  private active = false;
  private readonly timer: PacerTimer;

  /**
   * @param slot called with the phase (0 to 9), the number of the 20 ms frame, and the time, ms
   * @param late called once for each timer with how late it came, ms
   */
  constructor(
    private readonly slot: (phase: number, frame: number, now: number) => void,
    private readonly late: (ms: number) => void,
    private readonly clock: PacerClock = REAL_CLOCK,
  ) {
    this.timer = clock.timer(() => this.wake());
  }

  get running(): boolean {
    return this.active;
  }

  start(): void {
    if (this.active) return;
    this.active = true;
    this.origin = this.clock.now();
    this.done = 0;
    this.aim();
  }

  stop(): void {
    this.active = false;
    this.timer.clear();
  }

  private aim(): void {
    const wait = this.origin + (this.done + 1) * SLOT_MS - this.clock.now();
    this.timer.set(Math.max(0, Math.floor(wait)));
  }

  private wake(): void {
    const now = this.clock.now();
    // Timers round to whole ms and may come a fraction early: the slot is then due already.
    const due = Math.max(this.done + 1, Math.floor((now - this.origin) / SLOT_MS));
    this.late(Math.max(0, now - this.origin - (this.done + 1) * SLOT_MS));
    if (due - this.done > MAX_CATCH_UP_SLOTS) this.done = due - MAX_CATCH_UP_SLOTS;
    while (this.done < due && this.active) {
      this.done++;
      this.slot(this.done % PHASES, Math.floor(this.done / PHASES), now);
    }
    if (this.active) this.aim();
  }
}
