import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigProblems } from '../../config/problems.js';
import { type AgentDefinition, loadAgents } from '../agents.js';
import { createReasoner } from '../create.js';
import type { ReplyPart } from '../reasoner.js';
import { idleHandOver } from './idle.js';

const BASE = `
name: shop
greeting: Hello.
variables:
  vip: { type: boolean, default: false }
  limit: { type: number, default: 100 }
topics:
  - name: refund
    examples: [I want a refund, refund my order, give me my money back please]
    action: price
    responses:
      - say: It cost {{order.price}}.
  - name: hours
    examples: [when are you open, what are your opening hours, when do you close]
    say: From nine to five.
  - name: broken
    examples: [check the status of my device, is my device working, device status]
    action: fails
    responses:
      - say: It works.
actions:
  - { name: price, type: local, module: ./shop.mjs, function: price, result: order }
  - { name: fails, type: local, module: ./shop.mjs, function: fails, result: device, timeoutMs: 200 }
escalation:
  target: desk
  message: One moment.
  triggers:
`;

function load(triggers: string): AgentDefinition {
  const folder = mkdtempSync(join(tmpdir(), 'escalation-'));
  writeFileSync(join(folder, 'shop.yaml'), `${BASE}${triggers.replace(/^/gm, '    ')}\n`);
  const module = `export const price = () => ({ price: 250 }); export const fails = () => { throw new Error('down'); };`;
  writeFileSync(join(folder, 'shop.mjs'), module);
  folders.push(folder);
  const agent = loadAgents(folder).get('shop');
  if (!agent) throw new Error('no agent');
  return agent;
}

const folders: string[] = [];

/** What each of the caller's turns leads to: what is said, and where the call goes. */
async function talk(triggers: string, said: readonly string[], variables: Record<string, unknown> = {}) {
  const session = createReasoner(load(triggers)).open({ call: 'test', channel: 'text', variables });
  const replies: { text: string; transfer: Extract<ReplyPart, { type: 'transfer' }> | undefined; events: string[] }[] =
    [];
  for (const [index, text] of said.entries()) {
    const parts: ReplyPart[] = [];
    const turn = { turn: index + 1, text, from: 'speech' } as const;
    for await (const part of session.respond(turn, new AbortController().signal)) parts.push(part);
    replies.push({
      text: parts
        .map((part) => (part.type === 'text' ? part.text : ''))
        .join('')
        .trim(),
      transfer: parts.find((part) => part.type === 'transfer'),
      events: parts.flatMap((part) => (part.type === 'event' ? [part.event.type] : [])),
    });
    session.heard(index + 1, replies.at(-1)?.text ?? '', false);
  }
  session.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  return replies;
}

describe('escalation triggers', () => {
  it('a topic, when a value that was looked up is over a limit; the answer is not said', async () => {
    const [reply] = await talk('- { name: large, topic: refund, when: order.price > 200, priority: 7 }', [
      'I want a refund',
    ]);
    expect(reply).toMatchObject({ text: 'One moment.', transfer: { target: 'desk', reason: 'large', priority: 7 } });
    const [small] = await talk('- { name: large, topic: refund, when: order.price > 300 }', ['I want a refund']);
    expect(small).toMatchObject({ text: 'It cost 250.', transfer: undefined });
  });

  it('keywords, before anything is answered, to a target and with a message of its own', async () => {
    const replies = await talk(
      '- { name: legal, keywords: [my lawyer, court], target: legal, message: "I see, {{called}}." }',
      ['when are you open', "you'll hear from my lawyer"],
      { called: 'madam' },
    );
    expect(replies.map(({ text }) => text)).toEqual(['From nine to five.', 'I see, madam.']);
    expect(replies[1]?.transfer).toMatchObject({ target: 'legal', reason: 'legal' });
    expect(replies[1]?.events).toEqual(['sentiment', 'escalation']);
  });

  it('a mood that lasts, and not one bad sentence', async () => {
    const trigger = '- { name: upset, sentiment: { below: -0.4, turns: 2 } }';
    const moods = ['this is ridiculous', 'when are you open', 'you are useless', 'I am really fed up with you'];
    const replies = await talk(trigger, moods);
    expect(replies.map(({ transfer }) => transfer?.reason)).toEqual([undefined, undefined, undefined, 'upset']);
  });

  it('a caller who asks for a person; an important caller; turns that were not understood; an action that failed', async () => {
    const person = await talk('- { name: asked, person: true, target: vips, when: vip }', ['an agent please'], {
      vip: true,
    });
    expect(person[0]?.transfer).toMatchObject({ target: 'vips', reason: 'asked' });
    const important = await talk('- { name: vip, when: vip }', ['when are you open'], { vip: true });
    expect(important[0]?.transfer?.reason).toBe('vip');
    const lost = await talk('- { name: lost, notUnderstood: 2 }', ['purple monkey', 'dishwasher bananas']);
    expect(lost.map(({ transfer }) => transfer?.reason)).toEqual([undefined, 'lost']);
    const failed = await talk('- { name: down, actionFailed: [fails] }', ['device status']);
    expect(failed[0]?.transfer?.reason).toBe('down');
  });

  it('the highest priority acts, once: a call that came back is not sent off by the same cause', async () => {
    const triggers = '- { name: low, when: vip }\n- { name: high, when: vip, priority: 5 }';
    const replies = await talk(triggers, ['when are you open', 'when are you open', 'when are you open'], {
      vip: true,
    });
    expect(replies.map(({ transfer }) => transfer?.reason)).toEqual(['high', 'low', undefined]);
  });

  it('a turn that comes again with more words has its trigger again', async () => {
    const session = createReasoner(load('- { name: legal, keywords: [lawyer] }')).open({
      call: 'test',
      channel: 'text',
      variables: {},
    });
    for (const text of ['my lawyer', 'my lawyer will call']) {
      const parts: ReplyPart[] = [];
      const signal = new AbortController().signal;
      for await (const part of session.respond({ turn: 1, text, from: 'speech' }, signal)) parts.push(part);
      expect(parts.some((part) => part.type === 'transfer')).toBe(true);
    }
  });

  it('silence is a setting of the turn machine', () => {
    const agent = load('- { name: silent, noInput: 2, message: "Nobody there." }\n- { name: x, keywords: [y] }');
    expect(idleHandOver(agent)).toEqual({
      after: 2,
      say: 'Nobody there.',
      target: 'desk',
      trigger: 'silent',
      priority: 0,
    });
  });

  it.each([
    ['- { name: a }', 'trigger "a" never acts'],
    ['- { name: a, noInput: 2, person: true }', 'noInput stands alone'],
    ['- { name: a, topic: refnd }', 'there is no topic "refnd"'],
    ['- { name: a, actionFailed: [pric] }', 'there is no action "pric"'],
    ['- { name: a, when: vpi }', 'nothing sets "vpi"'],
  ])('%s is refused', (trigger, message) => {
    let problems = '';
    try {
      load(trigger);
    } catch (error) {
      if (!(error instanceof ConfigProblems)) throw error;
      problems = error.problems.map((problem) => problem.message).join('\n');
    }
    expect(problems).toContain(message);
  });
});
