import { describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { ParleyError } from '../errors.js';
import { levelDb } from './level.js';
import { readWav, writeWav } from './wav.js';

const pcm = Int16Array.from({ length: 800 }, (_, n) => Math.round(12000 * Math.sin(n / 7)));

describe('WAV files', () => {
  it('come back as written', () => {
    expect(readWav(writeWav({ pcm, sampleRate: 8000 }))).toEqual({ pcm, sampleRate: 8000 });
  });

  it('of other formats and of two channels are read', () => {
    const mulaw = new wavefile.WaveFile(writeWav({ pcm, sampleRate: 8000 }));
    mulaw.toMuLaw();
    expect(Math.abs(levelDb(readWav(mulaw.toBuffer()).pcm) - levelDb(pcm))).toBeLessThan(0.5);
    const float = new wavefile.WaveFile(writeWav({ pcm, sampleRate: 16000 }));
    float.toBitDepth('32f');
    expect(readWav(float.toBuffer()).pcm.every((sample, n) => Math.abs(sample - pcm[n]!) <= 1)).toBe(true);
    const stereo = new wavefile.WaveFile();
    stereo.fromScratch(2, 8000, '16', [pcm, new Int16Array(pcm.length)]);
    expect(readWav(stereo.toBuffer()).pcm[10]).toBe(Math.round(pcm[10]! / 2));
  });

  it('that are broken give a coded error with the name', () => {
    const good = writeWav({ pcm, sampleRate: 8000 });
    for (const bad of [new Uint8Array(0), new TextEncoder().encode('not a wav file at all'), good.subarray(0, 20)]) {
      expect(() => readWav(bad, 'x.wav')).toThrow(ParleyError);
      expect(() => readWav(bad, 'x.wav')).toThrow('x.wav');
    }
  });
});
