import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { FileWatch } from './watch.js';

let root: string;
let watch: FileWatch | undefined;
let told: () => void;
const write = (name: string, text = 'a') => writeFileSync(join(root, name), text);
const next = () => new Promise<void>((resolve) => (told = resolve));

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'parley-watch-'));
  mkdirSync(join(root, 'agents'));
  write('agents/desk.yaml');
  write('parley.yaml');
});
afterEach(() => {
  watch?.close();
  rmSync(root, { recursive: true });
});

function begin(times: { settleMs: number; lookMs: number }): void {
  const watched = { folders: [join(root, 'agents')], files: [join(root, 'parley.yaml')] };
  watch = new FileWatch(
    () => watched,
    () => told(),
    times,
  );
}

describe('watching files', () => {
  it('hears of a save in place, of an editor that renames, and of a file that is new or gone', async () => {
    begin({ settleMs: 20, lookMs: 3_600_000 });
    for (const change of [
      () => write('agents/desk.yaml', 'changed'),
      () => {
        write('agents/.desk.swp', 'renamed');
        renameSync(join(root, 'agents/.desk.swp'), join(root, 'agents/desk.yaml'));
      },
      () => write('agents/more.yaml'),
      () => rmSync(join(root, 'agents/more.yaml')),
    ]) {
      const heard = next();
      change();
      await heard;
    }
  });

  it('hears of the links of a Kubernetes ConfigMap being turned', async () => {
    const at = (name: string) => join(root, 'agents', name);
    rmSync(at('desk.yaml'));
    for (const [version, text] of Object.entries({ '..1': 'one', '..2': 'two, other' })) {
      mkdirSync(at(version));
      writeFileSync(join(at(version), 'desk.yaml'), text);
    }
    symlinkSync('..1', at('..data'));
    symlinkSync('..data/desk.yaml', at('desk.yaml'));
    begin({ settleMs: 20, lookMs: 3_600_000 });
    const heard = next();
    symlinkSync('..2', at('..data_tmp'));
    renameSync(at('..data_tmp'), at('..data'));
    await heard;
  });

  it('finds by itself that a single file, or a whole folder, was exchanged, and hears of what is in that', async () => {
    begin({ settleMs: 20, lookMs: 30 });
    const file = next();
    write('parley.yaml', 'changed');
    await file;
    const folder = next();
    mkdirSync(join(root, 'other'));
    write('other/desk.yaml', 'other');
    renameSync(join(root, 'agents'), join(root, 'old'));
    renameSync(join(root, 'other'), join(root, 'agents'));
    await folder;
    const inside = next();
    write('agents/desk.yaml', 'changed again');
    await inside;
  });
});
