import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { register } from './check.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-check-'));
  for (const name of ['agents', 'dialplans']) mkdirSync(join(folder, name));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
});

async function check(agent: string, dialplan: string): Promise<{ out: string; err: string; code: unknown }> {
  writeFileSync(join(folder, 'agents', 'desk.yaml'), agent);
  writeFileSync(join(folder, 'dialplans', 'main.yaml'), dialplan);
  const said = { out: '', err: '' };
  const capture = (to: 'out' | 'err') => (text: unknown) => {
    said[to] += String(text).replaceAll(`${folder}/`, '');
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(capture('out'));
  vi.spyOn(process.stderr, 'write').mockImplementation(capture('err'));
  const program = new Command().exitOverride();
  register(program);
  const folders = ['--agents', join(folder, 'agents'), '--dialplans', join(folder, 'dialplans')];
  await program.parseAsync(['check', ...folders], { from: 'user' });
  return { ...said, code: process.exitCode };
}

const AGENT = 'name: desk\ngreeting: Hello.\n';
const DIALPLAN = '- name: all\n  default: true\n  answer: { agent: desk }\n';

describe('parley check', () => {
  it('says that all is right, and warns of a voice that the engine has not', async () => {
    expect(await check(AGENT, DIALPLAN)).toMatchObject({
      out: '1 agent, 1 dialplan entry: all right.\n',
      err: '',
      code: 0,
    });
    const warned = await check(`${AGENT}voice: { voice: nobody }\n`, DIALPLAN);
    expect(warned.code).toBe(0);
    expect(warned.err).toMatch(/^warning: agents\/desk\.yaml: voice: flite has no voice "nobody"/);
  });

  it('tells the problems of every file, each with its mend', async () => {
    const { out, err, code } = await check(`${AGENT}greetnig: Hi\n`, '- name: all\n  answr: { agent: desk }\n');
    expect(code).toBe(1);
    expect(err).toContain('error PARLEY_ERR_CONFIG_INVALID: agents/desk.yaml:3: greetnig: is not a known key\n');
    expect(err).toContain('  Did you mean "greeting"?\n');
    expect(err).toContain('error PARLEY_ERR_CONFIG_INVALID: dialplans/main.yaml:2:');
    expect(out).toMatch(/^\d+ problems\.\n$/);
  });

  it('finds every file that the settings name and that is not there, with its key', async () => {
    vi.stubEnv('PARLEY_STORE_ENCRYPTION_KEYS_FILE', join(folder, 'keys'));
    vi.stubEnv('PARLEY_SIP_USERS', JSON.stringify([{ name: '201', passwordFile: folder }]));
    vi.stubEnv('PARLEY_SIP_ALLOWED_NETWORKS', '10.0.0.0/8');
    const { err, out, code } = await check(AGENT, DIALPLAN);
    expect(code).toBe(1);
    expect(err).toMatch(/cannot read keys \(store\.encryption\.keysFile\): ENOENT/);
    expect(err).toMatch(/\(sip\.users\[0\]\.passwordFile\): it is a folder/);
    expect(out).toBe('2 problems.\n');
    vi.stubEnv('PARLEY_SIP_ALLOWED_NETWORKS', '10.0.0.0/99');
    expect((await check(AGENT, DIALPLAN)).err).toMatch(/PARLEY_SIP_ALLOWED_NETWORKS: must be a network/);
  });

  it('finds a dialplan that names an agent that is not there', async () => {
    const { err, code } = await check(AGENT, DIALPLAN.replace('desk', 'dexk'));
    expect(code).toBe(1);
    expect(err).toContain('Did you mean "desk"?');
  });
});
