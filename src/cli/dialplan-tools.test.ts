import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { register as explain } from './explain.js';
import { register as test } from './test.js';

const DIALPLAN = `
- name: desk
  match: { to: "8001", headers: { X-Tier: "gold*" } }
  answer: { agent: orders, variables: { tier: 1 } }
- name: moved
  match: { to: "8009" }
  redirect: { target: desk }
- name: rest
  default: true
  reject: { status: 404 }
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-dialplan-'));
  mkdirSync(join(folder, 'tests'));
  writeFileSync(join(folder, 'main.yaml'), DIALPLAN);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
});

async function run(register: (program: Command) => void, ...words: string[]): Promise<{ out: string; code: unknown }> {
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const program = new Command().exitOverride();
  register(program);
  await program.parseAsync(words, { from: 'user' });
  return { out, code: process.exitCode };
}

describe('parley explain', () => {
  it('shows the entries that were tried, what stood against them, and what becomes of the call', async () => {
    const taken = await run(explain, 'explain', '--dialplans', folder, '--to', '8001', '--header', 'x-tier: Gold 2');
    expect(taken).toEqual({
      out: 'yes  main.yaml#desk\nThe call is answered by agent orders.\n  variables: {"tier":1}\n',
      code: 0,
    });
    const moved = await run(explain, 'explain', '--dialplans', folder, '--to', '8009');
    expect(moved.out).toMatch(/redirected to desk\.\n$/);
    const { out } = await run(explain, 'explain', '--dialplans', folder, '--to', '8002');
    expect(out).toBe(
      'no   main.yaml#desk  to: wants 8001, is 8002; headers.X-Tier: wants gold*, is no such header\n' +
        'no   main.yaml#moved  to: wants 8009, is 8002\n' +
        'yes  main.yaml#rest (default)\nThe call is rejected with 404.\n',
    );
  });

  it('shows what holds for an answered call, in words and for programs', async () => {
    writeFileSync(
      join(folder, 'main.yaml'),
      `
- name: desk
  match: { to: "1" }
  calls: 2
  answer:
    agent: orders
    language: en-GB
    notice: { say: Hello., interruptible: true }
    consent: { ask: May we?, refused: { transfer: desk } }
    record: { beep: true }
    requireStore: true
    variables: { from: "{{from}}", tier: "{{header.X-Tier}}" }
  fallback: { say: One moment., target: desk }
`,
    );
    const words = ['explain', '--dialplans', folder, '--to', '1', '--from', '030', '--header', 'X-Tier: gold'];
    expect((await run(explain, ...words)).out).toBe(`yes  main.yaml#desk
The call is answered by agent orders.
  language: en-GB
  notice: "Hello.", may be talked over
  consent: "May we?" (yes: 1, no: 2; asked 3 times, 6000 ms each); without a yes: to target desk
  recording: from a yes on, with a beep
  variables: {"from":"030","tier":"gold"}
  store: no call without it
  fallback: "One moment.", then target desk
  calls: at most 2 at once; more go on to the next entry that fits
`);
    const { out, code } = await run(explain, ...words, '--running', 'main.yaml#desk=2', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      call: { to: '1', from: '030' },
      tried: [{ entry: 'main.yaml#desk', fits: false, calls: 2, against: [{ key: 'calls', found: '2 running' }] }],
      entry: 'main.yaml#desk',
      action: { type: 'reject', status: 503 },
    });
  });

  it.each([
    [['--at', 'tomorrow'], '--at'],
    [['--running', 'desk'], '--running'],
    [['--header', 'nonsense'], '--header'],
  ])('refuses %j', async (words, message) => {
    await expect(run(explain, 'explain', '--dialplans', folder, '--to', '1', ...words)).rejects.toThrow(message);
  });
});

describe('parley test', () => {
  it('passes what is as expected, and says what is not', async () => {
    const tests = `
- { name: right, call: { to: "8001", headers: { X-Tier: gold } }, expect: { entry: desk, variables: { tier: 1 } } }
- { name: wrong, call: { to: "8001" }, expect: { agent: orders } }
`;
    writeFileSync(join(folder, 'tests', 'a.yaml'), tests);
    const { out, code } = await run(test, 'test', folder);
    expect(code).toBe(1);
    expect(out).toContain('ok      a.yaml: right\n');
    expect(out).toContain(
      'failed  a.yaml: wrong\n        agent: expected orders, found none\n        main.yaml#rest: rejected with 404',
    );
    expect(out).toContain('1 passed, 1 failed\n');
  });

  it('refuses a test that expects nothing, and a folder without tests', async () => {
    await expect(run(test, 'test', folder)).rejects.toThrow('there are no tests');
    writeFileSync(join(folder, 'tests', 'a.yaml'), '- { name: a, call: { to: "1" }, expect: {} }');
    await expect(run(test, 'test', folder)).rejects.toThrow('expects nothing');
  });
});
