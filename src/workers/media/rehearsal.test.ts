import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SoundLibrary } from '../../media/background.js';
import { Detection } from '../../media/detection.js';
import { echoConfig } from '../../media/echo-config.js';
import { BatchVad } from '../../speech/detection/silero.js';
import { rehearse } from './rehearsal.js';

const GATE = { threshold: 0.5, release: 0.35, onsetMs: 96, offsetMs: 192, windowMs: 32 } as const;

describe('rehearse', () => {
  let detectors: Record<8000 | 16000, BatchVad>;
  beforeAll(async () => {
    detectors = { 8000: await BatchVad.load(8000), 16000: await BatchVad.load(16_000) };
  });
  afterAll(() => Promise.all(Object.values(detectors).map((vad) => vad.close())));

  /** Rehearses; per rate, what voice was looked for in, and whether nothing is left of it. */
  async function rehearsed(idle: () => boolean) {
    const failed = vi.fn();
    const detection = {
      8000: new Detection(detectors[8000], GATE, failed),
      16000: new Detection(detectors[16000], GATE, failed),
    };
    const spies = ([8000, 16_000] as const).map((rate) => ({
      add: vi.spyOn(detection[rate], 'add'),
      remove: vi.spyOn(detection[rate], 'remove'),
    }));
    const sounds = new SoundLibrary({ country: 'us', level: 0 });
    await rehearse({ detection, sounds, stages: echoConfig.parse({}) }, ['G722', 'PCMU', 'PCMA'], idle);
    expect(failed).not.toHaveBeenCalled();
    return spies.flatMap(({ add, remove }) => {
      expect(remove.mock.calls).toEqual(add.mock.results.map(({ value }) => [value]));
      return add.mock.calls.map(([ring, , echo]) => ({ ring, echo: echo! }));
    });
  }

  it('goes through a call at each rate: its echo is found, and so is the caller who speaks over it', async () => {
    const [narrow, wide] = await rehearsed(() => true);
    for (const [{ ring, echo }, rate] of [[narrow!, 8000] as const, [wide!, 16_000] as const]) {
      expect(ring.end).toBe(1.2 * rate);
      expect(echo.likelihood(0.45 * rate, 0.6 * rate)).toBeGreaterThan(0.5);
      expect(echo.likelihood(0.8 * rate, 0.95 * rate)).toBeLessThan(0.5);
    }
  });

  it('leaves the rest out when a call comes', async () => {
    let frames = 0;
    const calls = await rehearsed(() => frames++ <= 10);
    expect(calls.map(({ ring }) => ring.end)).toEqual([10 * 160]);
  });
});
