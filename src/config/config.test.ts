import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { overlayEnvironment } from './env.js';
import { ConfigProblems } from './problems.js';
import { loadYaml, parseYaml } from './yaml.js';

const schema = z.strictObject({
  sip: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: z.number().int().min(0).max(65535).default(5060).meta({ example: '5060' }),
      transports: z.array(z.enum(['udp', 'tcp'])).default(['udp', 'tcp']),
      drainMs: z.number().default(1000),
      secure: z.boolean().default(false),
    })
    .prefault({}),
  store: z
    .union([z.strictObject({ redis: z.string() }), z.strictObject({ files: z.string() })])
    .default({ files: './data' }),
  trunks: z.record(z.string(), z.strictObject({ address: z.string() })).default({}),
  name: z.string().min(1),
  webhooks: z.array(z.strictObject({ url: z.string().regex(/^https:/), secret: z.string().min(16) })).default([]),
});

function problemsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigProblems) return error.problems.map((p) => `${p.code} ${p.message} | ${p.mend}`);
    throw error;
  }
  return [];
}

describe('configuration files', () => {
  it.each([
    ['name: a\nsip:\n  prot: 1', 'f.yaml:3: sip.prot: is not a known key | Did you mean "port"?'],
    ['name: a\nzebra: 1', 'f.yaml:2: zebra: is not a known key | Known here: sip, store, trunks, name, webhooks.'],
    ['sip: {}', 'f.yaml:1: name: is missing | Add "name": text.'],
    ['name: 12', 'f.yaml:1: name: expected text, found 12 | Put it in quotes: "12".'],
    ['name: ""', 'f.yaml:1: name: must not be empty | Write name accordingly.'],
    [
      'name: a\nsip:\n  port: "many"',
      'f.yaml:3: sip.port: expected a number, found "many" | Write a number without quotes or unit. Example: port: 5060',
    ],
    ['name: a\nsip:\n  port: 70000', 'f.yaml:3: sip.port: must be at most 65535 | Example: port: 5060'],
    [
      'name: a\nsip:\n  secure: yes',
      'f.yaml:3: sip.secure: expected true or false, found "yes" | Write true or false.',
    ],
    [
      'name: a\nsip:\n  transports: udp',
      'f.yaml:3: sip.transports: expected a list, found "udp" | Write a list: start each item with "- ".',
    ],
    [
      'name: a\nsip:\n  transports:\n    - udp\n    - tpc',
      'f.yaml:5: sip.transports[1]: "tpc" is not allowed | Did you mean "tcp"? Allowed: udp, tcp.',
    ],
    ['name: a\nstore:\n  rediss: x', 'f.yaml:3: store.rediss: is not a known key | Did you mean "redis"?'],
    [
      'name: a\ntrunks:\n  main:\n    adress: x',
      'f.yaml:4: trunks.main.adress: is not a known key | Did you mean "address"?',
    ],
    [
      'name: a\nname: b',
      'f.yaml:2: column 1: this key is already written above | Keep one of the two, or join what they hold.',
    ],
    ['name: a\nport 5060', 'f.yaml:2: column 1: a key without ":" | Write "key: value", with a space.'],
    [
      'name: a\nsip:\n\tport: 1',
      'f.yaml:3: column 1: a tab is used for indentation | Indent with spaces: YAML allows no tabs there.',
    ],
  ])('%j', (text, expected) => {
    expect(problemsOf(() => parseYaml(text, 'f.yaml', schema))).toContain(`PARLEY_ERR_CONFIG_INVALID ${expected}`);
  });

  it('shows no secret, and no credentials of a URL', () => {
    const told = problemsOf(() =>
      parseYaml('name: a\nwebhooks:\n  - { url: "http://me:hunter2@x", secret: 12345 }', 'f.yaml', schema),
    );
    expect(told).toEqual([
      expect.stringContaining('f.yaml:3: webhooks[0].url: "http://***@x": '),
      expect.stringContaining('f.yaml:3: webhooks[0].secret: expected text, found (not shown) | Put it in quotes.'),
    ]);
    for (const PARLEY_WEBHOOKS of ['[{"secret":"hunter2"', 'secret: hunter2']) {
      const env = problemsOf(() => overlayEnvironment(schema.parse({ name: 'a' }), schema, { PARLEY_WEBHOOKS }));
      expect(env.join()).toMatch(/PARLEY_WEBHOOKS: (is no valid JSON|expected a block of keys, found text)/);
      expect(env.join()).not.toContain('hunter2');
    }
  });

  it('tells all problems of a file at once', () => {
    expect(problemsOf(() => parseYaml('sip:\n  prot: 1\n  host: 5', 'f.yaml', schema))).toHaveLength(3);
  });

  it('names a file that cannot be read', () => {
    expect(problemsOf(() => loadYaml('/nowhere/parley.yaml', schema))[0]).toMatch(
      /^PARLEY_ERR_CONFIG_FILE cannot read \/nowhere/,
    );
  });

  it('takes an empty file as no settings', () => {
    expect(parseYaml('', 'f.yaml', z.strictObject({ a: z.number().default(1) }))).toEqual({ a: 1 });
  });
});

