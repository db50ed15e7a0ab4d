import { createHash } from 'node:crypto';

/** A short name for a content: the same for the same, and told apart from any other (SHA-256, 12 hex digits). */
export function versionOf(...contents: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const content of contents) hash.update(`${content.length}\n`).update(content);
  return hash.digest('hex').slice(0, 12);
}
