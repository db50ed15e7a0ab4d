import { EventEmitter } from 'node:events';
import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gap } from '../availability.js';
import type { StreamEntry, Streams } from '../store.js';
import { type Disk, ifThere, writeWhole } from './disk.js';
import { isExpired, removeFile, setExpiry } from './expiry.js';
import { entriesOf, lineOf, type Tail, tailOf } from './lines.js';
import { fileName, keyOf } from './names.js';

const ENDING = '.jsonl';
/** How often a follower looks by itself, ms: not every file system tells of other processes' writes. */
const POLL_MS = 250;

/** Each stream is a JSONL file. */
export class FilesStreams implements Streams {
  /** Where each file ended after this process's last write to it, so that it need not be read again. */
  readonly #tails = new Map<string, Tail>();
  readonly #appended = new EventEmitter().setMaxListeners(0);
  readonly #closing = new AbortController();

  /**
   * @param onExpiry told of each file's expiry time that is set, ms since 1970
   */
  constructor(
    private readonly folder: string,
    private readonly disk: Disk,
    private readonly onExpiry: (path: string, at: number) => void,
  ) {}

  append(stream: string, entries: readonly StreamEntry[]): Promise<number> {
    const path = this.#path(stream);
    return this.disk.exclusively(path, async () => {
      if (!this.#tails.has(stream) && (await isExpired(path))) await removeFile(path);
      const file = await open(path, 'a+');
      try {
        return await this.#appendTo(file, stream, entries);
      } finally {
        await file.close();
      }
    });
  }

  replace(stream: string, entries: readonly StreamEntry[]): Promise<boolean> {
    const path = this.#path(stream);
    return this.disk.exclusively(path, async () => {
      const { seq } = tailOf((await ifThere(readFile(path))) ?? Buffer.alloc(0));
      if (seq === 0 || seq !== entries.at(-1)?.seq) return false;
      this.#tails.delete(stream);
      await writeWhole(path, entries.map(lineOf).join(''));
      return true;
    });
  }

  async lastSeq(stream: string): Promise<number> {
    return tailOf(await this.#content(stream)).seq;
  }

  async read(stream: string, after = 0, limit = Number.POSITIVE_INFINITY): Promise<StreamEntry[]> {
    const entries = entriesOf(await this.#content(stream)).filter((entry) => entry.seq > after);
    return limit < entries.length ? entries.slice(0, limit) : entries;
  }

  async *follow(stream: string, after: number, signal: AbortSignal): AsyncIterable<StreamEntry> {
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    const path = this.#path(stream);
    const wake = () => this.#appended.emit(appendedTo(stream));
    const watcher = this.#watch(`${fileName(stream)}${ENDING}`, wake);
    try {
      for (let last = after, seen = -1; !ended.aborted; ) {
        const woken = this.#woken(stream, ended);
        const size = (await ifThere(stat(path)).catch(() => undefined))?.size ?? 0;
        // A disk error leaves `seen` as it is, so that the next round reads again.
        const entries = size === seen ? [] : await this.read(stream, last).catch(() => undefined);
        if (entries) seen = size;
        for (const entry of entries ?? []) {
          if (ended.aborted) return;
          last = entry.seq;
          yield entry;
        }
        await woken;
      }
    } finally {
      watcher?.close();
    }
  }

  async list(prefix: string): Promise<string[]> {
    const names = await this.disk.run(() => ifThere(readdir(this.folder)));
    return (names ?? [])
      .filter((name) => name.endsWith(ENDING))
      .map((name) => keyOf(name.slice(0, -ENDING.length)))
      .filter((name) => name.startsWith(prefix))
      .sort();
  }

  /** Also sees to it that what was written is on the disk: a call's journal gets its expiry when the call has ended. */
  async expire(stream: string, ttlMs: number): Promise<void> {
    const path = this.#path(stream);
    await this.disk.exclusively(path, async () => {
      if (ttlMs > 0) return this.#expireLater(path, ttlMs);
      this.#tails.delete(stream);
      await removeFile(path);
    });
  }

  /** Forgets what it knows of streams that a sweep may have deleted, or of the one whose file is. */
  forget(path?: string): void {
    if (path === undefined) this.#tails.clear();
    else this.#tails.delete(keyOf(basename(path, ENDING)));
  }

  /** Ends every follower. */
  close(): void {
    this.#closing.abort();
  }

  async #expireLater(path: string, ttlMs: number): Promise<void> {
    const file = await ifThere(open(path, 'r+'));
    if (!file) return;
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    const at = Date.now() + Math.ceil(ttlMs);
    await setExpiry(path, at);
    this.onExpiry(path, at);
  }

  async #appendTo(file: FileHandle, stream: string, entries: readonly StreamEntry[]): Promise<number> {
    const tail = await this.#tail(file, stream);
    let last = tail.seq;
    let lines = '';
    let skipped = 0;
    let missing: StreamEntry | undefined;
    for (const entry of entries) {
      if (entry.seq <= last) {
        skipped += 1;
        continue;
      }
      if (entry.seq > last + 1) {
        missing = entry;
        break;
      }
      lines += lineOf(entry);
      last = entry.seq;
    }
    // Should the write fail half way, the file's size differs from this and the next append looks for its true end.
    await file.appendFile(lines);
    this.#tails.set(stream, { seq: last, size: tail.size + Buffer.byteLength(lines) });
    if (lines !== '') this.#appended.emit(appendedTo(stream));
    if (missing) throw gap(stream, last, missing.seq);
    return skipped;
  }

  /** The end of an open file, a torn last line cut off. */
  async #tail(file: FileHandle, stream: string): Promise<Tail> {
    const { size } = await file.stat();
    const known = this.#tails.get(stream);
    if (known?.size === size) return known;
    const tail = tailOf(await file.readFile());
    if (tail.size < size) await file.truncate(tail.size);
    return tail;
  }

  async #content(stream: string): Promise<Buffer> {
    const path = this.#path(stream);
    return this.disk.run(async () => {
      if (await isExpired(path)) return Buffer.alloc(0);
      return (await ifThere(readFile(path))) ?? Buffer.alloc(0);
    });
  }

  /** Resolves at the stream's next append, after a while, or at the end; listens from the moment of the call. */
  async #woken(stream: string, ended: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(poll);
        this.#appended.off(appendedTo(stream), wake);
        ended.removeEventListener('abort', wake);
        resolve();
      };
      const poll = setTimeout(wake, POLL_MS);
      this.#appended.on(appendedTo(stream), wake);
      ended.addEventListener('abort', wake);
    });
  }

  #watch(name: string, wake: () => void): FSWatcher | undefined {
    try {
      const watcher = watch(this.folder, (_, changed) => {
        if (changed === null || changed === name) wake();
      });
      // Without watches (too many of them, a network file system) the poll finds what is new.
      return watcher.on('error', () => watcher.close());
    } catch {
      return undefined;
    }
  }

  #path(stream: string): string {
    return join(this.folder, `${fileName(stream)}${ENDING}`);
  }
}

/** The event of an append; a bare name could be one that EventEmitter treats specially. */
function appendedTo(stream: string): string {
  return `stream ${stream}`;
}
