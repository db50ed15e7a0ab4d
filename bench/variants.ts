import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { scratchFolder } from '../test/kit/scratch.js';
import { ROOT } from '../test/kit/server.js';

/** An example agent in other settings, under a number of its own. */
export interface Variant {
  /** The number that callers dial. */
  number: string;
  /** The example agent that it is made from. */
  agent: string;
  /** What of its file is different: top-level keys with their values. */
  settings: Record<string, unknown>;
}

/** A working folder for a server with the example agents and variants of them, so that all are measured in one run. */
export function variantsFolder(variants: readonly Variant[]): { path: string; remove(): void } {
  const folder = scratchFolder('variants');
  cpSync(join(ROOT, 'agents'), join(folder.path, 'agents'), { recursive: true });
  mkdirSync(join(folder.path, 'dialplans'));
  const entries = variants.map(({ number, agent, settings }) => {
    const name = `${agent}-${number}`;
    const file: unknown = parse(readFileSync(join(ROOT, 'agents', `${agent}.yaml`), 'utf8'));
    // JSON is YAML.
    const changed = JSON.stringify({ ...Object(file), ...settings, name });
    writeFileSync(join(folder.path, 'agents', `${name}.yaml`), changed);
    return { name, match: { to: number }, answer: { agent: name } };
  });
  writeFileSync(join(folder.path, 'dialplans', 'bench.yaml'), JSON.stringify(entries));
  return folder;
}
