import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const left = new Set<string>();

process.on('exit', () => left.forEach(remove));

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  left.delete(path);
}

/** A fresh temporary folder and what deletes it; the end of the process does, too. */
export function scratchFolder(name: string): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `parley-${name}-`));
  left.add(path);
  return { path, remove: () => remove(path) };
}

/** A TCP port of 127.0.0.1 that was free a moment ago; good for UDP too, as nothing else here listens on UDP alone. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
