import { beforeEach, describe, expect, it } from 'vitest';
import { Playout } from '../../media/playout.js';
import { LegReflex } from './leg-reflex.js';

const DUCK = { how: 'duck', level: 0.3 } as const;
const PAUSE = { how: 'pause', level: 0.3 } as const;

describe('reflex of a leg', () => {
  let playout: Playout;
  let reflex: LegReflex;

  beforeEach(() => {
    playout = new Playout(8000, { started: () => undefined, ended: () => undefined });
    reflex = new LegReflex({ playout, hold: () => playout.hold() });
    playout.enqueue(1, 'u');
    playout.clip(1, 'u', new Int16Array(80_000).fill(1000));
    level();
  });

  /** Level at the end of the next frame, 1000 is full. */
  const level = (): number => {
    const frame = new Int16Array(160);
    reflex.tick(1);
    playout.render(frame);
    return frame[159] ?? 0;
  };

  it('lowers the voice at the first window with voice, until nothing comes of it', () => {
    reflex.arm(DUCK);
    reflex.stirred();
    expect(level()).toBe(300);
    reflex.calmed();
    expect(level()).toBe(1000);
  });

  it('keeps it lowered after an onset until main decides', () => {
    reflex.arm(DUCK);
    reflex.stirred();
    reflex.onset();
    expect(level()).toBe(300);
    reflex.gain(0.3);
    for (let n = 0; n < 200; n++) expect(level()).toBe(300);
    // What is said next, while it is not decided.
    reflex.arm(DUCK);
    reflex.stirred();
    reflex.calmed();
    expect(level()).toBe(300);
    reflex.gain(1);
    expect(level()).toBe(1000);
  });

  it('comes back by itself when main never says anything', () => {
    reflex.arm(DUCK);
    reflex.onset();
    for (let n = 0; n < 49; n++) expect(level()).toBe(300);
    expect(level()).toBe(1000);
  });

  it('pauses at the onset, not before', () => {
    reflex.arm(PAUSE);
    reflex.stirred();
    expect(level()).toBe(1000);
    reflex.onset();
    level();
    expect(playout.onHold).toBe(true);
    expect(level()).toBe(0);
    // Nothing is lowered when it goes on.
    playout.resume();
    level();
    expect(level()).toBe(1000);
  });

  it('does nothing to what keeps the floor, nor when nothing is said', () => {
    reflex.stirred();
    reflex.onset();
    expect(level()).toBe(1000);
    reflex.arm(DUCK);
    reflex.stirred();
    reflex.arm();
    expect(level()).toBe(1000);
    playout.stop(2);
    level();
    reflex.arm(PAUSE);
    reflex.onset();
    expect(playout.onHold).toBe(false);
  });
});
