import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadAgents } from '../agent/agents.js';
import { createReasoner } from '../agent/create.js';
import { readFiles } from '../answering.js';
import { loadSettings } from '../settings.js';
import { register as test } from './test.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-guide-'));
  for (const name of ['agents', 'dialplans']) mkdirSync(join(folder, name));
  vi.stubEnv('SHOP_TOKEN', 'token');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
});

/** The files that a guide shows, in its order: a fence says its file, and `+` that it goes on with it. */
function files(guide: string): { name: string; more: boolean; text: string }[] {
  const page = readFileSync(new URL(`../../docs/guides/${guide}`, import.meta.url), 'utf8');
  return [...page.matchAll(/^```\w+ (\S+)( \+)?\n([\s\S]*?)^```$/gm)].map(([, name = '', more, text = '']) => ({
    name,
    more: more !== undefined,
    text,
  }));
}

function write({ name, more, text }: ReturnType<typeof files>[number]): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  if (more) appendFileSync(path, text);
  else writeFileSync(path, text);
}

function load() {
  const settings = loadSettings(join(folder, 'parley.yaml'), {});
  return readFiles({ ...settings, agents: join(folder, 'agents'), dialplans: join(folder, 'dialplans') }, {});
}

it('the dialplan of the guide loads, and its tests pass', async () => {
  const shown = files('dialplans.md');
  shown.forEach(write);
  expect(load().dialplan.entries).toHaveLength(11);
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const program = new Command().exitOverride();
  test(program);
  const config = join(folder, 'parley.yaml');
  await program.parseAsync(['test', join(folder, 'dialplans'), '--config', config], { from: 'user' });
  expect(out).toMatch(/8 passed, 0 failed/);
});

it('the agent of the guide is one at every step, and answers at the end', async () => {
  for (const file of files('agents.md')) {
    write(file);
    if (file.name === 'agents/shop.yaml') loadAgents(join(folder, 'agents'));
  }
  const { definitions } = load();
  const shop = definitions.get('shop');
  if (!shop) throw new Error('no agent shop');
  expect(shop.chunks.length).toBeGreaterThan(2);
  const session = createReasoner(shop).open({ call: 'c', channel: 'text', variables: {} });
  const ask = async (turn: number, text: string) => {
    let said = '';
    for await (const part of session.respond({ turn, text, from: 'text' }, new AbortController().signal)) {
      if (part.type === 'text') said += part.text;
    }
    return said;
  };
  expect(await ask(1, 'When are you open?')).toContain('nine to seven');
  expect(await ask(2, 'What does delivery cost?')).toContain('eight dollars');
  expect(await ask(3, 'Where is order 482715?')).toContain('December first');
});
