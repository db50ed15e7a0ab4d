import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSynthesiser } from '../engines.js';
import type { Synthesiser, VoiceSettings } from '../synthesiser.js';

const rms: VoiceSettings = { engine: 'flite', voice: 'rms', speed: 1 };

describe('Flite', () => {
  let flite: Synthesiser;
  beforeAll(async () => {
    flite = await createSynthesiser('flite');
  });
  afterAll(() => flite.close());

  const level = (pcm: Int16Array) =>
    10 * Math.log10(pcm.reduce((sum, sample) => sum + (sample / 32768) ** 2, 0) / pcm.length);

  it.each(['rms', 'slt', 'awb', 'kal16', 'kal'])('speaks with %s, at one level, beginning at once', async (voice) => {
    const { pcm, sampleRate } = await flite.synthesise('How can I help you today?', { ...rms, voice });
    expect(pcm.length / sampleRate).toBeGreaterThan(0.9);
    expect(pcm.length / sampleRate).toBeLessThan(2.5);
    expect(level(pcm)).toBeGreaterThan(-24);
    expect(level(pcm)).toBeLessThan(-19);
    const peak = pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(peak).toBeLessThan(32767);
    const onset = pcm.findIndex((sample) => Math.abs(sample) > peak / 10) / sampleRate;
    expect(onset).toBeGreaterThan(0.01);
    expect(onset).toBeLessThan(0.15);
  });

  it('tells the time of every word', async () => {
    const text = 'Your order shipped on Tuesday, and Doctor Wynn knows the queue through Thursday night.';
    const { pcm, sampleRate, words } = await flite.synthesise(text, rms);
    expect(words?.map(({ word }) => word)).toEqual(text.split(' '));
    let last = 0;
    for (const { word, start, end } of words ?? []) {
      expect(start, word).toBeGreaterThanOrEqual(last);
      expect((end - start) / sampleRate, word).toBeGreaterThan(0.04);
      expect((end - start) / sampleRate, word).toBeLessThan(0.8);
      last = end;
    }
    expect(last).toBeLessThanOrEqual(pcm.length);
    expect(last / sampleRate).toBeGreaterThan(pcm.length / sampleRate - 0.4);
  });

  it('honours speed, and pitch where the voice can', async () => {
    const text = 'The clinic opens at nine.';
    const plain = await flite.synthesise(text, rms);
    const fast = await flite.synthesise(text, { ...rms, speed: 1.5 });
    expect(plain.pcm.length / fast.pcm.length).toBeGreaterThan(1.3);
    const low = await flite.synthesise(text, { ...rms, voice: 'slt', pitch: 150 });
    const high = await flite.synthesise(text, { ...rms, voice: 'slt', pitch: 250 });
    expect(Buffer.from(low.pcm.buffer).equals(Buffer.from(high.pcm.buffer))).toBe(false);
  });

  it('chooses by gender, and never refuses a voice it lacks', async () => {
    const slt = await flite.synthesise('Hello.', { ...rms, voice: 'slt' });
    const female = await flite.synthesise('Hello.', { engine: 'flite', gender: 'female', speed: 1 });
    expect(female.pcm).toEqual(slt.pcm);
    const plain = await flite.synthesise('Hello.', rms);
    expect((await flite.synthesise('Hello.', { ...rms, voice: 'nobody' })).pcm).toEqual(plain.pcm);
  });

  it.each(['', ' \n', '…', '😀', '日本語', '\u0000\u0007'])('makes a short silence of %j', async (text) => {
    const { pcm, sampleRate } = await flite.synthesise(text, rms);
    expect(pcm.length / sampleRate).toBeLessThan(0.3);
    expect(pcm.every((sample) => sample === 0)).toBe(true);
  });

  it('takes markup, options and control characters as text', async () => {
    for (const text of ['<prosody rate="slow">hi</prosody>', '--help', 'hi\u0000 the\u001bre', 'naïve café']) {
      const { pcm, words } = await flite.synthesise(text, rms);
      expect(pcm.length).toBeGreaterThan(4000);
      expect(words).toHaveLength(text.split(' ').length);
    }
  });

  it('says Nguyen and Hmm instead of spelling them', async () => {
    const { words, sampleRate } = await flite.synthesise('Hmm, Nguyen.', rms);
    expect(words?.map(({ word }) => word)).toEqual(['Hmm,', 'Nguyen.']);
    for (const { start, end } of words ?? []) expect((end - start) / sampleRate).toBeLessThan(0.7);
  });

  it('bounds what no person would say', async () => {
    const { pcm, sampleRate } = await flite.synthesise('a'.repeat(500), rms);
    expect(pcm.length / sampleRate).toBeLessThan(8);
    await expect(flite.synthesise('word '.repeat(1000), rms)).rejects.toMatchObject({
      code: 'PARLEY_ERR_SYNTHESIS_FAILED',
    });
  });

  it('joins the pieces of a long text, with word times across the joints', async () => {
    const text = 'This sentence is a little longer than it need be. '.repeat(8).trim();
    const { pcm, words } = await flite.synthesise(text, { ...rms, voice: 'kal' });
    expect(words).toHaveLength(80);
    expect(words?.at(-1)?.end).toBeLessThanOrEqual(pcm.length);
    expect(words?.at(-1)?.end).toBeGreaterThan(pcm.length * 0.95);
  });
});
