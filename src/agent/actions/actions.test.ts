import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseYaml } from '../../config/yaml.js';
import type { AgentDefinition } from '../agents.js';
import { createReasoner } from '../create.js';
import { agentFile } from '../file/schema.js';
import type { ReplyPart } from '../reasoner.js';
import { LocalModules } from './local.js';

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;
let requests: { method: string | undefined; url: string | undefined; body: string; token: unknown }[];
let folder: string;

beforeEach(async () => {
  requests = [];
  folder = mkdtempSync(join(tmpdir(), 'actions-'));
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += String(part);
    });
    request.on('end', () => {
      requests.push({ method: request.method, url: request.url, body, token: request.headers.authorization });
      answer(request, response, body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true });
  delete process.env.PARLEY_TEST_SHOP_TOKEN;
});

function agent(): AgentDefinition {
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = parseYaml(
    `
name: shop
greeting: Hello.
topics:
  - name: status
    examples: [where is my order, order status, track my order]
    slots:
      - { name: number, kind: digits, length: 4, ask: What is the number? }
    action: look-up
    responses:
      - { when: found.httpStatus == 404, say: There is no such order. }
      - { when: "found.items", say: "It holds {{found.items.0.name}}." }
      - { say: It is empty. }
  - name: cancel
    examples: [cancel my order, stop my order, I do not want the order anymore]
    slots:
      - { name: number, kind: digits, length: 4, ask: What is the number? }
    confirm: Shall I cancel it?
    action: cancel
    responses: [{ say: It is cancelled. }]
  - name: local
    examples: [say something local, use the local function]
    action: broken
    responses: [{ say: Never said. }]
actions:
  - name: look-up
    type: http
    url: "${base}/orders/{{number}}"
    headers: { Authorization: "Bearer {{env.PARLEY_TEST_SHOP_TOKEN}}" }
    accept: [404]
    timeoutMs: 1500
    parameters: { number: {} }
    result: found
  - name: cancel
    type: http
    method: POST
    url: "${base}/cancel"
    body: { order: "{{number}}", note: "asked for {{number}}" }
    parameters: { number: {} }
    sideEffects: true
  - { name: broken, type: local, module: ./broken.mjs }
escalation: { target: "sip:desk@127.0.0.1" }
`,
    'shop.yaml',
    agentFile,
  );
  return { ...file, file: 'shop.yaml', directory: folder, chunks: [], version: '', sources: [] };
}

