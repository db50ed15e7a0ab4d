import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadAgents } from '../agents.js';
import { createReasoner } from '../create.js';
import type { ReasonerSession, ReplyPart } from '../reasoner.js';

const AGENT = `
name: desk
greeting: Hello.
topics:
  - name: look
    description: Looks something up
    examples: [look up my order, where is my order, find my order]
    action: look-up
    responses: [{ say: 'Found it.' }]
  - name: ring
    description: Rings the bell
    examples: [ring the bell, ring it, let the bell ring]
    action: ring
    responses: [{ say: 'It rings.' }]
actions:
  - { name: look-up, type: local, module: ./actions.mjs, function: lookUp, readOnly: true }
  - { name: ring, type: local, module: ./actions.mjs, function: ring }
`;
const MODULE = `
export const lookUp = () => { globalThis.speculated.push('look-up'); return {}; };
export const ring = () => { globalThis.speculated.push('ring'); return {}; };
`;

let folder: string;
let session: ReasonerSession;
const done: string[] = [];

beforeEach(() => {
  done.length = 0;
  vi.stubGlobal('speculated', done);
  folder = mkdtempSync(join(tmpdir(), 'parley-'));
  writeFileSync(join(folder, 'desk.yaml'), AGENT);
  writeFileSync(join(folder, 'actions.mjs'), MODULE);
  const agent = loadAgents(folder).get('desk');
  if (!agent) throw new Error('no agent');
  session = createReasoner(agent).open({ call: 'test', channel: 'voice', variables: {} });
  session.greeting();
});

afterEach(() => {
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true });
});

/** A turn that is asked about before it is certain. */
function ask(text: string, turn = 1) {
  const abort = new AbortController();
  let confirm = () => {};
  const certain = new Promise<void>((resolve, reject) => {
    confirm = resolve;
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason));
  });
  certain.catch(() => undefined);
  const parts: ReplyPart[] = [];
  const over = (async () => {
    for await (const part of session.respond({ turn, text, from: 'speech' }, abort.signal, certain)) parts.push(part);
  })();
  const said = () => parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return { abort, confirm, over, said };
}

describe('a turn that is not certain yet', () => {
  it('runs read-only actions at once, and all others when it is certain', async () => {
    const looking = ask('where is my order');
    await looking.over;
    expect(done).toEqual(['look-up']);
    expect(looking.said()).toContain('Found it.');
    looking.confirm();

    const ringing = ask('ring the bell', 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(done).toEqual(['look-up']);
    ringing.confirm();
    await ringing.over;
    expect(done).toEqual(['look-up', 'ring']);
    expect(ringing.said()).toContain('It rings.');
  });

  it('leaves nothing behind when it is given up', async () => {
    const ringing = ask('ring the bell');
    await new Promise((resolve) => setTimeout(resolve, 20));
    ringing.abort.abort();
    await ringing.over;
    expect(done).toEqual([]);
    const repeat = ask('what did you say', 2);
    await repeat.over;
    expect(repeat.said()).toContain('Hello.');
  });
});
