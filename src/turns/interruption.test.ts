import { describe, expect, it } from 'vitest';
import { isBackchannel, isUncertain, judge, stopWord } from './interruption.js';

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
          expect(judge({ text, elapsedMs, speaking, real: 0.99, agent: '' })).not.toBe('stop');
        }
      }
    },
  );

  it('asks for less certainty the longer the burst lasts', () => {
    const at = (elapsedMs: number, real: number) =>
      judge({ text: 'but my', elapsedMs, speaking: true, real, agent: '' });
    expect([at(100, 0.99), at(300, 0.8), at(500, 0.8), at(800, 0.6)]).toEqual(['wait', 'wait', 'stop', 'stop']);
    expect(at(800, 0.3)).toBe('wait');
  });

  it('does not take the beginning of a listener’s words, or a few sounds heard as others, for an interruption', () => {
    const so = { speaking: true, real: 0.99, agent: '' };
    // "Yeah." in one of the voices, and what came of it.
    expect(judge({ ...so, text: 'You got.', elapsedMs: 560 })).toBe('wait');
    expect(judge({ ...so, text: 'You got.', elapsedMs: 600, voicedMs: 480, speaking: false })).toBe('go-on');
    expect(judge({ ...so, text: 'You got it wrong.', elapsedMs: 900, voicedMs: 780, speaking: false })).toBe('stop');
    expect(judge({ ...so, text: 'Okay, I', elapsedMs: 600 })).toBe('wait');
    expect(judge({ ...so, text: 'Go deep.', elapsedMs: 430, stable: false })).toBe('wait');
    expect(judge({ ...so, text: 'Them.', elapsedMs: 700, voicedMs: 350, speaking: false })).toBe('go-on');
    // It was over before that: the final says what it was.
    expect(judge({ ...so, text: 'I thought.', elapsedMs: 600, voicedMs: 365 })).toBe('wait');
    expect(judge({ ...so, text: 'What?', elapsedMs: 600, voicedMs: 365, speaking: false })).toBe('stop');
    expect(judge({ ...so, text: 'I do not know that one', elapsedMs: 800 })).toBe('stop');
  });

  it('believes the sound rather than the words when a listener’s are nearly as likely', () => {
    const so = { speaking: true, real: 0.99, agent: '' };
    const heard = { ...so, text: 'You add me.', stable: true };
    expect(judge({ ...heard, elapsedMs: 700 })).toBe('stop');
    expect(judge({ ...heard, elapsedMs: 700, listening: 7 })).toBe('stop');
    expect(judge({ ...heard, elapsedMs: 700, listening: 3 })).toBe('wait');
    // Nobody only listens for long, unless it is just as likely.
    expect(judge({ ...heard, elapsedMs: 1000, listening: 3 })).toBe('stop');
    expect(judge({ ...heard, elapsedMs: 1000, listening: 1 })).toBe('wait');
    expect(judge({ ...heard, elapsedMs: 1400, listening: 0 })).toBe('stop');
    const over = { ...so, text: 'Be that.', speaking: false, elapsedMs: 700 };
    expect(judge({ ...over, voicedMs: 350, listening: 5 })).toBe('go-on');
    expect(judge({ ...over, voicedMs: 350 })).toBe('stop');
    expect(judge({ ...over, voicedMs: 550, listening: 3 })).toBe('go-on');
    expect(judge({ ...over, voicedMs: 550, listening: 5.5 })).toBe('stop');
    // "Yes." in one of the voices; a "no" that is meant is never so near.
    expect(judge({ ...so, text: 'No.', elapsedMs: 300, listening: 0.4 })).toBe('wait');
    expect(judge({ ...so, text: 'No.', elapsedMs: 300, listening: 1.3 })).toBe('stop');
    // No other word is doubted, one that an agent asks for least of all.
    expect(judge({ ...so, text: 'Okay, wait.', elapsedMs: 300, listening: 0 })).toBe('stop');
    expect(judge({ ...so, text: 'Okay.', elapsedMs: 300, listening: 0 }, ['okay'])).toBe('stop');
    // Whoever else is asked may know better.
    expect(isUncertain({ ...so, text: 'No.', elapsedMs: 700, listening: 0.4 })).toBe(true);
    expect(isUncertain({ ...over, voicedMs: 350, listening: 5 })).toBe(true);
    expect(isUncertain({ ...over, voicedMs: 350 })).toBe(false);
  });

  it('lets a listener’s words pass as soon as the voice falls silent', () => {
    const so = { text: 'Yeah.', real: 0.9, agent: '', speaking: true };
    expect(judge({ ...so, elapsedMs: 450 })).toBe('wait');
    expect(judge({ ...so, elapsedMs: 450, voicedMs: 330 })).toBe('go-on');
  });

  it('counts words that changed when they have lasted', () => {
    const so = { text: 'Where is my', real: 0.99, agent: '', speaking: true, stable: false };
    expect([500, 600].map((elapsedMs) => judge({ ...so, elapsedMs }))).toEqual(['wait', 'stop']);
    expect(judge({ ...so, elapsedMs: 400, stable: true })).toBe('stop');
  });

  it('lets a burst without words pass when it ends, and take the floor when it lasts', () => {
    expect(judge({ text: '', elapsedMs: 900, speaking: false, real: undefined, agent: '' })).toBe('go-on');
    expect(judge({ text: '', elapsedMs: 900, speaking: true, real: undefined, agent: '' })).toBe('wait');
    expect(judge({ text: '', elapsedMs: 1500, speaking: true, real: undefined, agent: '' })).toBe('stop');
  });

  it('takes the agent’s own words for its echo, even a stop word, and the caller’s for theirs', () => {
    const agent = 'Please wait a moment while I look up your order.';
    for (const text of ['wait a moment', 'Wait.', 'please wait a moment while i look at your order']) {
      expect(judge({ text, elapsedMs: 2000, speaking: true, real: 0.99, agent })).toBe('wait');
      expect(judge({ text, elapsedMs: 2000, speaking: false, real: 0.99, agent })).toBe('go-on');
    }
    expect(judge({ text: 'stop it', elapsedMs: 400, speaking: true, real: undefined, agent })).toBe('stop');
    expect(judge({ text: 'my order number is wrong', elapsedMs: 800, speaking: true, real: 0.9, agent })).toBe('stop');
  });

  it('judges by length where there is no model', () => {
    expect(judge({ text: 'my order number is', elapsedMs: 500, speaking: true, real: undefined, agent: '' })).toBe(
      'stop',
    );
    expect(judge({ text: 'well', elapsedMs: 500, speaking: true, real: undefined, agent: '' })).toBe('wait');
  });
});
