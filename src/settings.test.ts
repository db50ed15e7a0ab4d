import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadSettings } from './settings.js';

it('reads the example of targets, and refuses targets that lead nowhere', () => {
  const { targets } = loadSettings('examples/transfer/parley.yaml', {});
  expect(Object.keys(targets)).toEqual(['desk', 'anna', 'bert', 'mobile', 'vip', 'clinic', 'later']);
  const folder = mkdtempSync(join(tmpdir(), 'parley-settings-'));
  try {
    const file = join(folder, 'parley.yaml');
    writeFileSync(file, 'targets:\n  a: { hunt: [nobody] }\n  b: { number: "1", trunk: x }\n');
    expect(() => loadSettings(file, {})).toThrow(/parley\.yaml:2: targets\.a\.hunt\[0\]: there is no target "nobody"/);
    expect(() => loadSettings(file, {})).toThrow(/there is no trunk "x"/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
