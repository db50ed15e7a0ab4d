import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigProblems } from '../config/problems.js';
import { type CallFacts, Dialplan } from './dialplan.js';
import { compileNumber, compileWildcard } from './pattern.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function load(files: Record<string, string>): Dialplan {
  const folder = mkdtempSync(join(tmpdir(), 'dialplan-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return Dialplan.load(folder);
}

function problemsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigProblems) return error.problems.map((p) => p.message.replace(/^\S*\//, ''));
    throw error;
  }
  return [];
}

function call(to: string, more: Partial<CallFacts> & { header?: Record<string, string> } = {}): CallFacts {
  const header = more.header ?? {};
  return { to, from: '+4930123', source: '127.0.0.1', headers: (name) => header[name], ...more };
}

describe('number patterns', () => {
  it.each([
    ['8001', '8001', true],
    ['8001', '80011', false],
    ['80XX', '8042', true],
    ['80XX', '80a2', false],
    ['ZX', '05', false],
    ['NX', '15', false],
    ['NX', '25', true],
    ['[2-49]1', '31', true],
    ['[2-49]1', '91', true],
    ['[2-49]1', '51', false],
    ['+49.', '+4930', true],
    ['+49.', '+49', false],
    ['+49!', '+49', true],
    ['*98', '*98', true],
    ['Anonymous', 'anonymous', true],
    ['sales', 'sale', false],
  ])('%s against %s: %s', (pattern, number, fits) => {
    expect(compileNumber(pattern)(number)).toBe(fits);
  });

  it('matches header wildcards without exponential search', () => {
    expect(compileWildcard('*gold*')('Tier=GOLD;x')).toBe(true);
    expect(compileWildcard('a?c')('abc')).toBe(true);
    expect(compileWildcard('')('x')).toBe(false);
    expect(compileWildcard(`${'*a'.repeat(30)}*b`)('a'.repeat(5000))).toBe(false);
  });
});