async function talk(lines: string[]): Promise<{ text: string; parts: ReplyPart[] }[]> {
  const session = createReasoner(agent()).open({ call: 'test', channel: 'text', variables: {} });
  const replies = [];
  for (const [at, line] of lines.entries()) {
    const parts: ReplyPart[] = [];
    const turn = { turn: at + 1, text: line, from: 'text' } as const;
    for await (const part of session.respond(turn, new AbortController().signal)) parts.push(part);
    const text = parts
      .map((part) => (part.type === 'text' ? part.text : ''))
      .join('')
      .trim();
    session.heard(at + 1, text, false);
    replies.push({ text, parts });
  }
  return replies;
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function codes(parts: readonly ReplyPart[]): string[] {
  return parts.flatMap((part) => (part.type === 'event' && part.event.type === 'error' ? [part.event.code] : []));
}

describe('actions', () => {
  it('fill the URL and headers, and speak what was answered', async () => {
    process.env.PARLEY_TEST_SHOP_TOKEN = 'secret';
    answer = (_, response) => json(response, 200, { items: [{ name: 'a lamp' }] });
    const [reply] = await talk(['where is my order 1234']);
    expect(reply?.text).toBe('It holds a lamp.');
    expect(requests).toEqual([{ method: 'GET', url: '/orders/1234', body: '', token: 'Bearer secret' }]);
  });

  it('take an accepted status for an answer', async () => {
    answer = (_, response) => json(response, 404, {});
    expect((await talk(['where is my order 1234']))[0]?.text).toBe('There is no such order.');
  });

  it('post a body, after consent only, and once', async () => {
    answer = (_, response) => json(response, 200, {});
    const replies = await talk(['cancel my order 1234', 'yes']);
    expect(replies.map(({ text }) => text)).toEqual(['Shall I cancel it?', 'It is cancelled.']);
    expect(requests.map(({ method, body }) => [method, JSON.parse(body)])).toEqual([
      ['POST', { order: '1234', note: 'asked for 1234' }],
    ]);
  });

  it('are not done again when the same turn comes again with more words', async () => {
    answer = (_, response) => json(response, 200, {});
    const session = createReasoner(agent()).open({ call: 'test', channel: 'text', variables: {} });
    for (const [turn, words] of [
      [1, 'cancel my order 1234'],
      [2, 'yes'],
      [2, 'yes please'],
    ] as const) {
      const caller = { turn, text: words, from: 'text' } as const;
      for await (const part of session.respond(caller, new AbortController().signal)) void part;
    }
    expect(requests).toHaveLength(1);
  });

  it('apologise and offer a person on 500, after a second try where nothing is changed', async () => {
    answer = (_, response) => json(response, 500, {});
    const [reply, tried, through] = await talk(['where is my order 1234', 'try again', 'yes']);
    expect(reply?.text).toMatch(/^I'm sorry, I can't get to our system.*Shall I put you through to a person\?$/);
    expect(codes(reply?.parts ?? [])).toEqual(['PARLEY_ERR_ACTION_FAILED']);
    expect(tried?.text).toMatch(/put you through/);
    expect(requests).toHaveLength(4);
    expect(through?.parts.at(-1)).toMatchObject({ type: 'transfer', target: 'sip:desk@127.0.0.1' });
  });

  it('never try a change twice by themselves', async () => {
    answer = (_, response) => json(response, 503, {});
    const replies = await talk(['cancel my order 1234', 'yes']);
    expect(replies[1]?.text).toMatch(/put you through/);
    expect(requests).toHaveLength(1);
  });

  it('work again after "try again"', async () => {
    answer = (_, response) => json(response, requests.length < 3 ? 500 : 200, { items: [{ name: 'a lamp' }] });
    const replies = await talk(['where is my order 1234', 'please try it again']);
    expect(replies[1]?.text).toBe('It holds a lamp.');
  });

  it('give up a server that does not answer', async () => {
    answer = () => undefined;
    const [reply] = await talk(['where is my order 1234']);
    expect(reply?.text).toMatch(/put you through/);
    const returned = reply?.parts.find((part) => part.type === 'event' && part.event.type === 'action.returned');
    expect(JSON.stringify(returned)).toContain('no answer within 1500 ms');
  });

  it('survive an answer that is no JSON, and one that is too long', async () => {
    answer = (_, response) => response.end('<html>');
    expect((await talk(['where is my order 1234']))[0]?.text).toMatch(/put you through/);
    answer = (_, response) => response.end(`"${'x'.repeat(1_100_000)}"`);
    expect((await talk(['where is my order 1234']))[0]?.text).toMatch(/put you through/);
  });

  it('stop when the caller has gone on', async () => {
    answer = () => undefined;
    const session = createReasoner(agent()).open({ call: 'test', channel: 'text', variables: {} });
    const stop = new AbortController();
    const types: string[] = [];
    for await (const part of session.respond({ turn: 1, text: 'where is my order 1234', from: 'text' }, stop.signal)) {
      types.push(part.type === 'event' ? part.event.type : part.type);
      if (part.type === 'event' && part.event.type === 'action.called') stop.abort();
    }
    expect(types.at(-1)).toBe('action.called');
  });

  it('have a local module as it is when the agent is made', async () => {
    const call = async (text: string) => {
      writeFileSync(join(folder, 'value.mjs'), text);
      const definition = { name: 'value', type: 'local', module: './value.mjs', function: 'default' } as never;
      const modules = new LocalModules(folder, [definition]);
      const context = { signal: new AbortController().signal, now: new Date(), variables: {} };
      return modules.call(definition, {}, context);
    };
    expect(await call('export default () => 1;')).toBe(1);
    expect(await call('export default () => 2;')).toBe(2);
    expect(await call('export default () => 1;')).toBe(1);
  });

  it('fail as a failure when a local function throws or is not there', async () => {
    expect((await talk(['use the local function']))[0]?.text).toMatch(/put you through/);
    writeFileSync(join(folder, 'broken.mjs'), 'export default () => { throw new Error("boom"); };');
    expect((await talk(['use the local function']))[0]?.text).toMatch(/put you through/);
  });
});
