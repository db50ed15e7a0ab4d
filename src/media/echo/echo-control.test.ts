import { describe, expect, it } from 'vitest';
import { levelDb } from '../../audio/level.js';
import { EchoControl } from './echo-control.js';
import { EstimateBudget } from './estimate-budget.js';

/** Noise coloured and cut into syllables, a stand-in for speech. */
function voice(seconds: number, seed: number): Int16Array {
  let state = seed;
  let low = 0;
  return Int16Array.from({ length: 8000 * seconds }, (_, n) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    low = 0.6 * low + state / 2 ** 31;
    return Math.round(2500 * low * (n % 2400 < 1700 ? 1 : 0.05));
  });
}

/** A vowel: pulses through a resonance, their pitch on the move from one frequency to another, Hz. */
function vowel(samples: number, from: number, to: number, formant: number): Int16Array {
  let [phase, one, two] = [0, 0, 0];
  const turn = (2 * Math.PI * formant) / 8000;
  return Int16Array.from({ length: samples }, (_, n) => {
    phase += (from + ((to - from) * n) / samples) / 8000;
    const pulse = phase >= 1 ? 6000 : 0;
    if (phase >= 1) phase -= 1;
    [one, two] = [pulse + 1.8 * Math.cos(turn) * one - 0.81 * two, one];
    return Math.round(one);
  });
}

/** What `far` leaves on the line, and the caller's line behind the control. */
function call(far: Int16Array, near: Int16Array, frame = 160) {
  const control = new EchoControl(8000);
  const out = near.slice();
  for (let at = 0; at + frame <= far.length; at += frame) {
    control.played(far.subarray(at, at + frame));
    control.process(out.subarray(at, at + frame), frame);
  }
  return { control, out };
}

const delayed = (pcm: Int16Array, ms: number, gain: number) =>
  Int16Array.from(pcm, (_, n) => Math.round(gain * (pcm[n - ms * 8] ?? 0)));

describe('EchoControl', () => {
  it.each([20, 250, 500])('finds an echo of %d ms and takes it out', (ms) => {
    const far = voice(4, 1);
    const { control, out } = call(far, delayed(far, ms, 0.3));
    expect(Math.abs((control.stats.delayMs ?? 0) - ms)).toBeLessThanOrEqual(2);
    expect(levelDb(out.subarray(-8000))).toBeLessThan(levelDb(far.subarray(-8000)) - 35);
    expect(control.likelihood(25_000, 31_000)).toBeGreaterThan(0.7);
  });

  it('lets a caller through who speaks over the echo', () => {
    const far = voice(5, 1);
    const caller = voice(5, 99).fill(0, 0, 24_000);
    const line = delayed(far, 120, 0.25).map((value, n) => value + caller[n]!);
    const { out } = call(far, line);
    let [cross, power, own] = [0, 0, 0];
    for (let n = 24_000; n < 40_000; n++) {
      cross += out[n]! * caller[n]!;
      power += out[n]! ** 2;
      own += caller[n]! ** 2;
    }
    expect(cross / Math.sqrt(power * own)).toBeGreaterThan(0.9);
  });

  it('changes no sample on a line without echo', () => {
    const caller = voice(4, 99).fill(0, 0, 12_000);
    const { control, out } = call(voice(4, 1), caller);
    expect(out).toEqual(caller);
    expect(control.stats.delayMs).toBeUndefined();
    expect(control.likelihood(16_000, 20_000)).toBeLessThan(0.1);
  });

  it('knows the echo still when the line takes longer all at once', () => {
    const far = voice(5, 1);
    const [before, later] = [delayed(far, 130, 0.35), delayed(far, 170, 0.35)];
    const { control } = call(
      far,
      Int16Array.from(before, (value, n) => (n < 20_000 ? value : later[n]!)),
    );
    expect(control.stats.delayMs).toBeGreaterThan(167);
    expect(control.likelihood(21_000, 24_000)).toBeGreaterThan(0.8);
    expect(control.likelihood(36_000, 40_000)).toBeGreaterThan(0.7);
  });

  it('keeps quiet when the echo is gone, and hears the caller', () => {
    const far = voice(5, 1);
    const echo = delayed(far, 130, 0.35).fill(0, 16_000);
    const caller = voice(5, 99).fill(0, 0, 32_000);
    const { out, control } = call(
      far,
      echo.map((value, n) => value + caller[n]!),
    );
    expect(levelDb(out.subarray(17_000, 32_000))).toBeLessThan(-60);
    expect(control.likelihood(36_000, 40_000)).toBeLessThan(0.2);
  });

  it('delays packets that are no multiple of 10 ms by 10 ms, and nothing else', () => {
    const caller = voice(1, 5);
    const { out } = call(new Int16Array(8000), caller, 100);
    expect(out.subarray(80)).toEqual(caller.subarray(0, -80));
  });

  it('doubts at once what comes back like the agent on a line that had no echo', () => {
    const far = voice(6, 1);
    const caller = voice(6, 99).fill(0, 0, 32_000);
    const control = new EchoControl(8000);
    // Clear for three seconds, then a loudspeaker is switched on.
    const near = delayed(far, 120, 0.3).fill(0, 0, 24_000);
    const doubts: number[] = [];
    for (let at = 0; at + 160 <= far.length; at += 160) {
      control.played(far.subarray(at, at + 160));
      control.process(near.subarray(at, at + 160), 160);
      doubts.push(control.likelihood(at + 160 - 256, at + 160));
    }
    expect(Math.max(...doubts.slice(100, 150))).toBe(0);
    expect(Math.min(...doubts.slice(157, 165))).toBeGreaterThan(0.9);
    expect(control.stats.delayMs).toBe(120);
    // Who talks over the agent on a line that stays clear is never doubted.
    const clear = call(far, caller).control;
    expect(clear.likelihood(32_000, 48_000)).toBe(0);
  });

  it('takes a caller who begins just when the agent does for no echo', () => {
    for (const [pitch, formant] of [
      [125, 500],
      [150, 700],
      [180, 700],
    ] as const) {
      const [far, near] = [voice(5, 1), new Int16Array(40_000)];
      far.fill(0, 24_000);
      far.set(vowel(8000, 120, 95, 600), 28_000);
      near.set(vowel(6400, pitch, pitch - 15, formant), 28_000);
      const { control, out } = call(far, near);
      expect(control.likelihood(28_800, 34_000)).toBeLessThan(0.1);
      expect(out).toEqual(near);
    }
  });

  it('looks for the echoes of many lines in turn, within the time it has, and finds them all', () => {
    let time = 0;
    const budget = new EstimateBudget(() => time++);
    const far = voice(3, 1);
    const lines = Array.from({ length: 20 }, (_, n) => ({
      near: delayed(far, 60 + 10 * n, 0.3),
      control: new EchoControl(8000, budget),
    }));
    let longest = 0;
    for (let at = 0; at + 160 <= far.length; at += 160) {
      budget.refill(20);
      const before = time;
      for (const { near, control } of lines) {
        control.played(far.subarray(at, at + 160));
        control.process(near.subarray(at, at + 160), 160);
      }
      longest = Math.max(longest, (time - before) / 2);
    }
    // A quarter of 20 ms, and what one exceeds it by.
    expect(longest).toBeLessThanOrEqual(6);
    expect(lines.map(({ control }) => Math.round((control.stats.delayMs ?? 0) / 10))).toEqual(
      lines.map((_, n) => 6 + n),
    );
  });
});
