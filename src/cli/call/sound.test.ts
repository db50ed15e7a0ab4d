import { describe, expect, it } from 'vitest';
import { SoundMeter, soundSpan } from './sound.js';

const RATE = 8000;

/** Alternating stretches of quiet and tone, ms; `noise` is the amplitude of what lies under all of it. */
function signal(stretches: readonly { ms: number; amplitude: number }[], noise = 0): Int16Array {
  const samples: number[] = [];
  let random = 1;
  for (const { ms, amplitude } of stretches) {
    for (let n = 0; n < (RATE * ms) / 1000; n++) {
      random = (random * 16807) % 2147483647;
      // A square wave: loud from its first sample to its last.
      samples.push((n % 16 < 8 ? amplitude : -amplitude) + Math.round(noise * ((2 * random) / 2147483647 - 1)));
    }
  }
  return Int16Array.from(samples);
}

const QUIET = 0;
const VOICE = 6000;

describe('SoundMeter', () => {
  it('finds both edges to the sample, whatever the sizes of the pieces', () => {
    const pcm = signal([
      { ms: 203, amplitude: QUIET },
      { ms: 507, amplitude: VOICE },
      { ms: 400, amplitude: QUIET },
      { ms: 301, amplitude: VOICE },
      { ms: 400, amplitude: QUIET },
    ]);
    const ms = (n: number) => (n * RATE) / 1000;
    const meter = new SoundMeter(RATE);
    for (let at = 0; at < pcm.length; at += 37) meter.push(pcm.subarray(at, at + 37));
    expect(meter.spurts).toEqual([
      { start: ms(203), end: ms(710) },
      { start: ms(1110), end: ms(1411) },
    ]);
    expect(meter.sounding).toBe(false);
  });

  it('keeps a stop consonant and a short pause inside one spurt', () => {
    const meter = new SoundMeter(RATE);
    meter.push(
      signal([
        { ms: 300, amplitude: VOICE },
        { ms: 250, amplitude: QUIET },
        { ms: 300, amplitude: VOICE },
      ]),
    );
    expect(meter.spurts).toHaveLength(1);
    expect(meter.sounding).toBe(true);
  });

  it('takes a click for nothing', () => {
    const meter = new SoundMeter(RATE);
    meter.push(
      signal([
        { ms: 100, amplitude: QUIET },
        { ms: 4, amplitude: VOICE },
        { ms: 100, amplitude: QUIET },
      ]),
    );
    expect(meter.spurts).toEqual([]);
  });

  it('measures speech over a noisy line from where the speech is, not the noise', () => {
    const noisy = signal(
      [
        { ms: 1000, amplitude: QUIET },
        { ms: 400, amplitude: VOICE },
        { ms: 500, amplitude: QUIET },
      ],
      300,
    );
    const span = soundSpan(noisy, RATE);
    expect(span?.start).toBeGreaterThanOrEqual(RATE - 1);
    expect(span?.start).toBeLessThan(RATE * 1.002);
    expect(span?.end).toBeGreaterThan(RATE * 1.398);
    expect(span?.end).toBeLessThanOrEqual(RATE * 1.4 + 1);
  });

  it('hears nothing in silence', () => {
    expect(soundSpan(new Int16Array(RATE), RATE)).toBeUndefined();
  });
});
