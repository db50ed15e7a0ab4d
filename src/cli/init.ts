import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type ReferenceRow, referenceRows } from '../config/reference.js';
import { ParleyError } from '../errors.js';
import { settingsSchema } from '../settings.js';
import { print } from './output.js';

const AGENT = `# What callers are told, and how they are understood: docs/reference/agent-file.md. Try it in text with: npx parley chat hello
name: hello
greeting: Hello, you have reached our help desk. What can I do for you?

topics:
  - name: opening-hours
    examples:
      - what are your opening hours
      - when are you open
      - when do you close
      - are you open today
      - until when can I call you
    say: We are here from nine to five, Monday to Friday.

# Add who takes over when callers ask for a person:
# escalation:
#   target: desk
`;

const DIALPLAN = `# Which call goes to which agent: docs/reference/dialplan.md. Ask with: npx parley explain --to 8001
- name: help-desk
  match: { to: "8001" }
  answer: { agent: hello }

- name: everything-else
  default: true
  reject: { status: 404, reason: No such number }
`;

const TEST = `# Run with: npx parley test
- name: the help desk has its number
  call: { to: "8001" }
  expect: { agent: hello }

- name: nothing else is answered
  call: { to: "9999" }
  expect: { status: 404 }
`;

/** `parley init`: a beginning. */
export function register(program: Command): void {
  program
    .command('init')
    .description('Writes parley.yaml with every setting commented, an agent and a dialplan. Overwrites nothing.')
    .argument('[dir]', 'folder', '.')
    .action((folder: string) => init(resolve(folder)));
}

function init(folder: string): void {
  const files: [name: string, text: string][] = [
    ['parley.yaml', commentedSettings(referenceRows(settingsSchema))],
    ['agents/hello.yaml', AGENT],
    ['dialplans/main.yaml', DIALPLAN],
    ['dialplans/tests/main.yaml', TEST],
  ];
  const there = files.find(([name]) => existsSync(join(folder, name)));
  if (there) {
    throw new ParleyError('PARLEY_ERR_INIT_EXISTS', { file: join(folder, there[0]) });
  }
  for (const subfolder of ['agents', 'dialplans/tests']) mkdirSync(join(folder, subfolder), { recursive: true });
  for (const [name, text] of files) {
    writeFileSync(join(folder, name), text);
    print(`wrote ${name}`);
  }
  print('Next: npx parley serve, and in a second terminal: npx parley call --say "When are you open?"');
}

/** parley.yaml in which nothing is set: every key with its default, as a comment to be taken away. */
function commentedSettings(rows: readonly ReferenceRow[]): string {
  const lines = [
    '# Parley works without any of this: take the "# " away from what you change, and from the keys above it.',
    '',
  ];
  let open: string[] = [];
  for (const { key, type, default: value, description } of rows) {
    // What lists and named blocks hold is in docs/reference/configuration.md.
    if (/\[\]|\.NAME/.test(key)) continue;
    const path = key.split('.');
    const parents = path.slice(0, -1);
    const shared = parents.findIndex((name, at) => open[at] !== name);
    if (path.length === 1 && lines.at(-1) !== '') lines.push('');
    for (let at = shared < 0 ? parents.length : shared; at < parents.length; at++) {
      if (at === 0 && lines.at(-1) !== '') lines.push('');
      lines.push(`# ${'  '.repeat(at)}${parents[at]}:`);
    }
    open = parents;
    const indent = '  '.repeat(parents.length);
    lines.push(`# ${indent}# ${description.replace(/\s*\n\s*/g, ' ')}${value === '' ? ` (${type})` : ''}`);
    lines.push(`# ${indent}${path.at(-1)}:${value === '' ? '' : ` ${written(value)}`}`);
    if (value === '' && type.includes('block')) open = path;
  }
  return `${lines.join('\n')}\n`;
}

/** Text that YAML would read as something else is put in quotes. */
function written(value: string): string {
  return /^[\w./-]+$|^[[{"]|^-?\d/.test(value) ? value : JSON.stringify(value);
}
