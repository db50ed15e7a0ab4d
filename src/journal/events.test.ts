import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('documents every type of event, and no other', () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
  const declared = [...read('./events.ts').matchAll(/\btype: '([a-z][a-z.-]*)'/g)].map((found) => found[1]);
  const documented = [...read('../../docs/reference/events.md').matchAll(/^\| `([^`]+)`/gm)].map((found) => found[1]);
  expect(documented.toSorted()).toEqual([...new Set(declared)].sort());
});
