import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ChatAnswer, type ChatAsked, ChatServer } from '../../../../test/kit/chat-server.js';
import { loadAgents } from '../../agents.js';
import { createReasoner } from '../../create.js';
import type { ReasonerSession, ReplyPart } from '../../reasoner.js';

const AGENT = (url: string) => `
name: desk
greeting: Hello.
reasoner:
  type: llm
  url: ${url}
  model: test
  prompt: You are the order desk.
  timeoutMs: 1000
knowledge: [hours.md]
escalation: { target: sip:desk@127.0.0.1 }
actions:
  - { name: find-order, type: local, module: ./actions.mjs, function: find, parameters: { number: {} }, result: order }
  - { name: refund, type: local, module: ./actions.mjs, function: refund, parameters: { number: {} }, sideEffects: true }
`;
const MODULE = `
export const find = ({ number }) => { globalThis.called.push('find ' + number); return { status: 'shipped' }; };
export const refund = ({ number }) => { globalThis.called.push('refund ' + number); return { ok: true }; };
`;

const called: string[] = [];
const close: (() => unknown)[] = [];

async function desk(
  answer: (asked: ChatAsked) => ChatAnswer,
  given: { variables?: Record<string, unknown>; sensitive?: string[] } = {},
): Promise<{ session: ReasonerSession; chat: ChatServer }> {
  const chat = await ChatServer.start(answer);
  const folder = mkdtempSync(join(tmpdir(), 'parley-'));
  close.push(
    () => chat.close(),
    () => rmSync(folder, { recursive: true }),
  );
  writeFileSync(join(folder, 'desk.yaml'), AGENT(chat.url));
  writeFileSync(join(folder, 'actions.mjs'), MODULE);
  writeFileSync(join(folder, 'hours.md'), '# Hours\n\nWe open at nine.\n');
  called.length = 0;
  vi.stubGlobal('called', called);
  const agent = loadAgents(folder).get('desk');
  if (!agent) throw new Error('no agent');
  const session = createReasoner(agent).open({
    call: 'test',
    channel: 'voice',
    sensitive: given.sensitive,
    variables: { caller: '100', ...given.variables },
  });
  session.heard(0, session.greeting(), false);
  return { session, chat };
}

afterEach(async () => {
  vi.unstubAllGlobals();
  for (const end of close.splice(0)) await end();
});

async function say(
  session: ReasonerSession,
  turn: number,
  text: string,
): Promise<{ parts: ReplyPart[]; said: string }> {
  const parts: ReplyPart[] = [];
  const signal = new AbortController().signal;
  for await (const part of session.respond({ turn, text, from: 'speech' }, signal)) parts.push(part);
  const said = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  session.heard(turn, said, false);
  return { parts, said };
}

