import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { loadAgents } from '../agent/agents.js';
import { Dialplan } from '../dialplan/dialplan.js';
import { loadSettings, settingsSchema } from '../settings.js';
import { register } from './init.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-init-'));
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

async function init(): Promise<void> {
  const program = new Command().exitOverride();
  register(program);
  await program.parseAsync(['init', folder], { from: 'user' });
}

it('writes a beginning that loads, whose comments are the defaults, and overwrites nothing', async () => {
  await init();
  const file = join(folder, 'parley.yaml');
  expect(loadSettings(file, {})).toEqual({ ...loadSettings(undefined, {}), file });
  const plan = Dialplan.load(join(folder, 'dialplans'));
  plan.checkAgents(new Set(loadAgents(join(folder, 'agents')).keys()));

  const uncommented = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !/^# +#|^# Parley works/.test(line))
    .map((line) => line.replace(/^# /, ''))
    .filter((line) => !/^ *\w+:$/.test(line) || !line.includes('tls'));
  const values: unknown = parse(uncommented.join('\n'));
  expect(values).toMatchObject({
    sip: { host: '127.0.0.1', port: 5060 },
    rtp: { ptime: 20 },
    store: { kind: 'files' },
  });
  expect(settingsSchema.parse({})).toMatchObject({ sip: { port: 5060 } });

  writeFileSync(file, 'sip: { port: 5070 }\n');
  await expect(init()).rejects.toThrow('is there already');
  expect(readFileSync(file, 'utf8')).toBe('sip: { port: 5070 }\n');
});
