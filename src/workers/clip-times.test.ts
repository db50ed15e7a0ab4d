import { describe, expect, it } from 'vitest';
import { normalise } from '../speech/synthesis/normaliser.js';
import type { Clip } from '../speech/synthesis/synthesiser.js';
import { writtenTimes } from './clip-times.js';
import { heardText, wordStart } from './speaker.js';

const TEXT = 'It costs $5 😀 today.';

/** 100 samples per spoken word. */
function clipOf(text: string): Clip {
  const written = normalise(text);
  const spoken = written.spoken.split(' ').map((word, at) => ({ word, start: at * 100, end: at * 100 + 100 }));
  return { pcm: new Int16Array(spoken.length * 100 + 50), sampleRate: 8000, words: writtenTimes(written, spoken) };
}

describe('writtenTimes', () => {
  it('gives each written word the time of the words it was spoken as', () => {
    expect(clipOf(TEXT).words).toEqual([
      { word: 'It', start: 0, end: 100 },
      { word: 'costs', start: 100, end: 200 },
      { word: '$5', start: 200, end: 400 },
      { word: '😀', start: 400, end: 400 },
      { word: 'today.', start: 400, end: 500 },
    ]);
  });

  it('trusts no times that are not of these words', () => {
    expect(writtenTimes(normalise(TEXT), undefined)).toEqual([]);
    expect(writtenTimes(normalise(TEXT), [{ word: 'It', start: 0, end: 9 }])).toEqual([]);
  });
});

describe('heardText', () => {
  it.each([
    [0, ''],
    [20, ''],
    [70, 'It'],
    [199, 'It costs'],
    [250, 'It costs'],
    [330, 'It costs $5'],
    [400, 'It costs $5 😀'],
    [549, TEXT],
    [550, TEXT],
    [9999, TEXT],
  ])('after %i samples of sound: %j', (played, heard) => {
    expect(heardText(TEXT, clipOf(TEXT), played)).toBe(heard);
  });

  it('goes by proportion without times, and keeps the text as written', () => {
    const clip: Clip = { pcm: new Int16Array(1000), sampleRate: 8000, words: [] };
    expect(heardText('aaaa  bbbb\ncccc dddd', clip, 500)).toBe('aaaa  bbbb');
    expect(heardText('aaaa  bbbb\ncccc dddd', clip, 1000)).toBe('aaaa  bbbb\ncccc dddd');
    expect(heardText('', clip, 10)).toBe('');
  });

  it('claims nothing of a clip it does not know', () => {
    expect(heardText(TEXT, undefined, 500)).toBe('');
  });
});

describe('wordStart', () => {
  it.each([
    [0, 0],
    [99, 0],
    [100, 100],
    [390, 200],
    [430, 400],
    [520, 520],
  ])('at sample %i is at %i', (sample, start) => {
    expect(wordStart(TEXT, clipOf(TEXT), sample)).toBe(start);
  });

  it('goes by proportion without times, and stays where it is without a clip', () => {
    const clip: Clip = { pcm: new Int16Array(1000), sampleRate: 8000, words: [] };
    expect(wordStart('aaaa bbbb cccc dddd', clip, 740)).toBe(500);
    expect(wordStart('aaaa', undefined, 740)).toBe(740);
  });
});
