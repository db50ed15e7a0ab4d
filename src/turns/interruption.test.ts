import { describe, expect, it } from 'vitest';
import { isBackchannel, judge, stopWord } from './interruption.js';

describe('interruption judge', () => {
  it.each([
    ['Stop.', 'stop'],
    ['no no no', 'no'],
    ['okay wait', 'wait'],
    ['Hold on, please', 'hold on'],
    ['I want an agent', 'agent'],
    ['no problem', undefined],
    ['oh no', undefined],
    ['I know', undefined],
    ['nonstop', undefined],
  ])('%s has the stop word %s', (text, word) => {
    expect(stopWord(text)).toBe(word);
  });

  it('takes an agent file’s own stop words', () => {
    expect(stopWord('cancel that', ['cancel'])).toBe('cancel');
  });

  it.each(['yeah', 'Uh-huh.', 'mm hmm', 'yeah yeah okay', 'I see', 'oh okay', 'Got it, thanks'])(
    '%s never stops the agent, however sure the model is',
    (text) => {
      expect(isBackchannel(text)).toBe(true);
      for (const elapsedMs of [300, 500, 800]) {
        for (const speaking of [true, false]) {
          expect(judge({ text, elapsedMs, speaking, real: 0.99 })).not.toBe('stop');
        }
      }
    },
  );

  it('asks for less certainty the longer the burst lasts', () => {
    const at = (elapsedMs: number, real: number) => judge({ text: 'but my', elapsedMs, speaking: true, real });
    expect([at(100, 0.99), at(300, 0.8), at(500, 0.8), at(800, 0.6)]).toEqual(['wait', 'wait', 'stop', 'stop']);
    expect(at(800, 0.3)).toBe('wait');
  });

  it('lets a burst without words pass when it ends, and take the floor when it lasts', () => {
    expect(judge({ text: '', elapsedMs: 900, speaking: false, real: undefined })).toBe('go-on');
    expect(judge({ text: '', elapsedMs: 900, speaking: true, real: undefined })).toBe('wait');
    expect(judge({ text: '', elapsedMs: 1500, speaking: true, real: undefined })).toBe('stop');
  });

  it('judges by length where there is no model', () => {
    expect(judge({ text: 'my order number is', elapsedMs: 500, speaking: true, real: undefined })).toBe('stop');
    expect(judge({ text: 'well', elapsedMs: 500, speaking: true, real: undefined })).toBe('wait');
  });
});
