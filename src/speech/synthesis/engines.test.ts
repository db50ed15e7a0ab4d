import { describe, expect, it } from 'vitest';
import { checkVoice, createSynthesiser } from './engines.js';
import { trimAndLevel } from './loudness.js';

const flite = { engine: 'flite', speed: 1 };

describe('checkVoice', () => {
  it('is content with what the engine can do', () => {
    expect(checkVoice(flite)).toEqual([]);
    expect(checkVoice({ ...flite, gender: 'female', pitch: 210, speed: 1.2 })).toEqual([]);
  });

  it.each([
    [{ ...flite, voice: 'rms', pitch: 120 }, 'pitch: 120'],
    [{ ...flite, pitch: 120 }, 'voice "rms" speaks at its own pitch'],
    [{ ...flite, voice: 'joe' }, 'no voice "joe", "rms" speaks instead'],
    [{ ...flite, voice: 'rms', gender: 'female' as const }, 'gender "female" is not used'],
    [{ ...flite, speed: 3 }, 'speed 3'],
    [{ engine: 'elsewhere', speed: 1 }, 'engines: flite'],
    [{ engine: 'constructor', speed: 1 }, 'engines: flite'],
  ])('tells what of %j it can not', (settings, words) => {
    expect(checkVoice(settings)).toEqual([expect.stringContaining(words)]);
  });
});

describe('createSynthesiser', () => {
  it.each(['elsewhere', 'constructor'])('knows no engine %s, and tells which there are', async (engine) => {
    const error = createSynthesiser(engine);
    await expect(error).rejects.toMatchObject({ code: 'PARLEY_ERR_SYNTHESIS_ENGINE' });
    await expect(error).rejects.toMatchObject({ mend: expect.stringContaining('flite') });
  });
});

describe('trimAndLevel', () => {
  const tone = (level: number) => Int16Array.from({ length: 8000 }, (_, at) => level * Math.sin(at / 3));
  const padded = (pcm: Int16Array) => Int16Array.from([...new Int16Array(4000), ...pcm, ...new Int16Array(4000)]);

  it.each([600, 5000, 32_000])('brings a level of %i to -20 dBFS and leaves the silence asked for', (level) => {
    const { pcm, cut } = trimAndLevel(padded(tone(level)), 8000, { lead: 40, tail: 80 });
    expect(pcm).toHaveLength(8000 + 320 + 640);
    expect(cut).toBe(4000 - 320);
    const sound = pcm.subarray(320, 8320);
    const rms = Math.sqrt(sound.reduce((sum, sample) => sum + sample ** 2, 0) / sound.length) / 32768;
    expect(20 * Math.log10(rms)).toBeCloseTo(-20, 0);
  });

  it('does not raise silence', () => {
    const { pcm } = trimAndLevel(padded(tone(3)), 8000, { lead: 40, tail: 80 });
    expect(pcm.every((sample) => Math.abs(sample) <= 3)).toBe(true);
    expect(pcm).toHaveLength(960);
  });
});
