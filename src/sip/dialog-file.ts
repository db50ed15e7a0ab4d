import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DialogRecord } from './edge/dialog/dialog-record.js';

/** Written at most so often, ms. */
const WRITE_MS = 1000;

/**
 * The dialogs that stand, in a file beside the process: the one that is started after a kill says BYE in them, and nobody
 * is left on a dead line. Without session descriptions, which hold keys.
 */
export class DialogFile {
  private due: NodeJS.Timeout | undefined;

  constructor(private readonly path: string) {}

  /** What a process before this one has left; nothing where it ended in order. */
  take(): DialogRecord[] {
    try {
      const left: DialogRecord[] = JSON.parse(readFileSync(this.path, 'utf8'));
      return Array.isArray(left) ? left : [];
    } catch {
      return [];
    } finally {
      this.remove();
    }
  }

  /** They have changed. */
  changed(dialogs: () => readonly DialogRecord[]): void {
    this.due ??= setTimeout(() => {
      this.due = undefined;
      this.write(dialogs());
    }, WRITE_MS).unref();
  }

  /** The process ends in order. */
  close(): void {
    clearTimeout(this.due);
    this.remove();
  }

  /** At once and whole: a hundred calls are 100 kB. A disk that is full costs the file and nothing else. */
  private write(dialogs: readonly DialogRecord[]): void {
    try {
      mkdirSync(dirname(this.path), { recursive: true });
      const bare = dialogs.map((dialog) => ({ ...dialog, localSdp: '' }));
      writeFileSync(`${this.path}.tmp`, JSON.stringify(bare), { mode: 0o600 });
      renameSync(`${this.path}.tmp`, this.path);
    } catch {
      this.remove();
    }
  }

  private remove(): void {
    try {
      for (const path of [this.path, `${this.path}.tmp`]) rmSync(path, { force: true });
    } catch {
      // It could not be written either.
    }
  }
}
