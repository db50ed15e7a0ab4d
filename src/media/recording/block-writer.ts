import { type FileHandle, open } from 'node:fs/promises';

/** A file being written. */
export interface DiskFile {
  /** Writes all `length` bytes at `position`; rejects when it can't. */
  write(bytes: Uint8Array, length: number, position: number): Promise<void>;
  /** Cuts the file, or fills it up with zeros, to this length. */
  truncate(length: number): Promise<void>;
  /** Resolves once everything is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A file that is read too. */
export interface RandomFile extends DiskFile {
  size(): Promise<number>;
  /** As many of `length` bytes at `position` as there are, at the beginning of `bytes`; returns how many. */
  read(bytes: Uint8Array, length: number, position: number): Promise<number>;
}

/** Makes a file; rejects when there is one. */
export type CreateFile = (path: string) => Promise<DiskFile>;

/** On the disk of this machine. */
export const createFile: CreateFile = async (path) => plainFile(await open(path, 'wx'));

/** A file that is there, to be read and written. */
export async function openFile(path: string, flags: 'r' | 'r+'): Promise<RandomFile> {
  return plainFile(await open(path, flags));
}

function plainFile(handle: FileHandle): RandomFile {
  return {
    async write(bytes, length, position) {
      for (let done = 0; done < length; ) {
        done += (await handle.write(bytes, done, length - done, position + done)).bytesWritten;
      }
    },
    read: async (bytes, length, position) => (await handle.read(bytes, 0, length, position)).bytesRead,
    size: async () => (await handle.stat()).size,
    truncate: (length) => handle.truncate(length),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

/** Bytes to be written at a place of the file. */
export interface Block {
  readonly bytes: Uint8Array;
  length: number;
  position: number;
  /** Frames of the recording up to its end. */
  frames: number;
}

/** Blocks waiting for the disk: with blocks of 400 ms it may stand still for 10 s. */
const MAX_BLOCKS = 25;

/**
 * Writes blocks to a file one after another, never waited for: who fills them takes a free one and hands it over. When
 * the disk does not keep up there is none free; once a write has failed there is none ever again.
 */
export class BlockWriter {
  private readonly free: Block[] = [];
  private readonly queue: Block[] = [];
  private made = 0;
  private file: DiskFile | undefined;
  private working: Promise<void> | undefined;
  /** Why nothing more is written. */
  private failure: unknown;
  /** Whether the disk has not kept up at some time. */
  behind = false;
  /** Position after the last byte known to be written, and the frames until there. */
  written = 0;
  frames = 0;

  /**
   * @param head what then belongs at the beginning of the file, given its length, if that changes
   * @param failed told once why nothing more is written
   * @param slow told once that blocks had to be left out
   */
  constructor(
    private readonly blockBytes: number,
    private readonly create: () => Promise<DiskFile>,
    private readonly head: (written: number) => Uint8Array | undefined,
    private readonly failed: (error: unknown) => void,
    private readonly slow: () => void,
  ) {}

  get dead(): boolean {
    return this.failure !== undefined;
  }

  /** Whether {@link acquire} has a block. */
  get hasRoom(): boolean {
    return !this.dead && (this.free.length > 0 || this.made < MAX_BLOCKS);
  }

  /** A block to fill, to be handed to {@link submit}. */
  acquire(): Block | undefined {
    if (this.hasRoom) return this.free.pop() ?? this.make();
    if (!this.dead && !this.behind) {
      this.behind = true;
      this.slow();
    }
    return undefined;
  }

  /** Hands over a filled block. */
  submit(block: Block): void {
    if (this.dead) return;
    this.queue.push(block);
    this.working ??= this.work();
  }

  /**
   * Writes what waits and closes the file.
   *
   * @param length that it is to have, silence where nothing was written; it ends earlier when writing failed
   * @returns the length it has, 0 when it was never opened
   */
  async finish(length: number): Promise<number> {
    this.working ??= this.work();
    await this.working;
    const { file } = this;
    if (!file) return 0;
    const end = this.dead ? this.written : length;
    await this.attempt(() => file.truncate(end));
    await this.attempt(() => this.writeHead(file, end));
    await this.attempt(() => file.sync());
    await this.attempt(() => file.close());
    return end;
  }

  private async work(): Promise<void> {
    do await this.attempt(() => this.writeQueue());
    while (this.queue.length > 0);
    this.working = undefined;
  }

  private async writeQueue(): Promise<void> {
    this.file ??= await this.create();
    for (let block = this.queue.shift(); block; block = this.queue.shift()) {
      await this.file.write(block.bytes, block.length, block.position);
      this.written = block.position + block.length;
      this.frames = block.frames;
      await this.writeHead(this.file, this.written);
      this.free.push(block);
    }
  }

  private async writeHead(file: DiskFile, written: number): Promise<void> {
    const head = this.head(written);
    if (head) await file.write(head, head.length, 0);
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.dead) return;
      this.failure = error ?? new Error('unknown');
      this.queue.length = 0;
      this.free.length = 0;
      this.failed(this.failure);
    }
  }

  private make(): Block {
    this.made++;
    return { bytes: new Uint8Array(this.blockBytes), length: 0, position: 0, frames: 0 };
  }
}