describe('the llm reasoner', () => {
  it('streams what the model says, shows it articles, variables and what was heard, not what was planned', async () => {
    const { session, chat } = await desk(() => ({ parts: ['We open', ' at nine. And close at six.'] }));
    const { said, parts } = await say(session, 1, 'when do you open');
    expect(said).toBe('We open at nine. And close at six.');
    expect(parts[1]).toMatchObject({ type: 'event', event: { type: 'knowledge', chunks: [{ article: 'hours' }] } });
    expect(chat.asked[0]?.messages).toMatchObject([
      { role: 'system', content: expect.stringMatching(/order desk[\s\S]*"caller":"100"[\s\S]*We open at nine/) },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: 'when do you open' },
    ]);
    session.heard(1, 'We open at', true);
    await say(session, 2, 'wait');
    expect(chat.asked[1]?.messages[3]?.content).toBe('We open at [the caller interrupted here]');
  });

  it('knows what was said on the line, but not to it', async () => {
    const { session, chat } = await desk(() => ({ parts: ['I see.'] }));
    session.overheard?.('It is in the post.', 'Anna');
    await say(session, 1, 'so when does it come');
    expect(JSON.stringify(chat.asked[0]?.messages)).toContain('Anna said: It is in the post.');
  });

  it('is not shown what is sensitive, in no prompt and no result; its actions have it', async () => {
    const answer = ({ messages }: ChatAsked): ChatAnswer =>
      messages.at(-1)?.role === 'tool'
        ? { parts: ['Done.'] }
        : { call: { name: 'find-order', arguments: { number: '42' } } };
    const variables = { pin: '9137', ivr: { variables: { pin: '9137', tier: 'gold' } }, status: 'is shipped' };
    const { session, chat } = await desk(answer, { variables, sensitive: ['pin'] });
    session.inform?.({ code: 'shipped' }, ['code']);
    await say(session, 1, 'where is my order');
    expect(chat.asked[0]?.messages[0]?.content).toContain(
      '"pin":"***","ivr":{"variables":{"pin":"***","tier":"gold"}}',
    );
    expect(chat.asked[1]?.messages.at(-1)?.content).toBe('{"status":"***"}');
    expect(JSON.stringify(chat.asked)).not.toMatch(/9137|shipped/);
  });

  it('runs the calls that the model makes and shows it the results', async () => {
    const { session, chat } = await desk(({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? { parts: ['It was shipped.'] }
        : { parts: ['One moment.'], call: { name: 'find-order', arguments: { number: '42' } } },
    );
    const { said, parts } = await say(session, 1, 'where is order forty two');
    expect(said).toBe('One moment. It was shipped.');
    expect(called).toEqual(['find 42']);
    expect(chat.asked[1]?.messages.slice(-2)).toMatchObject([
      { role: 'assistant', content: 'One moment.', tool_calls: [{ function: { name: 'find-order' } }] },
      { role: 'tool', content: '{"status":"shipped"}' },
    ]);
    expect(parts.flatMap((part) => (part.type === 'event' ? [part.event.type] : []))).toEqual([
      'sentiment',
      'knowledge',
      'action.called',
      'action.returned',
      'variable',
    ]);
    expect(chat.asked[0]?.tools?.map((tool) => tool.function.name)).toEqual([
      'find-order',
      'refund',
      'transfer_to_person',
      'end_call',
    ]);
  });

  it('changes nothing before the caller was asked and said yes, whatever the model calls', async () => {
    const { session } = await desk(({ messages }) => {
      const last = messages.at(-1);
      if (last?.role !== 'tool') return { call: { name: 'refund', arguments: { number: '42' } } };
      return { parts: [last.content.includes('not done yet') ? 'Shall I refund it?' : 'Refunded.'] };
    });
    expect((await say(session, 1, 'refund order 42')).said).toBe('Shall I refund it?');
    expect((await say(session, 2, 'how long does it take')).said).toBe('Shall I refund it?');
    expect(called).toEqual([]);
    expect((await say(session, 3, 'Yes, please.')).said).toBe('Refunded.');
    expect((await say(session, 4, 'Yes.')).said).toBe('Refunded.');
    expect(called).toEqual(['refund 42']);
  });

  it('hands over to a person', async () => {
    const { session } = await desk(() => ({ call: { name: 'transfer_to_person', arguments: { reason: 'asked' } } }));
    const { parts } = await say(session, 1, 'a person please');
    expect(parts.at(-1)).toEqual({ type: 'transfer', target: 'sip:desk@127.0.0.1', reason: 'asked' });
  });

  it('closes the connection when it is interrupted, and forgets a turn that never was', async () => {
    const { session, chat } = await desk(({ messages }) =>
      messages.at(-1)?.content === 'first' ? { silent: true } : { parts: ['Yes.'] },
    );
    const abort = new AbortController();
    const certain = new Promise<void>(() => undefined);
    const speculative = session.respond({ turn: 1, text: 'first', from: 'speech' }, abort.signal, certain);
    const over = (async () => {
      for await (const _ of speculative);
    })();
    await vi.waitFor(() => expect(chat.asked).toHaveLength(1));
    abort.abort();
    await expect(over).rejects.toThrow();
    await vi.waitFor(() => expect(chat.asked[0]?.aborted).toBe(true));
    await say(session, 1, 'first and second');
    expect(chat.asked[1]?.messages.slice(2)).toEqual([{ role: 'user', content: 'first and second' }]);
  });

  it('fails with the reason: a refusal, silence, nobody there', async () => {
    const { session, chat } = await desk(({ messages }) =>
      messages.at(-1)?.content === 'refuse' ? { status: 401 } : { silent: true },
    );
    const failed = { code: 'PARLEY_ERR_LLM_FAILED' };
    await expect(say(session, 1, 'refuse')).rejects.toMatchObject({
      ...failed,
      message: expect.stringMatching(/status 401: no/),
    });
    await expect(say(session, 2, 'hush')).rejects.toMatchObject({
      ...failed,
      message: expect.stringMatching(/nothing for 1000 ms/),
    });
    await chat.close();
    await expect(say(session, 3, 'gone')).rejects.toMatchObject({
      ...failed,
      message: expect.stringMatching(/fetch failed/),
    });
  });
});
