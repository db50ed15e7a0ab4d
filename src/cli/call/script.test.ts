import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigProblems } from '../../config/problems.js';
import { type CallScript, heardPattern, loadScript } from './script.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-script-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function load(text: string): CallScript {
  const file = join(folder, 'call.yaml');
  writeFileSync(file, text);
  return loadScript(file);
}

function problemsOf(text: string): string[] {
  try {
    load(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    return error.problems.map((p) => `${p.message.slice(p.message.indexOf('call.yaml'))} | ${p.mend}`);
  }
}

describe('call scripts', () => {
  it('hold lines with pauses and recordings, interruptions, silences and expectations', () => {
    const script = load(`
call: sip:8002@127.0.0.1:5060
headers: { X-Customer: "1007" }
quiet: 1s
steps:
  - expect: { heard: thanks for calling, within: 300ms }
  - say: ["I'd like to", { pause: 0.6 }, "check my order", { wav: tail.wav }]
    expect: { heard: [/order (number|id)/i, please], cutOff: false }
  - say: wait, stop
    after: 1.5s of agent speech
    expect: { stops: 500ms }
  - press: "48,21#"
  - wait: 8s
    after: 0
  - say: bye
    hangUp: reply
expectEnd: caller
`);
    expect(script).toMatchObject({
      call: 'sip:8002@127.0.0.1:5060',
      quietMs: 1000,
      timeoutMs: 15_000,
      expectEnd: 'caller',
    });
    expect(script.steps.map(({ action, after, hangUp }) => ({ action, after, hangUp }))).toEqual([
      { action: { kind: 'listen' }, after: { kind: 'agent' } },
      {
        action: {
          kind: 'say',
          pieces: [
            { kind: 'text', text: "I'd like to" },
            { kind: 'pause', ms: 600 },
            { kind: 'text', text: 'check my order' },
            { kind: 'wav', file: join(folder, 'tail.wav') },
          ],
        },
        after: { kind: 'agent' },
      },
      {
        action: { kind: 'say', pieces: [{ kind: 'text', text: 'wait, stop' }] },
        after: { kind: 'agent-speech', ms: 1500 },
      },
      { action: { kind: 'press', keys: '48,21#' }, after: { kind: 'agent' } },
      { action: { kind: 'wait', ms: 8000 }, after: { kind: 'time', ms: 0 } },
      { action: { kind: 'say', pieces: [{ kind: 'text', text: 'bye' }] }, after: { kind: 'agent' }, hangUp: 'reply' },
    ]);
    expect(script.steps[1]?.expect?.heard.map((pattern) => pattern.source)).toEqual(['/order (number|id)/i', 'please']);
  });

  it.each([
    [
      'steps:\n  - say: hello\n    aftre: 1s',
      'call.yaml:3: steps[0].aftre: is not a known key | Did you mean "after"?',
    ],
    [
      'steps:\n  - say: hello\n    after: a while',
      /^call\.yaml:3: steps\[0\]\.after: "a while" is no moment \| Write agent/,
    ],
    ['quiet: long', /^call\.yaml:1: quiet: "long" is not a duration \| Write a duration such as 700ms/],
    ['steps:\n  - say: a\n  - {}', /^call\.yaml:3: steps\[1\]: does nothing \| Write one of say/],
    ['steps:\n  - hangUp: reply', /steps\[0\]: hangUp: reply needs a line \| Write it into a step with say/],
    ['steps:\n  - hangUp: now\n  - say: more', /^call\.yaml:3: steps\[1\]: the step before hangs up/],
    ['steps:\n  - expect: { heard: "/(/" }', /^call\.yaml:2: steps\[0\]\.expect\.heard: Invalid regular expression/],
    ['call: 8001', /^call\.yaml:1: call: expected text, found 8001/],
    ['expectEnd: nobody', /^call\.yaml:1: expectEnd: "nobody" is not allowed \| Allowed: agent/],
  ])('%j is told with its line and its mend', (text, problem) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    if (typeof problem === 'string') expect(problems[0]).toBe(problem);
    else expect(problems[0]).toMatch(problem);
  });

  it('in the examples are all valid', () => {
    const examples = fileURLToPath(new URL('../../../examples/calls/', import.meta.url));
    const files = readdirSync(examples).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) expect(loadScript(join(examples, name)).steps.length).toBeGreaterThan(0);
  });
});

describe('heardPattern', () => {
  it('finds words whatever their case and punctuation, but no parts of words', () => {
    const pattern = heardPattern("it's on its way");
    expect(pattern.matches("Good news: It's on its way!")).toBe(true);
    expect(pattern.matches('It is on its way.')).toBe(false);
    expect(heardPattern('way').matches('Always.')).toBe(false);
  });

  it('takes a regular expression between slashes', () => {
    expect(heardPattern('/order\\s+4\\d+/i').matches('ORDER 4512')).toBe(true);
  });
});
