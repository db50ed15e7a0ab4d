import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';

/** What is watched: all files of some folders, not those of their subfolders, and single files. */
export interface WatchedFiles {
  folders: readonly string[];
  files: readonly string[];
  /** Something else has to be there, too: told at each look, whatever was found. */
  again?: boolean;
}

/** How long files have to be left alone before they are looked at, and how often they are looked at anyway, ms. */
const TIMES = { settleMs: 300, lookMs: 5000 };

/**
 * Tells when files are not what they were. The system's events make it quick: they come for a save in place, for an
 * editor's rename and for the symbolic links of a Kubernetes ConfigMap. Where there are none, as on network file systems
 * or when a folder is exchanged as a whole, it looks by itself now and then.
 */
export class FileWatch {
  #seen: string;
  /** By folder; `id` tells whether it is still the same one. */
  readonly #watchers = new Map<string, { id: string; watcher: FSWatcher }>();
  #settling: NodeJS.Timeout | undefined;
  readonly #looking: NodeJS.Timeout;

  /** @param watched asked again at every look, since it may grow */
  constructor(
    private readonly watched: () => WatchedFiles,
    private readonly changed: () => void,
    private readonly times = TIMES,
  ) {
    this.#seen = fingerprint(watched());
    this.#listen();
    this.#looking = setInterval(() => this.#look(), times.lookMs);
    this.#looking.unref();
  }

  close(): void {
    clearInterval(this.#looking);
    clearTimeout(this.#settling);
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #look(): void {
    const watched = this.watched();
    const now = fingerprint(watched);
    const same = now === this.#seen;
    this.#seen = now;
    if (!same || watched.again) this.changed();
    this.#listen();
  }

  #listen(): void {
    const folders = new Set(this.watched().folders);
    for (const [folder, { watcher }] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) {
      const id = identity(folder);
      const known = this.#watchers.get(folder);
      if (known?.id === id) continue;
      known?.watcher.close();
      this.#watchers.delete(folder);
      const watcher = id === 'none' ? undefined : this.#watch(folder);
      if (watcher) this.#watchers.set(folder, { id, watcher });
    }
  }

  #watch(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        clearTimeout(this.#settling);
        this.#settling = setTimeout(() => this.#look(), this.times.settleMs);
      });
      // A folder that goes away is found by looking.
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      // No more watches to be had (ENOSPC), or no such thing here: looking has to do.
      return undefined;
    }
  }
}

/** Links are followed: what they lead to counts. */
function fingerprint({ folders, files }: WatchedFiles): string {
  const inside = folders.flatMap((folder) => namesIn(folder).map((name) => join(folder, name)));
  return [...inside, ...files].map((path) => `${path} ${identity(path, true)}`).join('\n');
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Of a file with what changes when it is written; a folder's own times say nothing of what is in it. */
function identity(path: string, content = false): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return 'none';
    return content && stat.isFile() ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : String(stat.ino);
  } catch {
    return 'none';
  }
}
