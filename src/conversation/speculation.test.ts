import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualTalk } from '../../test/kit/virtual-talk.js';

describe('speculation', () => {
  let talk: VirtualTalk;

  beforeEach(() => {
    talk = new VirtualTalk({ speculation: true });
    talk.send({ type: 'begin', greeting: ['Hello.'], notice: [] });
    talk.playAll();
  });

  /** The caller speaks, and pauses; the words are known 100 ms later. */
  const pause = (text: string) => {
    talk.onset();
    talk.pass(800);
    const position = talk.position;
    talk.pass(100);
    talk.send({ type: 'partial', text, position, paused: true });
    return position;
  };

  it('prepares the answer in a pause and uses it when the words stand', () => {
    const position = pause('when do you open');
    expect(talk.all('speculate')).toMatchObject([{ turn: { turn: 1, text: 'when do you open', from: 'speech' } }]);
    talk.send({ type: 'offset', voicedAt: talk.now - 100, position });
    talk.send({ type: 'final', text: 'When do you open?', position });
    expect(talk.all('speculate')).toHaveLength(1);
    talk.pass(700);
    expect(talk.all('ask')).toHaveLength(0);
    expect(talk.all('confirm')).toEqual([{ type: 'confirm', reply: talk.all('speculate')[0]?.reply }]);
    expect(talk.recorded('speculation')).toMatchObject([{ turn: 1, used: true, text: 'when do you open' }]);
    talk.send({ type: 'reply.sentence', reply: talk.all('confirm')[0]?.reply ?? '', text: 'At nine.' });
    talk.send({ type: 'reply.done', reply: talk.all('confirm')[0]?.reply ?? '' });
    talk.playAll();
    expect(talk.recorded('agent.turn').at(-1)).toMatchObject({ turn: 1, heard: 'At nine.' });
  });

  it('gives it up with the first word that is added, and prepares anew', () => {
    pause('when do you open');
    talk.send({ type: 'partial', text: 'when do you open on', position: talk.position });
    expect(talk.all('cancel')).toEqual([{ type: 'cancel', reply: talk.all('speculate')[0]?.reply }]);
    talk.pass(500);
    const position = talk.offset();
    talk.send({ type: 'final', text: 'when do you open on sunday', position });
    expect(talk.all('speculate').map(({ turn }) => turn)).toMatchObject([
      { turn: 1, text: 'when do you open' },
      { turn: 1, text: 'when do you open on sunday' },
    ]);
    talk.pass(700);
    expect(talk.recorded('speculation').map(({ used }) => used)).toEqual([false, true]);
    expect(talk.recorded('turn.decision')).toMatchObject([{ turn: 1, text: 'when do you open on sunday' }]);
  });

  it('prepares nothing for words that visibly lack a part, ask for time, or are none', () => {
    pause('the first one and');
    talk.send({ type: 'partial', text: 'let me check', position: talk.position, paused: true });
    const position = talk.offset();
    talk.send({ type: 'final', text: '', position });
    expect(talk.all('speculate')).toHaveLength(0);
  });

  it('is given up when the sound was no speech, a key is pressed, and at the end of the call', () => {
    const position = pause('hello');
    talk.send({ type: 'offset', voicedAt: talk.now, position });
    talk.send({ type: 'final', text: '', position });
    expect(talk.all('cancel')).toHaveLength(1);
    pause('one');
    talk.send({ type: 'dtmf', digit: '#', durationMs: 100 });
    talk.pass(10);
    expect(talk.recorded('speculation')).toHaveLength(1);
    talk.send({ type: 'closed' });
    expect(talk.all('cancel')).toHaveLength(2);
    expect(talk.all('confirm')).toHaveLength(0);
  });

  it('asks again when the caller adds to a turn whose prepared answer was already taken', () => {
    const position = pause('i have a question');
    talk.send({ type: 'offset', voicedAt: talk.now, position });
    talk.send({ type: 'final', text: 'i have a question', position });
    talk.pass(700);
    const taken = talk.all('confirm')[0]?.reply;
    talk.onset();
    talk.pass(300);
    talk.send({ type: 'partial', text: 'i have a question about my order', position: talk.position });
    expect(talk.all('cancel').at(-1)?.reply).toBe(taken);
    const end = talk.offset();
    talk.send({ type: 'final', text: 'i have a question about my order', position: end });
    talk.pass(700);
    expect(talk.all('confirm')).toHaveLength(2);
    expect(talk.all('speculate').at(-1)?.turn).toMatchObject({ turn: 1, text: 'i have a question about my order' });
  });
});
