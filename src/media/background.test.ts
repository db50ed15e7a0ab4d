import { describe, expect, it } from 'vitest';
import { COUNTRY_TONES } from '../audio/tones-countries.js';
import { Background, type BackgroundKind, SoundLibrary } from './background.js';
import { soundsConfig } from './sounds-config.js';

const KINDS: readonly BackgroundKind[] = ['ringback', 'busy', 'congestion', 'music', 'typing'];

function largestStep(loop: Int16Array): number {
  return loop.reduce((most, sample, n) => Math.max(most, Math.abs(sample - loop.at(n - 1)!)), 0);
}

describe('Background', () => {
  const library = new SoundLibrary({ country: 'de', level: 0 });

  it('renders each loop once, into shared memory, and its seam does not click', () => {
    for (const kind of KINDS) {
      const loop = library.loop(kind, 8000);
      expect(library.loop(kind, 8000)).toBe(loop);
      expect(loop.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(Math.abs(loop[0]! - loop.at(-1)!), kind).toBeLessThanOrEqual(largestStep(loop.subarray(1)));
    }
    const music = library.loop('music', 8000);
    expect(Math.max(...[...music].map(Math.abs))).toBeLessThanOrEqual(3277);
  });

  it('has the cadence of the country', () => {
    for (const tones of Object.values(COUNTRY_TONES)) expect(tones.ringback.steps.length % 2).toBe(0);
    const loop = library.loop('ringback', 8000);
    expect(loop.length).toBe(5 * 8000);
    expect(loop.subarray(8000).every((sample) => sample === 0)).toBe(true);
  });

  it('adds to what is there, changes its sound and falls silent', () => {
    const background = new Background(8000, library);
    const frame = new Int16Array(160);
    background.render(frame.fill(5));
    expect(frame.every((sample) => sample === 5)).toBe(true);
    background.play('busy');
    for (let n = 0; n < 20; n++) background.render(frame.fill(0));
    expect(frame.some((sample) => Math.abs(sample) > 1000)).toBe(true);
    background.play('music');
    for (let n = 0; n < 25; n++) background.render(frame.fill(0));
    expect(background.playing).toBe(true);
    background.stop();
    for (let n = 0; n < 11; n++) background.render(frame.fill(0));
    expect(background.playing).toBe(false);
  });

  it('refuses a country that it does not know', () => {
    expect(soundsConfig.safeParse({ country: 'xx' }).success).toBe(false);
  });
});
