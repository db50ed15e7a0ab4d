import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './scratch.js';

/** A working folder for a server with small agents of its own, called by their places in the list: 1, 2... */
export function house(agents: readonly { name: string; answer?: Record<string, unknown>; [key: string]: unknown }[]): {
  path: string;
  remove(): void;
} {
  const folder = scratchFolder('house');
  for (const made of ['agents', 'dialplans']) mkdirSync(join(folder.path, made));
  const write = (name: string, content: unknown) => writeFileSync(join(folder.path, name), JSON.stringify(content));
  for (const { answer: _, ...agent } of agents) write(`agents/${agent.name}.yaml`, { ...HOURS, ...agent });
  const entries = agents.map(({ name, answer }, n) => ({
    name,
    match: { to: String(n + 1) },
    answer: { agent: name, ...answer },
  }));
  write('dialplans/main.yaml', entries);
  write('parley.yaml', {});
  return folder;
}

const HOURS = {
  greeting: 'This is Garden House.',
  topics: [
    {
      name: 'hours',
      examples: ['what are your opening hours', 'when are you open', 'when do you close', 'are you open today'],
      say: 'We are open from nine to seven.',
    },
  ],
};
