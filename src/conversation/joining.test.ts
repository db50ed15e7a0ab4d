import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualTalk } from '../../test/kit/virtual-talk.js';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a caller who goes on when the answer has hardly begun', () => {
  const FIRST = 'what are your opening hours';
  let talk: VirtualTalk;

  beforeEach(() => {
    talk = new VirtualTalk({ collisionMs: 500 });
    talk.send({ type: 'begin', greeting: ['Hello.'], notice: [] });
    talk.playAll();
    talk.utter(FIRST);
    talk.pass(500);
    talk.reply('We are open from nine to seven.');
  });

  /** The reply is heard for so long, then the caller speaks again. */
  const goOn = (afterMs: number, more: string, real = 0.8) => {
    talk.start();
    talk.pass(afterMs);
    talk.onset();
    talk.pass(320);
    const text = `${FIRST} ${more}`;
    talk.send({ type: 'partial', text, from: 0, position: talk.position, real });
    return text;
  };
  const end = (text: string, finished?: number) => {
    const position = talk.offset();
    talk.send({ type: 'final', text, from: 0, position, finished });
  };

  it('is answered once, all that they said being one turn', async () => {
    goOn(250, 'on');
    expect(talk.all('stop')).toHaveLength(1);
    await settle();
    expect(talk.recorded('interruption')).toMatchObject([{ turn: 1, text: 'on' }]);
    expect(talk.recorded('turn.decision').at(-1)).toMatchObject({ turn: 1, decision: 'rejoined', text: FIRST });
    // The dropped answer was no answer: it has no latency, and the turn is not on record yet.
    expect(talk.recorded('agent.turn').at(-1)).toMatchObject({ turn: 1, heard: 'We are', interrupted: true });
    expect(talk.recorded('agent.turn').at(-1)?.latency).toBeUndefined();
    expect(talk.recorded('caller.turn')).toHaveLength(0);
    expect(talk.all('commit')).toHaveLength(0);
    end(`${FIRST} on saturday`);
    talk.pass(700);
    expect(talk.all('ask').at(-1)?.turn).toEqual({ turn: 1, text: `${FIRST} on saturday`, from: 'speech' });
    talk.reply('On Saturday from nine to one.');
    talk.playAll();
    talk.pass(2000);
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: `${FIRST} on saturday` }]);
    expect(talk.recorded('agent.turn').at(-1)).toMatchObject({ turn: 1, heard: 'On Saturday from nine to one.' });
  });

  it('is asked to go ahead when both fell silent, and hardly anything was added', async () => {
    const text = goOn(250, 'but I');
    await settle();
    end(text, 0.1);
    talk.pass(700);
    expect(talk.all('say').at(-1)?.text).toBe('Sorry, go ahead.');
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text }]);
  });

  it('may use words that the answer has not come to', () => {
    const text = goOn(100, 'nine to seven', 0.9);
    expect(talk.all('stop')).toHaveLength(1);
    expect(talk.recorded('interruption')).toMatchObject([{ text: text.slice(FIRST.length + 1) }]);
  });

  it('begins a turn of their own when they have heard it for a moment', async () => {
    talk.start();
    talk.pass(600);
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: FIRST }]);
    expect(talk.all('commit')).toHaveLength(1);
    talk.onset();
    talk.pass(700);
    talk.send({ type: 'partial', text: 'and on saturday', position: talk.position, real: 0.9 });
    await settle();
    const position = talk.offset();
    talk.send({ type: 'final', text: 'and on saturday', position });
    talk.pass(700);
    expect(talk.all('ask').at(-1)?.turn).toMatchObject({ turn: 2, text: 'and on saturday' });
    expect(talk.recorded('turn.decision').map(({ decision }) => decision)).toEqual(['ended', 'ended']);
  });

  it('is not joined with a turn on which an action was taken', async () => {
    talk.send({ type: 'reply.acted', reply: talk.asked() });
    talk.playAll();
    talk.utter('cancel my order');
    talk.pass(500);
    const reply = talk.asked();
    talk.send({ type: 'reply.acted', reply });
    talk.send({ type: 'reply.sentence', reply, text: 'It is cancelled.' });
    talk.start();
    talk.pass(200);
    talk.onset();
    talk.pass(400);
    talk.send({ type: 'partial', text: 'stop please', position: talk.position, real: 0.9 });
    await settle();
    expect(talk.recorded('caller.turn').map(({ text }) => text)).toContain('cancel my order');
    const position = talk.offset();
    talk.send({ type: 'final', text: 'stop please', position });
    talk.pass(700);
    expect(talk.all('ask').at(-1)?.turn).toMatchObject({ text: 'stop please' });
    expect(talk.recorded('turn.decision').some(({ decision }) => decision === 'rejoined')).toBe(false);
  });

  it('has changed their mind when they stop it: that is another turn', async () => {
    const text = goOn(250, 'no wait');
    expect(talk.all('stop')).toHaveLength(1);
    await settle();
    end(text);
    talk.pass(700);
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: FIRST }]);
    expect(talk.all('ask').at(-1)?.turn).toMatchObject({ turn: 2, text: 'no wait' });
  });

  it('may also be a listener, whose words are kept apart from the turn', () => {
    const text = goOn(200, 'okay', 0.3);
    end(text);
    expect(talk.all('stop')).toHaveLength(0);
    expect(talk.all('go-on')).not.toHaveLength(0);
    talk.pass(2000);
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: FIRST }]);
    expect(talk.recorded('backchannel')).toMatchObject([{ text: 'okay' }]);
    talk.finish();
    talk.pass(1000);
    expect(talk.all('ask')).toHaveLength(1);
  });

  it('says something new over a short answer that is heard to its end, and only that is their next turn', () => {
    talk.start();
    talk.pass(200);
    talk.onset();
    talk.finish();
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: FIRST }]);
    talk.pass(300);
    // Recognised before the commit was known there.
    end(`${FIRST} where is my order`);
    talk.pass(700);
    expect(talk.all('ask').at(-1)?.turn).toMatchObject({ turn: 2, text: 'where is my order' });
  });

  it('puts the turn on record before keys that interrupt its answer', () => {
    talk.start();
    talk.pass(100);
    talk.send({ type: 'dtmf', digit: '#', durationMs: 100 });
    talk.send({ type: 'dtmf', digit: '1', durationMs: 100 });
    talk.pass(2500);
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: FIRST }]);
    expect(talk.all('ask').at(-1)?.turn).toMatchObject({ turn: 2, text: '1', from: 'dtmf' });
  });

  it('is not spoken over: an answer that has not begun waits for their words', () => {
    talk.onset();
    expect(talk.all('yield')).toEqual([{ type: 'yield', how: 'pause', level: 0.3 }]);
    talk.pass(200);
    const noise = talk.offset();
    talk.send({ type: 'final', text: FIRST, from: 0, position: noise });
    expect(talk.all('go-on')).toHaveLength(1);
    talk.onset();
    talk.pass(300);
    talk.send({ type: 'partial', text: `${FIRST} on`, from: 0, position: talk.position });
    expect(talk.all('stop')).toHaveLength(1);
    expect(talk.all('go-on')).toHaveLength(2);
    expect(talk.recorded('turn.decision').at(-1)).toMatchObject({ decision: 'held' });
  });

  it('does not keep an answer waiting for ever with a noise', () => {
    talk.onset();
    talk.pass(999);
    expect(talk.all('go-on')).toHaveLength(0);
    talk.pass(1);
    expect(talk.all('go-on')).toHaveLength(1);
  });
});