describe('environment variables', () => {
  const config = schema.parse({ name: 'a' });

  it('overlay numbers, lists, booleans, text and blocks', () => {
    const env = {
      PARLEY_SIP_PORT: '0',
      PARLEY_SIP_TRANSPORTS: 'tcp',
      PARLEY_SIP_SECURE: 'true',
      PARLEY_SIP_DRAIN_MS: '250',
      PARLEY_STORE: '{"redis":"r"}',
      PARLEY_TRUNKS: '{"main":{"address":"x"}}',
      PARLEY_NAME: '12',
      PARLEY_TEST_DATA: 'elsewhere',
      HOME: '/',
    };
    expect(overlayEnvironment(config, schema, { ...env, PARLEY_STORE: undefined })).toMatchObject({
      sip: { port: 0, transports: ['tcp'], secure: true, drainMs: 250, host: '127.0.0.1' },
      trunks: { main: { address: 'x' } },
      name: '12',
    });
    expect(config.sip.port).toBe(5060);
  });

  it('take a value from the file that ..._FILE names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    writeFileSync(join(folder, 'name'), 'secret\n');
    expect(overlayEnvironment(config, schema, { PARLEY_NAME_FILE: join(folder, 'name') })).toMatchObject({
      name: 'secret',
    });
    const both = { PARLEY_NAME_FILE: join(folder, 'name'), PARLEY_NAME: 'b' };
    expect(problemsOf(() => overlayEnvironment(config, schema, both))[0]).toMatch(
      /PARLEY_NAME_FILE: PARLEY_NAME is set, too/,
    );
    const missing = { PARLEY_NAME_FILE: join(folder, 'nothing') };
    expect(problemsOf(() => overlayEnvironment(config, schema, missing))[0]).toMatch(/PARLEY_NAME_FILE: .*ENOENT/);
    rmSync(folder, { recursive: true });
  });

  it('name the variable that is wrong, and the one that was meant', () => {
    const env = { PARLEY_SIP_PORT: 'many', PARLEY_SIP_HOTS: 'x', PARLEY_CONFIG: 'y' };
    expect(problemsOf(() => overlayEnvironment(config, schema, env, ['PARLEY_CONFIG']))).toEqual([
      'PARLEY_ERR_CONFIG_ENV environment variable PARLEY_SIP_HOTS: no such setting; did you mean PARLEY_SIP_HOST? | Correct or unset PARLEY_SIP_HOTS.',
      'PARLEY_ERR_CONFIG_ENV environment variable PARLEY_SIP_PORT: expected a number, found "many". Write a number without quotes or unit. Example: port: 5060 | Correct or unset PARLEY_SIP_PORT.',
    ]);
  });
});
