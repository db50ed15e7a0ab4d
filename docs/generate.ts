import { mkdirSync, writeFileSync } from 'node:fs';
import { generatedPages } from '../src/cli/schema.js';

/* Writes what of docs/reference/ is made from the code: `npm run docs`. A test keeps the two equal. */
mkdirSync(new URL('./reference/schemas/', import.meta.url), { recursive: true });
for (const [name, text] of Object.entries(generatedPages())) {
  writeFileSync(new URL(`./reference/${name}`, import.meta.url), text);
}
