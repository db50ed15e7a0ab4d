import { beforeEach, describe, expect, it } from 'vitest';
import { SETTINGS, VirtualTalk } from '../../test/kit/virtual-talk.js';

describe('turn machine', () => {
  let talk: VirtualTalk;

  beforeEach(() => {
    talk = new VirtualTalk();
    talk.send({ type: 'begin', greeting: ['Hello.', 'How can I help?'], notice: [] });
    talk.playAll();
  });

  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

  it('greets, takes a turn after the wait, answers, and records what was heard with its latency', () => {
    expect(talk.recorded('agent.turn')[0]).toMatchObject({
      kind: 'greeting',
      heard: 'Hello. How can I help?',
      turn: 0,
    });
    talk.utter('what are your opening hours');
    talk.pass(499);
    expect(talk.all('ask')).toHaveLength(0);
    talk.pass(1);
    expect(talk.all('ask')[0]?.turn).toEqual({ turn: 1, text: 'what are your opening hours', from: 'speech' });
    talk.pass(10);
    talk.reply('We open at nine.');
    talk.pass(30);
    talk.playAll();
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: 'what are your opening hours' }]);
    const [, reply] = talk.recorded('agent.turn');
    expect(reply).toMatchObject({
      turn: 1,
      planned: 'We open at nine.',
      heard: 'We open at nine.',
      interrupted: false,
    });
    expect(reply?.latency).toMatchObject({ endpoint: 700, recognition: 0, reasoning: 10, firstAudio: 740 });
    expect(talk.all('commit')).toHaveLength(1);
  });

  it('goes on listening through a pause shorter than the wait, as one turn', () => {
    talk.utter("I'd like to");
    talk.pass(300);
    expect(talk.all('ask')).toHaveLength(0);
    talk.utter("I'd like to check my order");
    talk.pass(2000);
    expect(talk.all('ask').map((e) => e.turn.text)).toEqual(["I'd like to check my order"]);
  });

  it('does not end a turn in the moment in which a sound may be the caller going on', () => {
    talk.utter('in the morning');
    talk.pass(450);
    talk.send({ type: 'stir', voiced: true });
    talk.pass(100);
    expect(talk.all('ask')).toHaveLength(0);
    talk.onset();
    talk.pass(300);
    const position = talk.offset();
    talk.send({ type: 'final', text: 'in the morning please', position });
    talk.pass(400);
    // A click is none, and a sound that never becomes a voice is waited for no longer than a voice would take.
    talk.send({ type: 'stir', voiced: true });
    talk.pass(30);
    talk.send({ type: 'stir', voiced: false });
    talk.pass(90);
    talk.send({ type: 'stir', voiced: true });
    talk.pass(129);
    expect(talk.all('ask')).toHaveLength(0);
    talk.pass(1);
    expect(talk.all('ask').map(({ turn }) => turn.text)).toEqual(['in the morning please']);
  });

  it('waits for the final that is missing at the end of the wait, and takes the partial if it never comes', () => {
    talk.onset();
    talk.pass(800);
    talk.send({ type: 'partial', text: 'where is my order', position: talk.position });
    talk.offset();
    talk.pass(1000);
    expect(talk.all('ask')).toHaveLength(0);
    talk.pass(2000);
    expect(talk.all('ask')[0]?.turn.text).toBe('where is my order');
    expect(talk.recorded('error')).toHaveLength(1);
  });

  it('treats sound without words as nothing', () => {
    talk.utter('');
    talk.pass(3000);
    expect(talk.all('ask')).toHaveLength(0);
    expect(talk.all('commit')).toHaveLength(1);
    talk.pass(7000);
    expect(talk.recorded('idle')).toHaveLength(1);
  });

  it('reopens a turn when the caller adds words before the answer is heard', () => {
    talk.utter('I have a question');
    talk.pass(500);
    const first = talk.asked();
    talk.onset();
    talk.send({ type: 'partial', text: 'I have a question about my order', position: talk.position });
    expect(talk.all('cancel')).toEqual([{ type: 'cancel', reply: first }]);
    talk.send({ type: 'reply.sentence', reply: first, text: 'Stale.' });
    expect(talk.all('say').some((e) => e.text === 'Stale.')).toBe(false);
    const position = talk.offset();
    talk.send({ type: 'final', text: 'I have a question about my order', position });
    talk.pass(2000);
    expect(talk.all('ask').map((e) => e.turn)).toMatchObject([
      { turn: 1, text: 'I have a question' },
      { turn: 1, text: 'I have a question about my order' },
    ]);
    talk.reply('Sure.');
    talk.playAll();
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: 'I have a question about my order' }]);
  });

  it('does not take back a turn on which an action was taken', () => {
    talk.utter('yes');
    talk.pass(500);
    talk.send({ type: 'reply.acted', reply: talk.asked() });
    talk.onset();
    talk.send({ type: 'partial', text: 'yes please', position: talk.position });
    expect(talk.all('cancel')).toHaveLength(0);
  });

  it('ducks at once, then stops at a stop word, and records only what was heard', async () => {
    talk.utter('tell me about returns');
    talk.pass(500);
    talk.reply('You may return anything within thirty days.');
    talk.start();
    talk.pass(600);
    talk.onset();
    expect(talk.all('yield').at(-1)).toEqual({ type: 'yield', how: 'duck', level: 0.3 });
    talk.pass(399);
    expect(talk.all('stop')).toHaveLength(0);
    talk.pass(1);
    talk.send({ type: 'partial', text: 'No, stop.', position: talk.position });
    expect(talk.all('stop')).toHaveLength(1);
    await settle();
    expect(talk.recorded('interruption')).toMatchObject([{ turn: 1, intoReplyMs: 1000 }]);
    expect(talk.recorded('agent.turn').at(-1)).toMatchObject({ heard: 'You may', interrupted: true });
    expect(talk.all('heard').at(-1)).toMatchObject({ turn: 1, text: 'You may', interrupted: true });
    const position = talk.offset();
    talk.send({ type: 'final', text: 'no stop', position });
    talk.pass(700);
    expect(talk.all('ask').at(-1)?.turn).toMatchObject({ turn: 2, text: 'no stop' });
  });

  it('judges each burst by itself, and the words decide however long it lasts', async () => {
    talk.utter('tell me about returns');
    talk.pass(500);
    talk.reply('You may return anything within thirty days.');
    talk.start();
    for (const text of ['yeah', 'okay', 'uh huh']) {
      talk.onset();
      talk.pass(900);
      talk.send({ type: 'partial', text, position: talk.position, real: 0.99 });
      const position = talk.offset();
      talk.send({ type: 'final', text, position, real: 0.99 });
      talk.pass(1500);
    }
    expect(talk.all('stop')).toHaveLength(0);
    expect(talk.effects.filter((e) => e.type === 'yield' || e.type === 'go-on').at(-1)).toEqual({ type: 'go-on' });
    expect(talk.recorded('backchannel').map(({ text }) => text)).toEqual(['yeah', 'okay', 'uh huh']);
    talk.onset();
    talk.pass(300);
    talk.send({ type: 'partial', text: 'what', position: talk.position, real: 0.8 });
    expect(talk.all('stop')).toHaveLength(0);
    talk.pass(200);
    // The first words may have been misheard: they count when the next go on from them.
    expect(talk.all('stop')).toHaveLength(0);
    talk.send({ type: 'partial', text: 'what about', position: talk.position, real: 0.8 });
    expect(talk.all('stop')).toHaveLength(1);
    await settle();
  });

  it('answers what was said over a notice once the agent is done', () => {
    const call = new VirtualTalk();
    call.send({ type: 'begin', greeting: ['Hello.'], notice: ['This call may be recorded.'] });
    call.start();
    call.utter('where is my order', 900);
    call.pass(500);
    call.finish();
    call.playAll();
    call.pass(2000);
    expect(call.all('stop')).toHaveLength(0);
    expect(call.all('ask').map(({ turn }) => turn.text)).toEqual(['where is my order']);
  });

  it('holds for digits that are still missing, and gives time to who asks for it', () => {
    const times = {
      certainMs: 220,
      unsureMs: 750,
      unlikelyMs: 1700,
      partsMs: 1200,
      incompleteMs: 2500,
      unknownMs: 900,
    };
    talk.state.settings = { ...SETTINGS, endpointing: times };
    talk.utter('where is my order');
    talk.pass(1000);
    talk.reply('What is the number?', undefined, { kind: 'digits', length: 6 });
    talk.playAll();
    talk.utter('four eight two');
    talk.pass(2200);
    expect(talk.all('ask')).toHaveLength(1);
    talk.utter('four eight two seven one five');
    talk.pass(20);
    expect(talk.all('ask').at(-1)?.turn.text).toBe('four eight two seven one five');
    talk.reply('And your e-mail address?', undefined, { kind: 'email' });
    talk.playAll();
    talk.utter('hold on, let me check');
    talk.pass(10_000);
    expect(talk.all('ask')).toHaveLength(2);
    expect(talk.recorded('turn.decision').at(-1)).toMatchObject({ decision: 'hand-back', seen: 'hand-back' });
    expect(talk.recorded('caller.turn').at(-1)).toMatchObject({ turn: 3, text: 'hold on, let me check' });
    expect(talk.recorded('idle')).toHaveLength(0);
    talk.pass(25_000);
    expect(talk.recorded('idle')).toHaveLength(1);
  });

  it('lets a short burst pass and comes back to full level', () => {
    talk.utter('tell me about returns');
    talk.pass(500);
    talk.reply('You may return anything within thirty days.');
    talk.start();
    talk.utter('uh huh', 200);
    expect(talk.effects.filter((e) => e.type === 'yield' || e.type === 'go-on').at(-1)).toEqual({ type: 'go-on' });
    talk.pass(3000);
    talk.finish();
    expect(talk.all('stop')).toHaveLength(0);
    expect(talk.recorded('backchannel')).toMatchObject([{ text: 'uh huh' }]);
    talk.pass(1000);
    expect(talk.all('ask')).toHaveLength(1);
  });

  it('takes a short answer over the last words of a question as the turn', () => {
    talk.utter('refund');
    talk.pass(500);
    talk.reply('Is that right?', undefined, { kind: 'yes-no' });
    talk.start();
    talk.pass(500);
    talk.utter('yes', 150);
    talk.finish();
    expect(talk.all('expect').at(-1)).toMatchObject({ expected: { kind: 'yes-no' } });
    talk.pass(700);
    expect(talk.all('ask').at(-1)?.turn.text).toBe('yes');
  });

  it('answers after a hold what was said and keyed before it', () => {
    talk.utter('where is my order');
    talk.send({ type: 'hold', on: true });
    talk.pass(20_000);
    expect(talk.all('ask')).toHaveLength(0);
    talk.send({ type: 'hold', on: false });
    talk.pass(0);
    expect(talk.all('ask').map(({ turn }) => turn.text)).toEqual(['where is my order']);
    talk.reply('What is the number?', undefined, { kind: 'digits', length: 6 });
    talk.playAll();
    for (const digit of '42') talk.send({ type: 'dtmf', digit, durationMs: 100 });
    talk.send({ type: 'hold', on: true });
    talk.pass(20_000);
    talk.send({ type: 'hold', on: false });
    talk.pass(2000);
    expect(talk.all('ask').at(-1)?.turn.text).toBe('42');
  });

  it('keeps what is sensitive from others, from the question on until the value is there', () => {
    talk.utter('I want to pay');
    talk.pass(500);
    talk.reply('What is your card number?', undefined, { kind: 'digits', sensitive: true });
    expect(talk.all('sensitive')).toEqual([{ type: 'sensitive', on: true, digits: true }]);
    talk.playAll();
    talk.utter('four eight two');
    talk.pass(500);
    talk.reply('I heard four eight two. Is that right?', undefined, { kind: 'yes-no' });
    expect(talk.all('sensitive')).toHaveLength(1);
    talk.playAll();
    expect(talk.all('sensitive').at(-1)).toEqual({ type: 'sensitive', on: false, digits: false });
  });

  it('asks nobody on hold whether they are there, and goes on as before afterwards', () => {
    talk.pass(3000);
    talk.send({ type: 'hold', on: true });
    talk.pass(60_000);
    expect(talk.recorded('idle')).toHaveLength(0);
    talk.send({ type: 'hold', on: false });
    talk.pass(6999);
    expect(talk.recorded('idle')).toHaveLength(0);
    talk.pass(1);
    expect(talk.recorded('idle')).toHaveLength(1);
  });

  it('asks a silent caller twice, then says goodbye and hangs up', () => {
    for (const text of ['Are you still there?', 'Hello?', 'Goodbye.']) {
      talk.pass(7000);
      expect(talk.all('say').at(-1)?.text).toBe(text);
      talk.playAll();
    }
    expect(talk.all('finish')).toMatchObject([{ afterwards: { type: 'hangup', by: 'agent' } }]);
  });

  it('says what a supervisor has it say, whatever it was saying, and hears the answer', () => {
    talk.utter('when are you open');
    talk.pass(700);
    talk.reply('We are open from nine to five on all days.');
    talk.start();
    talk.send({ type: 'supervisor.say', sentences: ['A colleague is looking at it.'] });
    expect(talk.all('stop')).toHaveLength(1);
    expect(talk.all('say').at(-1)?.text).toBe('A colleague is looking at it.');
    talk.queue = talk.queue.slice(-1);
    talk.playAll();
    expect(talk.recorded('interruption')).toHaveLength(0);
    expect(talk.recorded('agent.turn').at(-1)).toMatchObject({
      kind: 'supervisor',
      heard: 'A colleague is looking at it.',
    });
    talk.utter('thank you');
    talk.pass(700);
    expect(talk.all('ask').at(-1)?.turn.text).toBe('thank you');
  });

  it('answers nothing while a supervisor has it wait, keeps what was said, and goes on afterwards', () => {
    talk.send({ type: 'supervisor.pause', on: true });
    talk.utter('are you there');
    talk.pass(20_000);
    expect(talk.all('ask')).toHaveLength(0);
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: 'are you there' }]);
    expect(talk.all('overheard')).toEqual([{ type: 'overheard', text: 'are you there' }]);
    expect(talk.recorded('idle')).toHaveLength(0);
    talk.send({ type: 'supervisor.pause', on: false });
    talk.utter('when are you open');
    talk.pass(700);
    expect(talk.all('ask')).toMatchObject([{ turn: { turn: 2, text: 'when are you open' } }]);
  });

  it('sends a call on at once, also out of the middle of an answer', () => {
    talk.utter('when are you open');
    talk.pass(700);
    talk.send({ type: 'supervisor.send-on', target: 'desk', reason: 'supervisor' });
    expect(talk.all('cancel')).toHaveLength(1);
    expect(talk.all('finish')).toMatchObject([{ afterwards: { type: 'transfer', target: 'desk' } }]);
    expect(talk.recorded('caller.turn')).toHaveLength(1);
  });

  it('lets whoever has the caller next hear them, though something secret was asked', () => {
    talk.utter('I want to pay');
    talk.pass(500);
    talk.reply('What is your card number?', undefined, { kind: 'digits', sensitive: true });
    talk.playAll();
    talk.send({ type: 'supervisor.send-on', target: 'desk', reason: 'supervisor' });
    expect(talk.all('sensitive').at(-1)).toMatchObject({ on: false });
  });

  it('hands a caller over who stays silent, where the agent file says so', () => {
    const handOver = { after: 1, say: 'A colleague takes over.', target: 'desk', trigger: 'silent', priority: 3 };
    talk.state.settings = { ...SETTINGS, idle: { ...SETTINGS.idle, handOver } };
    talk.pass(7000);
    talk.playAll();
    talk.pass(7000);
    expect(talk.recorded('escalation')).toEqual([
      { type: 'escalation', trigger: 'silent', target: 'desk', priority: 3 },
    ]);
    talk.playAll();
    expect(talk.all('finish')).toMatchObject([
      { afterwards: { type: 'transfer', target: 'desk', reason: 'silent', priority: 3 } },
    ]);
  });

  it('ends an endless turn with the words so far', () => {
    talk.onset();
    talk.pass(30_000);
    expect(talk.all('finalise')).toHaveLength(1);
    talk.send({ type: 'final', text: 'and then and then', position: talk.position });
    expect(talk.all('ask')[0]?.turn.text).toBe('and then and then');
    expect(talk.recorded('turn.decision')).toMatchObject([{ decision: 'maximum' }]);
  });

  it('says farewell at the maximum call length, even over a reply, and ends though it is talked over', async () => {
    talk.pass(1);
    talk.send({ type: 'timer', name: 'call' });
    expect(talk.all('say').at(-1)?.text).toBe('We have to stop here.');
    talk.start();
    talk.onset();
    talk.pass(1500);
    await settle();
    expect(talk.all('finish')).toMatchObject([{ afterwards: { type: 'hangup', by: 'limit' } }]);
  });

  it('takes keys as a turn when they are complete, and stops speaking at the first', async () => {
    talk.utter('where is my order');
    talk.pass(500);
    talk.reply('What is the number?', undefined, { kind: 'digits', length: 3 });
    talk.playAll();
    talk.send({ type: 'dtmf', digit: '1', durationMs: 100 });
    talk.send({ type: 'dtmf', digit: '2', durationMs: 100 });
    expect(talk.all('ask')).toHaveLength(1);
    talk.send({ type: 'dtmf', digit: '3', durationMs: 100 });
    expect(talk.all('ask').at(-1)?.turn).toEqual({ turn: 2, text: '123', from: 'dtmf' });
    talk.reply('Thank you.');
    talk.start();
    talk.send({ type: 'dtmf', digit: '4', durationMs: 100 });
    await settle();
    expect(talk.all('stop')).toHaveLength(1);
    talk.pass(2000);
    expect(talk.all('ask').at(-1)?.turn.text).toBe('4');
  });

  it('hands over once the last word was heard, and goes on talking when that fails', () => {
    talk.utter('a person please');
    talk.pass(500);
    talk.reply('One moment.', { type: 'transfer', target: 'desk', reason: 'asked' });
    expect(talk.all('finish')).toHaveLength(0);
    talk.playAll();
    expect(talk.all('finish')).toMatchObject([{ afterwards: { target: 'desk' } }]);
    talk.send({ type: 'transfer.failed', reason: '486' });
    const reply = talk.all('ask-after-failed-transfer')[0]?.reply ?? '';
    talk.send({ type: 'reply.sentence', reply, text: 'Nobody is free.' });
    talk.send({ type: 'reply.done', reply });
    talk.playAll();
    expect(talk.state.phase).toBe('listening');
  });

  it('apologises for a reasoner that fails or hangs, and calls a person the second time', () => {
    talk.utter('hello');
    talk.pass(500);
    talk.send({ type: 'reply.failed', reply: talk.asked(), reason: 'boom' });
    expect(talk.all('say').at(-1)?.text).toBe('Sorry, something went wrong.');
    talk.playAll();
    talk.utter('hello again');
    talk.pass(500 + 8000);
    talk.playAll();
    expect(talk.all('finish')).toMatchObject([{ afterwards: { type: 'transfer', reason: 'failure' } }]);
  });

  it('hands over when nothing that it says can be synthesised', () => {
    for (const text of ['one', 'two']) {
      talk.utter(text);
      talk.pass(500);
      talk.reply('An answer.');
      talk.finish('');
    }
    expect(talk.all('finish')).toMatchObject([{ afterwards: { type: 'transfer', reason: 'failure' } }]);
  });

  it('plays a notice to its end whoever speaks, then greets', () => {
    const call = new VirtualTalk();
    call.send({ type: 'begin', greeting: ['Hello.'], notice: ['This call is recorded.'] });
    call.start();
    call.onset();
    call.pass(2000);
    expect(call.all('stop')).toHaveLength(0);
    call.finish();
    expect(call.all('say').map((e) => e.text)).toEqual(['This call is recorded.', 'Hello.']);
  });

  it('puts on record what was said and heard until the caller hung up', () => {
    talk.utter('where is my order');
    talk.pass(500);
    talk.reply('It is on its way.');
    talk.start();
    talk.finish('It is');
    talk.onset();
    talk.send({ type: 'partial', text: 'oh never mind', position: talk.position });
    talk.send({ type: 'closed' });
    expect(talk.recorded('agent.turn').at(-1)).toMatchObject({ heard: 'It is', interrupted: true });
    expect(talk.recorded('caller.turn').map((e) => e.text)).toEqual(['where is my order', 'oh never mind']);
    expect(talk.state.phase).toBe('ended');
    talk.send({ type: 'final', text: 'late', position: talk.position });
    expect(talk.recorded('caller.turn')).toHaveLength(2);
  });

  it('comes back to full level for the next reply when one ends while the caller speaks over it', () => {
    talk.utter('tell me about returns');
    talk.pass(500);
    talk.reply('Of course.');
    talk.start();
    talk.onset();
    talk.pass(100);
    talk.finish();
    expect(talk.effects.filter((e) => e.type === 'yield' || e.type === 'go-on').at(-1)).toEqual({ type: 'go-on' });
  });

  it('hears an interruption that begins or is decided between two sentences', async () => {
    talk.utter('tell me about returns');
    talk.pass(500);
    const reply = talk.asked();
    talk.send({ type: 'reply.sentence', reply, text: 'Of course.' });
    talk.send({ type: 'reply.sentence', reply, text: 'You may return anything.' });
    talk.start();
    talk.onset();
    talk.pass(300);
    talk.finish();
    talk.send({ type: 'partial', text: 'but I want my money', position: talk.position });
    talk.pass(300);
    talk.send({ type: 'partial', text: 'but I want my money back', position: talk.position });
    expect(talk.recorded('interruption')).toHaveLength(0);
    talk.start();
    talk.pass(100);
    await settle();
    expect(talk.recorded('interruption')).toHaveLength(1);
  });

  it('takes a reopened turn though its words came after the offset', () => {
    talk.utter('I have a question');
    talk.pass(500);
    talk.onset();
    talk.pass(300);
    const position = talk.offset();
    talk.send({ type: 'partial', text: 'I have a question about my order', position: position - 400 });
    talk.pass(50);
    talk.send({ type: 'final', text: 'I have a question about my order', position });
    talk.pass(2000);
    expect(talk.all('ask').at(-1)?.turn.text).toBe('I have a question about my order');
  });

  it('waits for the words of the last sound, whatever the one before it was', () => {
    talk.onset();
    talk.pass(200);
    const cough = talk.offset();
    talk.pass(100);
    talk.onset();
    talk.pass(500);
    const words = talk.offset();
    talk.pass(1000);
    talk.send({ type: 'final', text: '', position: cough });
    talk.send({ type: 'final', text: 'where is my order', position: words });
    expect(talk.all('ask').at(-1)?.turn.text).toBe('where is my order');
  });

  it('apologises when recognition fails before the wait is over', () => {
    talk.onset();
    talk.pass(800);
    const position = talk.offset();
    talk.send({ type: 'recognition.failed', reason: 'boom' });
    talk.send({ type: 'final', text: '', position });
    expect(talk.recorded('error')).toHaveLength(1);
    expect(talk.all('say').at(-1)?.text).toBe(SETTINGS.apology);
  });

  it('calls a person when recognition keeps failing', () => {
    for (let n = 0; n < 2; n++) {
      talk.onset();
      talk.pass(800);
      talk.offset();
      talk.send({ type: 'recognition.failed', reason: 'boom' });
      talk.playAll();
    }
    expect(talk.all('finish')).toMatchObject([{ afterwards: { type: 'transfer', reason: 'failure' } }]);
  });

  it('does not reopen a turn that was taken for its length', () => {
    talk.onset();
    talk.pass(30_000);
    talk.send({ type: 'final', text: 'and then and then', position: talk.position });
    talk.pass(300);
    talk.send({ type: 'partial', text: 'and so on', position: talk.position });
    expect(talk.all('cancel')).toHaveLength(0);
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: 'and then and then' }]);
  });

  it('does not take the words of a turn twice when an action was taken on them', () => {
    talk.utter('yes');
    const commits = talk.all('commit').length;
    talk.pass(500);
    talk.send({ type: 'reply.acted', reply: talk.asked() });
    expect(talk.all('commit')).toHaveLength(commits + 1);
    expect(talk.recorded('caller.turn')).toMatchObject([{ turn: 1, text: 'yes' }]);
    talk.reply('Done.');
    talk.playAll();
    expect(talk.recorded('caller.turn')).toHaveLength(1);
  });

  it('goes on listening when the reasoner falls silent after its first sentence', () => {
    talk.utter('hello');
    talk.pass(500);
    talk.send({ type: 'reply.sentence', reply: talk.asked(), text: 'One moment.' });
    talk.playAll();
    talk.pass(8000);
    expect(talk.state.phase).toBe('listening');
    expect(talk.recorded('error')).toHaveLength(1);
  });

  it('comes to an end when nothing can be said and nobody takes over', () => {
    for (let n = 0; n < 50; n++) {
      if (talk.queue.length > 0) talk.finish('');
      else if (talk.state.phase === 'handing-over') {
        if (talk.all('finish').at(-1)?.afterwards.type === 'hangup') break;
        talk.send({ type: 'transfer.failed', reason: 'no target' });
        const reply = talk.all('ask-after-failed-transfer').at(-1)?.reply ?? '';
        talk.send({ type: 'reply.sentence', reply, text: 'Nobody is free.' });
        talk.send({ type: 'reply.done', reply });
      } else talk.pass(7000);
    }
    expect(talk.all('finish').at(-1)?.afterwards.type).toBe('hangup');
  });

  it('ends a call that reaches its maximum length during a transfer that fails', () => {
    talk.utter('a person please');
    talk.pass(500);
    talk.reply('One moment.', { type: 'transfer', target: 'desk', reason: 'asked' });
    talk.playAll();
    talk.pass(700_000);
    talk.send({ type: 'transfer.failed', reason: '486' });
    talk.pass(60_000);
    expect(talk.all('finish').at(-1)).toMatchObject({ afterwards: { type: 'hangup', by: 'limit' } });
  });

  it('puts no words on record that turned out to be none', () => {
    talk.onset();
    talk.pass(300);
    talk.send({ type: 'partial', text: 'thank you', position: talk.position });
    const position = talk.offset();
    talk.onset();
    talk.send({ type: 'final', text: '', position });
    talk.send({ type: 'closed' });
    expect(talk.recorded('caller.turn')).toHaveLength(0);
  });
});
