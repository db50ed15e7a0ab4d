import { beforeEach, describe, expect, it } from 'vitest';
import { Pacer, type PacerClock, type PacerTimer } from './pacer.js';

/** Time that moves only when told to. */
class FakeClock implements PacerClock {
  time = 1000;
  private due: { at: number; callback: () => void } | undefined;

  now(): number {
    return this.time;
  }

  timer(callback: () => void): PacerTimer {
    return {
      set: (ms) => {
        this.due = { at: this.time + ms, callback };
      },
      clear: () => {
        this.due = undefined;
      },
    };
  }

  get waiting(): boolean {
    return this.due !== undefined;
  }

  /** Fires the timer, `late` ms after its time. */
  fire(late = 0): void {
    const { at, callback } = this.due!;
    this.due = undefined;
    this.time = at + late;
    callback();
  }
}

describe('Pacer', () => {
  let clock: FakeClock;
  let slots: { phase: number; frame: number }[];
  let late: number[];
  let pacer: Pacer;

  beforeEach(() => {
    clock = new FakeClock();
    slots = [];
    late = [];
    pacer = new Pacer(
      (phase, frame) => slots.push({ phase, frame }),
      (ms) => late.push(ms),
      clock,
    );
    pacer.start();
  });

  it('does not drift, however late its timers come', () => {
    for (let n = 0; n < 4000; n++) clock.fire((n * 7) % 2);
    expect(slots.length).toBe(4000);
    expect(clock.time - 1000).toBeLessThan(4000 * 2 + 3);
    expect(Math.max(...late)).toBe(1);
  });

  it('calls each phase once in every frame', () => {
    for (let n = 0; n < 100; n++) clock.fire();
    expect(new Set(slots.map(({ phase }) => phase)).size).toBe(10);
    for (let phase = 0; phase < 10; phase++) {
      const frames = slots.filter((slot) => slot.phase === phase).map((slot) => slot.frame);
      expect(frames).toEqual(frames.map((_, n) => frames[0]! + n));
    }
  });

  it('makes up for a short stall, and leaves out what a long one cost', () => {
    clock.fire();
    clock.fire(32);
    expect(slots.length).toBe(1 + 17);
    slots.length = 0;
    clock.fire(10_000);
    expect(slots.length).toBe(30);
    expect(slots.at(-1)!.frame).toBeGreaterThan(490);
    slots.length = 0;
    clock.fire();
    expect(slots.length).toBe(1);
  });

  it('stops when told, also from within', () => {
    pacer.stop();
    expect(clock.waiting).toBe(false);
    const once = new Pacer(
      () => once.stop(),
      () => undefined,
      clock,
    );
    once.start();
    clock.fire();
    expect(once.running).toBe(false);
    expect(clock.waiting).toBe(false);
  });
});