describe('dialplan', () => {
  const files = {
    'a.yaml': `
- name: fallback
  default: true
  answer: { agent: orders }
- name: shop
  match: { to: ["8001", "8003"] }
  answer: { agent: orders, notice: This call may be recorded., earlyMedia: true, variables: { tier: basic } }
- name: vip
  priority: 10
  match: { to: "8001", headers: { X-Tier: "gold*" } }
  answer: { agent: clinic }
`,
    'b.yaml': `
- name: late
  match: { to: "80XX" }
  redirect: { to: "sip:8001@pbx.example.com" }
- name: inside
  priority: 5
  match: { to: "8009", networks: [10.0.0.0/8, "2001:db8::/32"] }
  reject: { status: 486, reason: Busy }
- name: hidden
  priority: 20
  match: { from: anonymous }
  reject: { status: 433 }
`,
  };

  it.each<[string, CallFacts, string]>([
    ['by number', call('8001'), 'a.yaml#shop'],
    ['by list', call('8003'), 'a.yaml#shop'],
    ['by header, priority first', call('8001', { header: { 'X-Tier': 'Gold-2' } }), 'a.yaml#vip'],
    ['by pattern in a later file', call('8044'), 'b.yaml#late'],
    ['by network', call('8009', { source: '10.1.2.3' }), 'b.yaml#inside'],
    ['by mapped network', call('8009', { source: '::ffff:10.1.2.3' }), 'b.yaml#inside'],
    ['by IPv6 network', call('8009', { source: '2001:db8::7' }), 'b.yaml#inside'],
    ['not by another network', call('8009'), 'b.yaml#late'],
    ['by caller', call('8001', { from: 'Anonymous' }), 'b.yaml#hidden'],
    ['by default, although it stands first', call('1234'), 'a.yaml#fallback'],
  ])('%s', (_, facts, entry) => {
    expect(load(files).match(facts)?.entry).toBe(entry);
  });

  it('gives the action whole', () => {
    const plan = load(files);
    expect(plan.match(call('8001'))?.action).toEqual({
      type: 'answer',
      agent: 'orders',
      notice: { say: 'This call may be recorded.', interruptible: false },
      requireStore: false,
      earlyMedia: true,
      record: false,
      variables: { tier: 'basic' },
      context: { variables: {}, sensitive: [], trust: false, byNumber: true },
    });
    expect(plan.match(call('8044'))?.action).toEqual({ type: 'redirect', to: { uri: 'sip:8001@pbx.example.com' } });
    expect(plan.entries.map((entry) => entry.id)).toEqual([
      'b.yaml#hidden',
      'a.yaml#vip',
      'b.yaml#inside',
      'a.yaml#shop',
      'b.yaml#late',
      'a.yaml#fallback',
    ]);
  });

  it('knows hours, trunks, shares of the calls and how many there are, and says what stands against an entry', () => {
    const plan = load({
      'a.yaml': `
- name: night
  match: { to: "1", closed: { timeZone: Europe/Berlin, open: [{ days: mon-fri, from: "08:00", to: "18:00" }] } }
  reject: { status: 480 }
- name: carrier
  match: { to: "1", trunk: [east, west] }
  redirect: { to: "sip:1@east.example" }
- name: trial
  match: { to: "1", share: 25 }
  answer: { agent: clinic }
- name: rest
  calls: 2
  match: { to: "1" }
  answer: { agent: orders }
`,
    });
    const day = Date.parse('2026-11-27T12:00:00Z');
    const at = (more: Partial<CallFacts>) => plan.match(call('1', { at: day, ...more }));
    expect(at({ at: Date.parse('2026-11-27T20:00:00Z') })?.entry).toBe('a.yaml#night');
    expect(at({ trunk: 'west' })?.entry).toBe('a.yaml#carrier');
    const entries = Array.from({ length: 2000 }, (_, n) => at({ id: `call-${n}` })?.entry);
    expect(entries.filter((entry) => entry === 'a.yaml#trial').length / 2000).toBeCloseTo(0.25, 1);
    expect(at({ id: 'call-7' })).toEqual(at({ id: 'call-7' }));
    const rest = Array.from({ length: 99 }, (_, n) => `call-${n}`).find((id) => at({ id })?.entry === 'a.yaml#rest');
    expect(at({ id: rest, running: () => 1 })?.entry).toBe('a.yaml#rest');
    expect(at({ id: rest, running: () => 2 })?.action).toMatchObject({ type: 'reject', status: 503 });
    const why = plan.explain(call('1', { at: day, id: rest }));
    expect(why.map(({ entry, against }) => [entry.id, against.map(({ key }) => key)])).toEqual([
      ['a.yaml#night', ['closed']],
      ['a.yaml#carrier', ['trunk']],
      ['a.yaml#trial', ['share']],
      ['a.yaml#rest', []],
    ]);
    expect(why[0]?.against[0]?.found).toContain('13:00');
  });

  it('fills values for the agent from the call, and checks who is to take calls', () => {
    const plan = load({
      'a.yaml': `
- name: a
  default: true
  answer:
    agent: x
    variables: { who: "{{ from }} by {{trunk}}", tier: "{{header.X-Tier}}", none: "{{header.X-None}}", count: 2 }
    consent: { ask: "May we?", refused: { transfer: people } }
  fallback: { target: desk }
`,
    });
    const header = { 'X-Tier': `gold\r\nVia: evil ${'x'.repeat(300)}` };
    const action = plan.match(call('1', { trunk: 'west', header }))?.action;
    const variables = action?.type === 'answer' ? action.variables : {};
    expect(variables).toMatchObject({ who: '+4930123 by west', none: '', count: 2 });
    expect(variables.tier).toMatch(/^gold Via: evil x{241}$/);
    expect(problemsOf(() => plan.checkTargets(new Set(['desk'])))).toEqual([
      'a.yaml:7: [0].answer.consent.refused.transfer: there is no target "people"',
    ]);
    const trunks = load({ 'a.yaml': '- { name: a, match: { trunk: [west, esat] }, reject: { status: 404 } }' });
    expect(problemsOf(() => trunks.checkTrunks(new Set(['west', 'east'])))).toEqual([
      'a.yaml:1: [0].match.trunk: there is no trunk "esat"',
    ]);
    expect(problemsOf(() => plan.checkTargets(new Set(['people'])))).toEqual([
      'a.yaml:8: [0].fallback.target: there is no target "desk"',
    ]);
  });

  it('matches nothing when nothing fits', () => {
    expect(
      load({ 'a.yaml': '- { name: a, match: { to: "1" }, reject: { status: 404 } }' }).match(call('2')),
    ).toBeUndefined();
  });

  it.each([
    ['- name: a\n  answer: { agent: x }', 'a.yaml:1: [0].name: has no match'],
    ['- name: a\n  default: true', 'a.yaml:1: [0].name: has no action'],
    [
      '- name: a\n  default: true\n  answer: { agent: x, language: de-DE }',
      'a.yaml:3: [0].answer.language: "de-DE": is no language that Parley speaks: recognition and voice are English',
    ],
    [
      '- name: a\n  default: true\n  answer: { agent: x, variables: { a: "{{form}}" } }',
      'a.yaml:3: [0].answer.variables.a: {{form}} is nothing that a call has',
    ],
    [
      '- name: a\n  default: true\n  answer: { agent: x, consent: { ask: "May we?", key: "2" } }',
      'a.yaml:3: [0].answer.consent.refuseKey: is the key that says yes',
    ],
    [
      '- name: a\n  default: true\n  answer: { agent: x, notice: { say: "Hi.", interruptible: true }, earlyMedia: true }',
      'a.yaml:3: [0].answer.earlyMedia: can not be talked over',
    ],
    [
      '- name: a\n  default: true\n  fallback: { say: "Hi." }\n  reject: { status: 404 }',
      'a.yaml:3: [0].fallback: has nothing to stand in for',
    ],
    ['- name: a\n  default: true\n  fallback: {}\n  answer: { agent: x }', 'a.yaml:3: [0].fallback: says nothing'],
    [
      '- name: a\n  default: true\n  answer: { agent: x, earlyMedia: true }',
      'a.yaml:3: [0].answer.earlyMedia: has nothing to play',
    ],
    [
      '- name: a\n  match: { to: "8.1" }\n  reject: { status: 404 }',
      'a.yaml:2: [0].match.to: "." may stand only at the end',
    ],
    [
      '- name: a\n  match:\n    networks: [10.0.0.0/40]\n  reject: { status: 404 }',
      'a.yaml:3: [0].match.networks: "10.0.0.0/40" is not a network',
    ],
    ['- name: a\n  match: {}\n  reject: { status: 404 }', 'a.yaml:2: [0].match: names no condition'],
    ['- name: a\n  default: true\n  reject: { status: 200 }', 'a.yaml:3: [0].reject.status: must be at least 400'],
    ['- name: a\n  default: true\n  redirect: { to: 8001 }', 'a.yaml:3: [0].redirect.to: expected text, found 8001'],
    ['- name: a\n  default: true\n  anser: { agent: x }', 'a.yaml:3: [0].anser: is not a known key'],
    [
      '- { name: a, default: true, reject: { status: 404 } }\n- { name: a, match: { to: "1" }, reject: { status: 404 } }',
      'a.yaml:2: [1].name: "a" is already used above',
    ],
    [
      '- { name: a, default: true, reject: { status: 404 } }\n- { name: b, default: true, reject: { status: 404 } }',
      'a.yaml:2: [1].default: a.yaml#a is already the default',
    ],
  ])('%j', (text, expected) => {
    expect(problemsOf(() => load({ 'a.yaml': text }))).toContain(expected);
  });

  it('redirects to targets, and names those that do not exist', () => {
    const plan = load({ 'a.yaml': '- name: a\n  default: true\n  redirect: { target: desk }\n' });
    expect(plan.match(call('1'))?.action).toEqual({ type: 'redirect', to: { target: 'desk' } });
    plan.checkTargets(new Set(['desk']));
    expect(problemsOf(() => plan.checkTargets(new Set()))).toEqual([
      'a.yaml:3: [0].redirect.target: there is no target "desk"',
    ]);
  });

  it('names agents that do not exist', () => {
    const plan = load(files);
    plan.checkAgents(new Set(['orders', 'clinic']));
    expect(problemsOf(() => plan.checkAgents(new Set(['orders', 'clinics'])))).toEqual([
      'a.yaml:11: [2].answer.agent: there is no agent "clinic"',
    ]);
  });
});
