import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ConfigProblems } from '../../config/problems.js';
import { Dialplan } from '../../dialplan/dialplan.js';
import { loadAgents } from '../agents.js';
import { compileCondition } from './condition.js';
import { render } from './template.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function problemsOf(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'agents-'));
  writeFileSync(join(folder, 'a.yaml'), text);
  try {
    loadAgents(folder);
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    return error.problems.map((p) => `${p.message.replace(`${folder}/`, '')} | ${p.mend}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return [];
}

describe('agent files', () => {
  it('the examples load, and the example dialplan leads to them', () => {
    const agents = loadAgents(join(root, 'agents'));
    expect([...agents.keys()]).toEqual(['clinic', 'orders']);
    const plan = Dialplan.load(join(root, 'dialplans'));
    plan.checkAgents(new Set(agents.keys()));
    const headers = (): undefined => undefined;
    const to = (number: string, from = '200'): unknown =>
      plan.match({ to: number, from, headers, source: '127.0.0.1' })?.action;
    expect(to('8001')).toMatchObject({ type: 'answer', agent: 'orders' });
    expect(to('8002')).toMatchObject({ type: 'answer', agent: 'clinic' });
    expect(to('8009')).toMatchObject({ type: 'redirect' });
    expect(to('8955', 'anonymous')).toMatchObject({ type: 'reject', status: 433 });
    expect(to('777')).toMatchObject({ type: 'answer', agent: 'orders' });
  });

  const start = 'name: a\ngreeting: Hi.\n';
  it.each([
    [
      'name: a',
      'a.yaml:1: greeting: is missing | Add "greeting": text. Example: greeting: "Hello, this is the order desk. How can I help?"',
    ],
    [`${start}greting: x`, 'a.yaml:3: greting: is not a known key | Did you mean "greeting"?'],
    [
      `${start}voice: { speed: fast }`,
      'a.yaml:3: voice.speed: expected a number, found "fast" | Write a number without quotes or unit. Example: speed: 1.1',
    ],
    [`${start}topics:\n  - name: t\n    sey: x`, 'a.yaml:5: topics[0].sey: is not a known key | Did you mean "say"?'],
    [
      `${start}topics:\n  - name: t`,
      'a.yaml:4: topics[0].name: topic "t" does nothing | Add one of say, knowledge, action, responses, escalate, end.',
    ],
    [
      `${start}topics:\n  - name: t\n    action: find`,
      'a.yaml:5: topics[0].action: there is no action "find" | Known: none.',
    ],
    [
      `${start}topics:\n  - name: t\n    say: "It is {{ordr.status}}."\nvariables:\n  order: {}`,
      'a.yaml:5: topics[0].say[0]: nothing sets "ordr" | Did you mean "order"? What an IVR hands over is declared in "variables".',
    ],
    [
      `${start}topics:\n  - name: t\n    say: "It is {{order | upper}}."`,
      'a.yaml:5: topics[0].say: "upper" is not a filter: use one of date, digits, spelled, email, money, default | Placeholders look like {{order.status}} or {{orderNumber | digits}}.',
    ],
    [
      `${start}topics:\n  - name: t\n    responses:\n      - { when: "x = 1", say: y }`,
      'a.yaml:6: topics[0].responses[0].when: "x = 1": cannot read "= 1" | Write for example: when: "order.status == \'shipped\' and not order.late"',
    ],
    [
      `${start}variables: { x: {} }\ntopics:\n  - name: t\n    responses:\n      - { when: x, say: y }`,
      'a.yaml:7: topics[0].responses[0].when: no response is left when this is false | Add a last response without "when", for every other outcome.',
    ],
    [
      `${start}topics:\n  - name: t\n    say: x\n    offer: { ask: "More?", topic: u }`,
      'a.yaml:6: topics[0].offer.topic: there is no topic "u" | Did you mean "t"?',
    ],
    [
      `${start}topics:\n  - name: t\n    slots:\n      - { name: s, kind: name, length: 3, ask: x }\n    say: x`,
      'a.yaml:6: topics[0].slots[0].length: means nothing for kind name | Remove it, or write "kind: digits".',
    ],
    [
      `${start}topics:\n  - { name: t, say: x, examples: [hello you] }\n  - { name: u, say: x, examples: [Hello you] }`,
      'a.yaml:5: topics[1].examples[0]: "Hello you" is also an example of t | Keep it in the topic that should answer it.',
    ],
    [
      `${start}topics:\n  - { name: t, action: pay }\nactions:\n  - { name: pay, type: local, module: ./p.mjs, sideEffects: true }`,
      'a.yaml:4: topics[0].action: pay changes something, and nothing asks the caller first | Add "confirm:" with a question that says what will be done.',
    ],
    [
      `${start}topics:\n  - { name: t, action: find }\nactions:\n  - { name: find, type: local, module: ./p.mjs, parameters: { id: {} } }`,
      'a.yaml:4: topics[0].action: its parameter "id" is filled by nothing | Add a slot or a variable "id", or write "from:" at the action\'s parameter.',
    ],
    [
      `${start}actions:\n  - { name: find, type: local, module: ./p.mjs }`,
      'a.yaml:4: actions[0].module: there is no file "./p.mjs" | Paths are relative to the agent file.',
    ],
    [
      `${start}actions:\n  - { name: find, type: htp, url: x }`,
      'a.yaml:4: actions[0].type: "htp" is not allowed | Did you mean "http"? Allowed: http, local, function.',
    ],
    [
      `${start}actions:\n  - { name: find, type: http, url: "{{host}}/x" }`,
      'a.yaml:4: actions[0].url: "{{host}}/x": must start with http:// or https:// and a fixed host | Example: url: "https://shop.example.com/api/orders/{{orderNumber}}"',
    ],
    [
      `${start}knowledge: [x/*.md]`,
      'a.yaml:3: knowledge[0]: no file matches "x/*.md" | Paths are relative to the agent file; "*" stands for any part of a file name.',
    ],
  ])('%j', (text, expected) => {
    expect(problemsOf(text)).toContain(expected);
  });
});

describe('conditions', () => {
  const order = { found: true, status: 'late', count: 3, items: [], note: '' };
  it.each([
    ['order.found', true],
    ['not order.found', false],
    ['order.missing', false],
    ['order.items', false],
    ['order.note', false],
    ["order.status == 'late' and order.count >= 3", true],
    ["order.status == 'sent' or order.count < 3", false],
    ["not (order.status == 'sent' or order.count < 3)", true],
    ['order.missing == null', true],
    ['order.found != true', false],
    ["order.status > 'a'", true],
    ["order.count > 'a'", false],
    ['order.constructor', false],
  ])('%s is %s', (source, holds) => {
    expect(compileCondition(source).test({ order })).toBe(holds);
  });

  it.each(['', 'a ==', 'a b', '(a', 'a == b c', 'and', 'a = b', 'f(x)'])('rejects %j', (source) => {
    expect(() => compileCondition(source)).toThrow();
  });
});

describe('templates', () => {
  it.each([
    ['Hello {{name}}, welcome.', 'Hello Anna, welcome.'],
    ['Hello {{nobody}}, welcome.', 'Hello, welcome.'],
    ['{{nobody | default "You"}} there', 'You there'],
    ['{{number | digits}}', '4 8 2, 7 1 5'],
    ['{{phone | digits}}', '5 5 5, 1 2 3 4'],
    ['{{day | date}}', 'Thursday, May fifteenth'],
    ['{{price | money}}', '24 dollars and 50 cents'],
    ['{{name | spelled}}', 'A, N, N, A'],
    ['{{mail | email}}', 'a dot b at mail dot com'],
    ['{{list.0.x}}', 'y'],
  ])('%s', (source, expected) => {
    const list = [{ x: 'y' }];
    const variables = {
      name: 'Anna',
      number: '482715',
      phone: '5551234',
      day: '2025-05-15',
      price: 24.5,
      mail: 'a.b@mail.com',
      list,
    };
    expect(render(source, variables)).toBe(expected);
  });
});
