import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSynthesiser } from '../../synthesis/engines.js';
import { buildVocabulary } from '../vocabulary.js';
import { Moonshine } from './moonshine.js';

const RATE = 16_000;
let moonshine: Moonshine;
const spoken = new Map<string, Float32Array>();

beforeAll(async () => {
  moonshine = await Moonshine.load();
  const voice = await createSynthesiser('flite');
  for (const text of [
    'i would like a refund please',
    'four eight three nine',
    'yes',
    'hello',
    'replace the windshield',
    'Uh huh.',
    'What are your',
  ]) {
    const { pcm, sampleRate } = await voice.synthesise(text, { engine: 'flite', voice: 'rms', speed: 1 });
    expect(sampleRate).toBe(RATE);
    spoken.set(
      text,
      Float32Array.from(pcm, (sample) => sample / 32768),
    );
  }
  await voice.close();
});
afterAll(() => moonshine.close());

const say = (text: string) => spoken.get(text)!;
const words = (text: string) => text.toLowerCase().replace(/[^a-z0-9 ]/g, '');

describe('Moonshine', () => {
  it('gives the same words with a draft of a prefix as without one', async () => {
    const pcm = say('i would like a refund please');
    const { tokens } = await moonshine.recognise(pcm.subarray(0, pcm.length * 0.6));
    const plain = await moonshine.recognise(pcm);
    const drafted = await moonshine.recognise(pcm, { draft: tokens });
    expect(words(plain.text)).toBe('i would like a refund please');
    expect(drafted.tokens).toEqual(plain.tokens);
    expect(drafted.logProbability).toBeCloseTo(plain.logProbability, 1);
  });

  it('does not trust a draft that is wrong', async () => {
    const { tokens } = await moonshine.recognise(say('four eight three nine'));
    const { text } = await moonshine.recognise(say('i would like a refund please'), { draft: tokens });
    expect(words(text)).toBe('i would like a refund please');
  });

  it('leans towards the expected answer, and lets another sentence through', async () => {
    const digits = await moonshine.recognise(say('four eight three nine'), { expected: { kind: 'digits' } });
    expect(words(digits.text)).toBe('four eight three nine');
    for (const kind of ['digits', 'spelling', 'yes-no'] as const) {
      const { text } = await moonshine.recognise(say('i would like a refund please'), { expected: { kind } });
      expect(words(text)).toBe('i would like a refund please');
    }
  });

  it('hears what it can expect to hear, and nothing else for it', async () => {
    const vocabulary = buildVocabulary([
      'replace the windshield',
      'I would like a new tire',
      'yellow',
      'four winter tires',
    ]);
    const pcm = say('replace the windshield');
    const alone = await moonshine.recognise(pcm);
    const provisional = await moonshine.recognise(pcm, { vocabulary, provisional: true });
    const expected = await moonshine.recognise(pcm, { vocabulary, draft: provisional.tokens });
    expect(words(alone.text)).not.toBe('replace the windshield');
    expect(provisional).toEqual(alone);
    expect(expected.text).toBe('Replace the windshield.');
    expect(expected.tokens).toEqual(alone.tokens);
    for (const text of ['i would like a refund please', 'four eight three nine', 'hello']) {
      const heard = await moonshine.recognise(say(text), { vocabulary });
      expect(heard.text).toBe((await moonshine.recognise(say(text))).text);
    }
  });

  it('tells a listener’s sound by how near its words are, whatever it is written as', async () => {
    const over = async (pcm: Float32Array, before = '') => (await moonshine.recognise(pcm, { over: before })).listening;
    const uhHuh = say('Uh huh.');
    expect(await over(uhHuh)).toBeLessThan(5.5);
    expect(await over(say('yes'))).toBeLessThan(1);
    for (const text of ['i would like a refund please', 'four eight three nine', 'replace the windshield']) {
      expect((await over(say(text))) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(4.5);
    }
    const refund = say('i would like a refund please');
    const yes = say('yes');
    const after = new Float32Array(refund.length + yes.length + RATE / 4);
    after.set(refund);
    after.set(yes, refund.length + RATE / 4);
    expect(await over(after)).toBeUndefined();
    expect(await over(after, (await moonshine.recognise(refund)).text)).toBeLessThan(4.5);
    expect((await moonshine.recognise(uhHuh)).listening).toBeUndefined();
  });

  it('doubts words that may have ended in one that more must follow', async () => {
    const unfinished = async (text: string) => (await moonshine.recognise(say(text))).unfinished;
    const heard = await moonshine.recognise(say('What are your'));
    if (words(heard.text) !== 'what are your') expect(heard.unfinished).toBe(true);
    for (const text of ['i would like a refund please', 'four eight three nine', 'hello']) {
      expect(await unfinished(text)).toBeFalsy();
    }
    expect((await moonshine.recognise(say('What are your'), { provisional: true })).unfinished).toBeFalsy();
  });

  it('takes nothing, a few samples, and more than it can hear at once', async () => {
    for (const length of [0, 1, 100]) {
      expect(await moonshine.recognise(new Float32Array(length).fill(0.1))).toMatchObject({ text: '' });
    }
    const long = new Float32Array(30 * RATE);
    long.set(say('hello'), RATE / 4);
    expect(words((await moonshine.recognise(long)).text)).toBe('hello');
  });

  it('refuses silence', async () => {
    expect(await moonshine.recognise(new Float32Array(RATE))).toMatchObject({ text: '', refused: 'not-speech' });
  });
});
