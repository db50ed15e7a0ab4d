import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadAgents } from '../agents.js';
import { createReasoner } from '../create.js';
import type { Reasoner, ReasonerSession, ReplyPart } from '../reasoner.js';

/** A Thursday. */
const NOW = new Date(2025, 4, 15, 10, 0, 0);

interface Reply {
  text: string;
  parts: ReplyPart[];
}

/** A caller in text: hears everything, unless told otherwise. */
class Caller {
  readonly #session: ReasonerSession;
  #turn = 0;

  constructor(reasoner: Reasoner, variables: Record<string, unknown> = {}, wants: string[] = []) {
    this.#session = reasoner.open({ call: 'test', channel: 'text', variables, wants });
    this.#session.heard(0, this.#session.greeting(), false);
  }

  inform(variables: Record<string, unknown>): void {
    this.#session.inform?.(variables);
  }

  guide(text: string): boolean | undefined {
    return this.#session.guide?.(text);
  }

  get greeting(): string {
    return this.#session.greeting();
  }

  async say(
    text: string,
    how: { from?: 'speech' | 'dtmf'; heard?: string; turn?: number; signal?: AbortSignal } = {},
  ): Promise<Reply> {
    this.#turn = how.turn ?? this.#turn + 1;
    const parts: ReplyPart[] = [];
    const turn = { turn: this.#turn, text, from: how.from ?? 'speech' } as const;
    for await (const part of this.#session.respond(turn, how.signal ?? new AbortController().signal)) parts.push(part);
    const said = parts
      .map((part) => (part.type === 'text' ? part.text : ''))
      .join('')
      .trim();
    this.#session.heard(this.#turn, how.heard ?? said, how.heard !== undefined);
    return { text: said, parts };
  }

  async failTransfer(): Promise<string> {
    let said = '';
    for await (const part of this.#session.transferFailed('busy', new AbortController().signal)) {
      if (part.type === 'text') said += part.text;
    }
    return said;
  }
}

/** The events of one type in a reply. */
function eventsOf(reply: Reply, type: string): Record<string, unknown>[] {
  return reply.parts.flatMap((part) => (part.type === 'event' && part.event.type === type ? [part.event] : []));
}

function partOf<T extends ReplyPart['type']>(reply: Reply, type: T): Extract<ReplyPart, { type: T }> | undefined {
  return reply.parts.find((part): part is Extract<ReplyPart, { type: T }> => part.type === type);
}

let orders: Reasoner;
let clinic: Reasoner;

beforeAll(() => {
  const agents = loadAgents(fileURLToPath(new URL('../../../agents', import.meta.url)));
  const [shop, doctor] = [agents.get('orders'), agents.get('clinic')];
  if (!shop || !doctor) throw new Error('the example agents are missing');
  orders = createReasoner(shop, { now: () => NOW });
  clinic = createReasoner(doctor, { now: () => NOW });
});

describe('a caller whom an IVR sends', () => {
  it('is greeted with what they wanted, and goes on with it by a yes, without being asked again', async () => {
    const caller = new Caller(orders, { orderNumber: '482715' }, ['Customers', 'Orders']);
    expect(caller.greeting).toMatch(/you were asking about your order\. Shall we go on with that\?$/);
    expect((await caller.say('yes please')).text).toContain('oak bench');
  });

  it('may want something else, and one whose wish is no topic is greeted as ever', async () => {
    const caller = new Caller(orders, {}, ['order-status']);
    expect((await caller.say('no, what are your opening hours')).text).toMatch(/nine to seven/);
    expect(new Caller(orders, {}, ['Sales']).greeting).toMatch(/How can I help you\?$/);
  });

  it('is not asked for what the IVR tells in the middle of the call', async () => {
    const caller = new Caller(orders);
    caller.inform({ orderNumber: '482715' });
    expect((await caller.say('where is my order')).text).toContain('oak bench');
  });
});

describe('a supervisor', () => {
  it('tells facts, also for what is being asked; other words are of no use', async () => {
    const caller = new Caller(orders);
    expect(caller.guide('be kind to them, colour: red')).toBe(false);
    await caller.say('where is my order');
    expect(caller.guide('orderNumber: 48 27 15')).toBe(true);
    expect((await caller.say("I don't know it")).text).toContain('oak bench');
  });
});

describe('order desk', () => {
  it('tells where an order is, its number given in parts', async () => {
    const caller = new Caller(orders);
    const asked = await caller.say("uh hi um where's my order");
    expect(asked.text).toMatch(/six digit order number/);
    expect(partOf(asked, 'expect')?.expected).toEqual({ kind: 'digits', length: 6 });
    expect(eventsOf(asked, 'topic')[0]).toMatchObject({ topic: 'order-status' });

    const part = await caller.say('four eight two');
    expect(part.text).toBe('Go on.');
    expect(partOf(part, 'expect')?.expected).toEqual({ kind: 'digits', length: 3 });

    const answer = await caller.say('seven won five');
    expect(answer.text).toBe(
      'Order 4 8 2, 7 1 5, an oak bench, is on its way. It should arrive on Saturday, May seventeenth.',
    );
    expect(eventsOf(answer, 'entity.heard')).toEqual([{ type: 'entity.heard', name: 'orderNumber', value: '482715' }]);
    expect(eventsOf(answer, 'variable')[0]).toMatchObject({ name: 'orderNumber', value: '482715' });
    expect(eventsOf(answer, 'action.called')[0]).toMatchObject({ parameters: { orderNumber: '482715' } });
    expect(eventsOf(answer, 'action.returned')[0]).toMatchObject({ ok: true, action: 'find-order' });
  });

  it('takes the number from the request itself, by keys, and with corrections', async () => {
    const one = await new Caller(orders).say('I want to check on my order it is number 48 27 15');
    expect(one.text).toContain('oak bench');

    const keys = new Caller(orders);
    await keys.say('where is my order');
    expect((await keys.say('482715#', { from: 'dtmf' })).text).toContain('oak bench');

    const corrected = new Caller(orders);
    await corrected.say('where is my order');
    await corrected.say('four eight two');
    expect((await corrected.say('seven one six no five')).text).toContain('4 8 2, 7 1 5');
  });

  it('remembers the number, and does not ask for one that an IVR handed over', async () => {
    const caller = new Caller(orders, { orderNumber: '482715', partOfDay: 'Good evening' });
    expect(caller.greeting).toMatch(/^Good evening, this is Garden House/);
    expect((await caller.say('where is my order')).text).toContain('oak bench');
    expect((await caller.say('has it been shipped')).text).toContain('oak bench');
  });

  it('asks again for a number that does not exist, and offers a person in the end', async () => {
    const caller = new Caller(orders);
    const first = await caller.say('where is my order nine nine nine nine nine nine');
    expect(first.text).toMatch(/^I can't find an order with the number 9 9 9, 9 9 9\. .*number/);
    await caller.say('nine nine nine nine nine eight');
    const last = await caller.say('nine nine nine nine nine seven');
    expect(last.text).toMatch(/Shall I put you through to a person\?$/);
    const through = await caller.say('yes please');
    expect(partOf(through, 'transfer')?.target).toBe('sip:desk@127.0.0.1:5070');
  });

  it('refunds only after reading back and a yes', async () => {
    const caller = new Caller(orders);
    expect((await caller.say('I want my money back')).text).toMatch(/Which order/);
    const readBack = await caller.say('four eight two seven one six');
    expect(readBack.text).toBe('I heard 4 8 2, 7 1 6. Is that right?');
    expect(partOf(readBack, 'expect')?.expected).toEqual({ kind: 'yes-no' });
    const wrong = await caller.say("no it's one three four six seven nine");
    expect(eventsOf(wrong, 'entity.rejected')).toHaveLength(1);
    expect(wrong.text).toBe('I heard 1 3 4, 6 7 9. Is that right?');
    const confirm = await caller.say("yeah that's right");
    expect(eventsOf(confirm, 'entity.confirmed')[0]).toMatchObject({ value: '134679' });
    expect(confirm.text).toBe('That was a wooden swing, for 98 dollars. Shall I request the refund?');
    expect(eventsOf(confirm, 'action.called').map(({ action }) => action)).toEqual(['find-order']);
    const done = await caller.say('yes');
    expect(eventsOf(done, 'action.called').map(({ action }) => action)).toEqual(['request-refund']);
    expect(done.text).toMatch(/^Done\. You will get 98 dollars back/);
    expect((await caller.say('thank you')).text).toMatch(/Anything else\?$/);
    expect(partOf(await caller.say('no'), 'hangup')).toBeDefined();
  });

  it('does not ask for a refund that was declined', async () => {
    const caller = new Caller(orders, { orderNumber: '482716' });
    expect((await caller.say('I want a refund')).text).toMatch(/Shall I request the refund\?$/);
    const declined = await caller.say('no thanks');
    expect(declined.text).toBe('All right, I have not requested a refund.');
    expect(eventsOf(declined, 'action.called')).toEqual([]);
  });

  it('answers a question in the middle of another, and goes on where it was', async () => {
    const caller = new Caller(orders);
    await caller.say('where is my order');
    await caller.say('four eight two');
    const aside = await caller.say('wait what are your opening hours');
    expect(aside.text).toMatch(/^The shop is open from nine to seven.* Now, back to your order\. /);
    expect(partOf(aside, 'expect')?.expected).toEqual({ kind: 'digits', length: 3 });
    expect((await caller.say('seven one five')).text).toContain('oak bench');
  });

  it('lets one request wait for another that needs a conversation', async () => {
    const caller = new Caller(orders);
    expect((await caller.say('I want a refund')).text).toMatch(/Which order/);
    expect((await caller.say('actually where is my order')).text).toMatch(/order number/);
    const back = await caller.say('4 8 2 7 1 6');
    expect(back.text).toMatch(/was delivered on .* Now, back to your order\. I heard 4 8 2, 7 1 6\. Is that right\?$/);
  });

  it('answers several questions in one turn together', async () => {
    const both = await new Caller(orders).say('how long does delivery take and what are your opening hours');
    expect(both.text).toMatch(/three to five working days.*open from nine to seven/);
    const mixed = await new Caller(orders).say("where's my order what are your opening hours");
    expect(mixed.text).toMatch(/open from nine to seven.*order number/);
    expect(eventsOf(mixed, 'topic').map(({ topic }) => topic)).toEqual(['order-status', 'opening-hours']);
    const along = new Caller(orders);
    await along.say('where is my order');
    const answer = await along.say('482715, and do you deliver on saturdays');
    expect(answer.text).toMatch(/Monday to Saturday.*oak bench/);
  });

  it('answers from articles what is no topic', async () => {
    const reply = await new Caller(orders).say('do I get a warranty on furniture');
    expect(reply.text).toBe('All our furniture has a warranty of five years.');
    expect(JSON.stringify(eventsOf(reply, 'knowledge')[0])).toContain('"chunks":[{"article":"products / Warranty"');
    const policy = await new Caller(orders).say("what's your return policy");
    expect(policy.text).toMatch(/within thirty days after delivery.*Would you like me to start a refund\?$/);
  });

  it('hands over after three turns that it does not understand', async () => {
    const caller = new Caller(orders);
    expect((await caller.say('the blue elephant dances')).text).toMatch(/^Sorry, I didn't get that/);
    expect((await caller.say('purple monkey dishwasher')).text).toMatch(/other words/);
    const third = await caller.say('lorem ipsum');
    expect(eventsOf(third, 'escalation')).toEqual([
      { type: 'escalation', trigger: 'not understood', target: 'sip:desk@127.0.0.1:5070' },
    ]);
    expect(partOf(third, 'transfer')).toMatchObject({ reason: 'not understood' });
    expect(await caller.failTransfer()).toMatch(/busy/);
    expect((await caller.say('what are your opening hours')).text).toMatch(/nine to seven/);
  });

  it.each([
    'can I speak to a person please',
    'agent',
    'operator',
    'I want to talk to someone',
    'get me a human',
    'connect me to a representative',
  ])('hands over when asked: %s', async (words) => {
    const caller = new Caller(orders);
    await caller.say('where is my order');
    expect(partOf(await caller.say(words), 'transfer')).toMatchObject({ reason: 'request' });
  });

  it('hands over by topic, and by key zero', async () => {
    expect(partOf(await new Caller(orders).say('the table arrived broken'), 'transfer')).toMatchObject({
      reason: 'damaged or wrong item',
    });
    expect(partOf(await new Caller(orders).say('0', { from: 'dtmf' }), 'transfer')).toBeDefined();
    expect(partOf(await new Caller(orders).say('am I talking to a real person'), 'transfer')).toBeUndefined();
  });

  it('repeats, waits, and takes a request back', async () => {
    const caller = new Caller(orders);
    await caller.say('where is my order');
    expect((await caller.say('sorry what was that')).text).toBe('What is your six digit order number?');
    expect((await caller.say('hold on a second')).text).toBe('Take your time.');
    expect((await caller.say('never mind')).text).toMatch(/stopped/);
    expect((await caller.say('what are your opening hours')).text).not.toMatch(/back to your order/);
  });

  it('asks again what was not heard, and never takes a yes for a question that was not heard', async () => {
    const caller = new Caller(orders, { orderNumber: '482716' });
    expect((await caller.say('I want a refund', { heard: 'That was' })).text).toMatch(/request the refund\?$/);
    const again = await caller.say('yes');
    expect(again.text).toMatch(/request the refund\?$/);
    expect(eventsOf(again, 'action.called')).toEqual([]);
    const asked = new Caller(orders);
    await asked.say('where is my order', { heard: 'What is' });
    for (const words of ['hm what', 'what is it', 'the thing']) await asked.say(words, { heard: 'What is' });
    expect((await asked.say('482715')).text).toContain('oak bench');
  });

  it('starts a turn over that comes again with more words', async () => {
    const caller = new Caller(orders);
    await caller.say('where is my order');
    await caller.say('four eight two', { turn: 2 });
    const whole = await caller.say('four eight two seven one five', { turn: 2 });
    expect(whole.text).toContain('oak bench');
  });

  it('ends at once when it is aborted, and goes on with the next turn', async () => {
    const caller = new Caller(orders);
    const stop = new AbortController();
    stop.abort();
    expect((await caller.say('where is my order 482715', { signal: stop.signal })).text).toBe('');
    expect((await caller.say('where is my order 482715')).text).toContain('oak bench');
  });
});

describe('clinic', () => {
  it('books, moves and cancels an appointment', async () => {
    const caller = new Caller(clinic);
    const day = await caller.say("hello I'd like to make an appointment please");
    expect(partOf(day, 'expect')?.expected).toEqual({ kind: 'date' });
    expect((await caller.say('on sunday in the morning')).text).toMatch(/first and last name/);
    expect((await caller.say('my name is john smith')).text).toBe('I heard John Smith. Is that right?');
    expect((await caller.say('yes')).text).toMatch(/^We are closed on Sunday, May eighteenth\. Which day/);
    const confirm = await caller.say('then next tuesday');
    expect(confirm.text).toMatch(/Tuesday, May twentieth, at .*Shall I book it for you, John Smith\?$/);
    expect((await caller.say('yes that is fine')).text).toMatch(/is booked for Tuesday, May twentieth/);

    const moved = await caller.say('can I move my appointment to friday afternoon');
    expect(moved.text).toMatch(/from Tuesday, May twentieth to Friday, May sixteenth, at/);
    expect((await caller.say('yes')).text).toMatch(/^Done/);
    expect((await caller.say('please cancel my appointment')).text).toMatch(/on Friday, May sixteenth.*cancel it\?$/);
    expect((await caller.say('yes')).text).toMatch(/cancelled.*book another one\?$/);
    expect((await caller.say('no thank you')).text).toMatch(/What else/);
    expect(partOf(await caller.say("no that's all"), 'hangup')).toBeDefined();
  });

  it('sends an emergency to the nurse at once, even in the middle of something', async () => {
    const caller = new Caller(clinic);
    await caller.say('I need an appointment');
    const reply = await caller.say('I have chest pain');
    expect(reply.text).toMatch(/nine one one/);
    expect(partOf(reply, 'transfer')).toMatchObject({ reason: 'emergency' });
  });

  it('answers questions about the visit', async () => {
    expect((await new Caller(clinic).say('where can I park')).text).toMatch(/behind the building/);
    expect((await new Caller(clinic).say('do you take new patients')).text).toMatch(/We take new patients/);
    expect((await new Caller(clinic).say('I need a refill for my prescription')).text).toMatch(/tell your pharmacy/);
  });
});
