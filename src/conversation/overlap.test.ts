import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualTalk } from '../../test/kit/virtual-talk.js';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('caller and agent at once', () => {
  let talk: VirtualTalk;

  beforeEach(() => {
    talk = new VirtualTalk({ secondJudge: true });
    talk.send({ type: 'begin', greeting: ['Hello, this is Garden House.'], notice: [] });
  });

  /** The agent answers a question and is heard for a while. */
  const answering = (ms = 2000) => {
    talk.playAll();
    talk.utter('what are your opening hours');
    talk.pass(500);
    talk.reply('We are open from nine to seven.');
    talk.start();
    talk.pass(ms);
  };
  const say = (text: string, real?: number) =>
    talk.send({ type: 'partial', text, position: talk.position, ...(real === undefined ? {} : { real }) });

  it('answers what was said in a burst that is judged after its end', async () => {
    answering();
    talk.onset();
    talk.pass(250);
    const position = talk.offset();
    talk.send({ type: 'final', text: 'where is my order', position, real: 0.9 });
    await settle();
    expect(talk.recorded('interruption')).toHaveLength(1);
    talk.pass(700);
    expect(talk.all('ask').at(-1)?.turn.text).toBe('where is my order');
  });

  it('asks the second judge once about words it is not sure of, and does what it says', async () => {
    answering();
    talk.onset();
    talk.pass(400);
    say('my sister', 0.5);
    talk.pass(50);
    say('My sister.', 0.5);
    expect(talk.all('judge')).toMatchObject([{ text: 'my sister', agent: 'We are open from nine to seven.' }]);
    const { burst = 0, text = '' } = talk.all('judge')[0] ?? {};
    talk.send({ type: 'judged', burst, text, floor: true });
    await settle();
    expect(talk.all('stop')).toHaveLength(1);
    expect(talk.recorded('interruption')).toHaveLength(1);
  });

  it('lets the agent go on when the second judge says so, until new words come', () => {
    answering();
    talk.onset();
    talk.pass(400);
    say('my sister', 0.5);
    talk.send({ type: 'judged', burst: talk.all('judge')[0]?.burst ?? 0, text: 'my sister', floor: false });
    expect(talk.all('go-on')).toHaveLength(1);
    talk.pass(500);
    say('my sister wants to know', 0.9);
    expect(talk.recorded('interruption')).toHaveLength(1);
  });

  it('never waits for the second judge, and ignores what it says of another burst', () => {
    answering();
    talk.onset();
    talk.pass(400);
    say('my sister', 0.6);
    const first = talk.all('judge')[0]?.burst ?? 0;
    expect(talk.recorded('interruption')).toHaveLength(0);
    talk.pass(400);
    // Judged again at 0.8 s, when less certainty is asked for.
    expect(talk.recorded('interruption')).toHaveLength(1);
    talk.send({ type: 'judged', burst: first, text: 'my sister', floor: false });
    expect(talk.all('go-on')).toHaveLength(1);
    expect(talk.state.phase).toBe('listening');
  });

  it('asks no judge about stop words, backchannels and what is certain', () => {
    answering();
    talk.onset();
    talk.pass(200);
    say('uh-huh', 0.5);
    say('okay I see', 0.4);
    say('what', 0.97);
    say('wait', 0.5);
    expect(talk.all('judge')).toHaveLength(0);
    expect(talk.recorded('interruption')).toHaveLength(1);
  });

  it('says "go ahead" when both began at once, the agent gave way, and the caller hardly said anything', async () => {
    answering(100);
    talk.onset();
    talk.pass(300);
    say('no i', 0.9);
    const position = talk.offset();
    talk.send({ type: 'final', text: 'no I', position, finished: 0.1, real: 0.9 });
    await settle();
    talk.pass(700);
    expect(talk.queue).toHaveLength(1);
    expect(talk.all('say').at(-1)?.text).toBe('Sorry, go ahead.');
    expect(talk.recorded('caller.turn').at(-1)).toMatchObject({ text: 'no I' });
    talk.playAll();
    talk.utter('I meant on Sunday');
    talk.pass(500);
    expect(talk.all('ask').at(-1)?.turn.text).toBe('I meant on Sunday');
  });

  it('answers a whole turn that began together with the agent, and a scrap that did not', async () => {
    answering(100);
    talk.onset();
    talk.pass(300);
    say('on sunday I mean', 0.95);
    talk.pass(400);
    const position = talk.offset();
    talk.send({ type: 'final', text: 'on sunday I mean', position, finished: 0.9 });
    await settle();
    talk.pass(700);
    expect(talk.all('ask').at(-1)?.turn.text).toBe('on sunday I mean');
    expect(talk.all('say').map(({ text }) => text)).not.toContain('Sorry, go ahead.');
  });

  it('goes on as soon as a listener’s word is over, and makes room again for what follows', () => {
    answering();
    talk.onset();
    talk.pass(300);
    say('yeah', 0.5);
    expect(talk.all('go-on')).toHaveLength(0);
    talk.send({ type: 'pause', voicedAt: talk.now });
    expect(talk.all('go-on')).toHaveLength(1);
    expect(talk.all('yield')).toHaveLength(1);
    talk.pass(120);
    say('yeah where', 0.6);
    expect(talk.all('yield')).toHaveLength(2);
    talk.pass(200);
    say('yeah where is my order', 0.95);
    expect(talk.recorded('interruption')).toHaveLength(1);
  });

  it('goes on when a listener’s word has ended, without waiting for the final', () => {
    answering();
    talk.onset();
    talk.pass(300);
    say('okay', 0.5);
    const position = talk.offset();
    expect(talk.all('go-on')).toHaveLength(1);
    talk.send({ type: 'final', text: 'okay', position, real: 0.02 });
    talk.pass(1500);
    expect(talk.recorded('interruption')).toHaveLength(0);
    expect(talk.recorded('backchannel')).toHaveLength(1);
  });

  it('waits for the final of a burst that is over, whatever a partial says that comes late', () => {
    answering();
    talk.onset();
    talk.pass(340);
    const position = talk.offset();
    talk.send({ type: 'partial', text: 'you dot', position, paused: true, real: 0.99 });
    expect(talk.recorded('interruption')).toHaveLength(0);
    talk.send({ type: 'final', text: 'got it', position, real: 0.9 });
    talk.pass(1500);
    expect(talk.recorded('interruption')).toHaveLength(0);
    // Unless the final does not come.
    talk.onset();
    talk.pass(340);
    talk.offset();
    talk.send({ type: 'partial', text: 'where is it', position: talk.position, paused: true, real: 0.99 });
    talk.pass(699);
    expect(talk.recorded('interruption')).toHaveLength(0);
    talk.pass(1);
    expect(talk.recorded('interruption')).toHaveLength(1);
  });

  it('is itself again when the sentence ends before it is known what a burst was, and in one that keeps the floor', () => {
    answering();
    talk.onset();
    talk.pass(300);
    talk.offset();
    talk.finish();
    expect(talk.all('go-on')).toHaveLength(1);
    talk.playAll();
    talk.utter('I want to pay');
    talk.pass(700);
    const reply = talk.asked();
    talk.send({ type: 'reply.sentence', reply, text: 'What is the amount?' });
    talk.send({ type: 'reply.sentence', reply, text: 'Payments are final.', firm: true });
    talk.start();
    talk.onset();
    const before = talk.all('go-on').length;
    talk.finish();
    talk.start();
    expect(talk.all('go-on')).toHaveLength(before + 1);
  });

  it('goes by voice alone where the agent file says so', () => {
    talk = new VirtualTalk({ judge: 'voice', voiceMs: 500 });
    talk.send({ type: 'begin', greeting: ['Hello, this is Garden House.'], notice: [] });
    answering();
    talk.onset();
    say('stop', 1);
    talk.pass(499);
    expect(talk.recorded('interruption')).toHaveLength(0);
    talk.pass(1);
    expect(talk.recorded('interruption')).toHaveLength(1);
  });

  it('keeps the floor in a firm sentence, whatever is said or pressed, and answers it afterwards', () => {
    talk.playAll();
    talk.utter('I want to pay');
    talk.pass(500);
    const reply = talk.asked();
    talk.send({ type: 'reply.sentence', reply, text: 'Payments are final.', firm: true });
    talk.send({ type: 'reply.sentence', reply, text: 'What is the amount?' });
    talk.send({ type: 'reply.done', reply });
    expect(talk.all('say').slice(-2)).toMatchObject([{ firm: true }, { firm: false }]);
    talk.start();
    talk.pass(300);
    talk.utter('stop, where is my order');
    talk.send({ type: 'dtmf', digit: '1', durationMs: 100 });
    expect(talk.all('yield')).toHaveLength(0);
    expect(talk.recorded('interruption')).toHaveLength(0);
    talk.finish();
    talk.start();
    talk.pass(300);
    talk.finish();
    talk.pass(700);
    expect(
      talk.recorded('caller.turn').some(({ text }) => text.includes('where is my order')) || talk.asked(),
    ).toBeTruthy();
    expect(talk.all('ask').at(-1)?.turn.text).toBe('stop, where is my order');
  });

  it('contests the next sentence when the caller still speaks after a firm one', () => {
    talk.playAll();
    talk.utter('I want to pay');
    talk.pass(500);
    const reply = talk.asked();
    talk.send({ type: 'reply.sentence', reply, text: 'Payments are final.', firm: true });
    talk.send({ type: 'reply.sentence', reply, text: 'What is the amount?' });
    talk.start();
    talk.onset();
    talk.pass(300);
    talk.finish();
    expect(talk.all('yield')).toHaveLength(0);
    talk.start();
    expect(talk.all('yield')).toHaveLength(1);
    say('wait', 0.5);
    expect(talk.recorded('interruption')).toHaveLength(1);
  });
});
