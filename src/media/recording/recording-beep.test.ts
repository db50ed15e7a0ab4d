import { describe, expect, it } from 'vitest';
import { peakOf } from '../../audio/tones.js';
import { recordingConfig } from '../recording-config.js';
import { RecordingBeep } from './recording-beep.js';

describe('the beep of a recording', () => {
  /** Frames of so many seconds: the peak of each, 0 where there is none. */
  function sounds(beep: RecordingBeep, seconds: number, recording: (frame: number) => boolean = () => true): number[] {
    return Array.from({ length: seconds * 50 }, (_, n) => {
      beep.begins(1, recording(n));
      return Math.max(0, ...(beep.next() ?? []));
    });
  }
  const beginnings = (peaks: number[]) =>
    peaks.flatMap((peak, n) => (peak > 0 && !(peaks[n - 1]! > 0) ? [n / 50] : []));
  const { beep: usual } = recordingConfig.parse({});

  it.each([8000, 16_000] as const)('comes at its pace, as long and as loud as it is to be, at %d Hz', (rate) => {
    const peaks = sounds(new RecordingBeep(usual, rate), 35);
    expect(beginnings(peaks)).toEqual([0.98, 15.98, 30.98]);
    expect(peaks.filter((peak) => peak > 0)).toHaveLength(3 * 10);
    expect(Math.max(...peaks) / peakOf(usual.level)).toBeCloseTo(1, 1);
  });

  it('has its pitch', () => {
    const beep = new RecordingBeep({ ...usual, ms: 1000, everyMs: 2000 }, 8000);
    const pcm: number[] = [];
    for (let n = 0; n < 100; n++) {
      beep.begins(1, true);
      pcm.push(...(beep.next() ?? []));
    }
    const crossings = pcm.filter((sample, n) => sample >= 0 && (pcm[n - 1] ?? 0) < 0).length;
    expect(Math.abs(crossings - 1400)).toBeLessThan(3);
  });

  it('is not heard while nothing is recorded, and keeps its pace over a stall', () => {
    const beep = new RecordingBeep(usual, 8000);
    const paused = sounds(beep, 20, (n) => n < 100 || n >= 900);
    expect(beginnings(paused)).toEqual([0.98, 18]);
    const stalled = new RecordingBeep(usual, 8000);
    expect([
      stalled.begins(49, true),
      stalled.begins(1, true),
      stalled.begins(749, true),
      stalled.begins(2, true),
    ]).toEqual([false, true, false, true]);
  });
});
