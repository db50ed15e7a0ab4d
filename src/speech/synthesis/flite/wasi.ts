/*
 * WASI preview 1, as much of it as the Flite module imports: arguments, standard output, one directory of files
 * held in memory, a clock and exit. Nothing touches the disk.
 * Numbers are those of https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md.
 */

/** The part of the WebAssembly API used here; the Node types of our oldest supported version do not declare it. */
declare namespace WebAssembly {
  class Module {
    private readonly brand: never;
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, (...args: never[]) => number>>);
    readonly exports: Record<string, unknown>;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}

/** A compiled WASI command. */
export type WasiModule = WebAssembly.Module;

/** Compiles a module's bytes; to be done once per thread. */
export function compileWasi(bytes: Uint8Array): Promise<WasiModule> {
  return WebAssembly.compile(bytes);
}

const OK = 0;
const EBADF = 8;
const ENOENT = 44;
const CREATE = 1;
const TRUNCATE = 8;
const STANDARD_STREAMS = 3;
const ROOT = 3;
const FIRST_FILE = 4;
const ALL_RIGHTS = 0xffff_ffff_ffff_ffffn;
const FILE_TYPE = { characterDevice: 2, directory: 3, regularFile: 4 } as const;

/** A file that grows as it is written. */
interface MemoryFile {
  bytes: Uint8Array;
  size: number;
}

interface OpenFile {
  file: MemoryFile;
  position: number;
}

/** Thrown by the guest's `exit` to leave its stack. */
class ProcessExit extends Error {
  constructor(readonly status: number) {
    super(`exit ${status}`);
  }
}

/** What a run of the command left behind. */
export interface WasiResult {
  status: number;
  /** Standard output and standard error, as written. */
  output: string;
  /** A file that the command wrote, or undefined. A view, valid as long as it is held. */
  file(name: string): Uint8Array | undefined;
}

/**
 * One instance of a WASI command. C programs initialise their globals once, so an instance runs once; make the next
 * one ahead of time where its few milliseconds matter.
 */
export class WasiCommand {
  private readonly memory: { readonly buffer: ArrayBuffer };
  private readonly start: () => void;
  private readonly files = new Map<string, MemoryFile>();
  private readonly open = new Map<number, OpenFile>();
  private nextDescriptor = FIRST_FILE;
  private arguments: Uint8Array[] = [];
  private readonly output: Buffer[] = [];

  constructor(module: WasiModule) {
    const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: this.imports() });
    // The two exports that every WASI command has.
    this.memory = exports.memory as { readonly buffer: ArrayBuffer };
    this.start = exports._start as () => void;
  }

  /**
   * Runs the command to its end on this thread.
   *
   * @param args command line, program name first
   * @throws WebAssembly.RuntimeError when the command traps
   */
  run(args: readonly string[]): WasiResult {
    this.arguments = args.map((arg) => Buffer.from(`${arg}\0`));
    let status = 0;
    try {
      this.start();
    } catch (error) {
      if (!(error instanceof ProcessExit)) throw error;
      status = error.status;
    }
    return {
      status,
      output: Buffer.concat(this.output).toString(),
      file: (name) => {
        const file = this.files.get(name);
        return file?.bytes.subarray(0, file.size);
      },
    };
  }

  /** The memory moves when it grows, so views are made for each use. */
  private get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  private slice(at: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length);
  }

  private imports(): Record<string, (...args: never[]) => number> {
    return {
      args_sizes_get: (count: number, size: number) => {
        this.view.setUint32(count, this.arguments.length, true);
        const total = this.arguments.reduce((sum, arg) => sum + arg.length, 0);
        this.view.setUint32(size, total, true);
        return OK;
      },
      args_get: (pointers: number, buffer: number) => this.writeArguments(pointers, buffer),
      clock_time_get: (_clock: number, _precision: bigint, out: number) => {
        this.view.setBigUint64(out, process.hrtime.bigint(), true);
        return OK;
      },
      fd_close: (descriptor: number) => (this.open.delete(descriptor) ? OK : EBADF),
      fd_fdstat_get: (descriptor: number, out: number) => this.describe(descriptor, out),
      fd_fdstat_set_flags: () => OK,
      fd_prestat_get: (descriptor: number, out: number) => {
        if (descriptor !== ROOT) return EBADF;
        this.view.setUint32(out, 0, true);
        this.view.setUint32(out + 4, 1, true);
        return OK;
      },
      fd_prestat_dir_name: (_descriptor: number, path: number) => {
        this.view.setUint8(path, '.'.charCodeAt(0));
        return OK;
      },
      path_open: (
        _directory: number,
        _lookup: number,
        path: number,
        length: number,
        flags: number,
        _rights: bigint,
        _inheriting: bigint,
        _fdFlags: number,
        out: number,
      ) => this.openPath(Buffer.from(this.slice(path, length)).toString(), flags, out),
      fd_seek: (descriptor: number, offset: bigint, whence: number, out: number) =>
        this.seek(descriptor, Number(offset), whence, out),
      fd_read: (descriptor: number, vectors: number, count: number, out: number) =>
        this.read(descriptor, this.vectors(vectors, count), out),
      fd_write: (descriptor: number, vectors: number, count: number, out: number) =>
        this.write(descriptor, this.vectors(vectors, count), out),
      proc_exit: (status: number) => {
        throw new ProcessExit(status);
      },
    };
  }

  private writeArguments(pointers: number, buffer: number): number {
    let at = buffer;
    this.arguments.forEach((arg, index) => {
      this.view.setUint32(pointers + 4 * index, at, true);
      this.slice(at, arg.length).set(arg);
      at += arg.length;
    });
    return OK;
  }

  private describe(descriptor: number, out: number): number {
    const type =
      descriptor < STANDARD_STREAMS
        ? FILE_TYPE.characterDevice
        : descriptor === ROOT
          ? FILE_TYPE.directory
          : FILE_TYPE.regularFile;
    this.slice(out, 24).fill(0);
    this.view.setUint8(out, type);
    this.view.setBigUint64(out + 8, ALL_RIGHTS, true);
    this.view.setBigUint64(out + 16, ALL_RIGHTS, true);
    return OK;
  }

  private openPath(name: string, flags: number, out: number): number {
    let file = this.files.get(name);
    if (!file) {
      if (!(flags & CREATE)) return ENOENT;
      file = { bytes: new Uint8Array(1 << 16), size: 0 };
      this.files.set(name, file);
    }
    if (flags & TRUNCATE) file.size = 0;
    const descriptor = this.nextDescriptor++;
    this.open.set(descriptor, { file, position: 0 });
    this.view.setUint32(out, descriptor, true);
    return OK;
  }

  private seek(descriptor: number, offset: number, whence: number, out: number): number {
    const handle = this.open.get(descriptor);
    if (!handle) return EBADF;
    const base = [0, handle.position, handle.file.size][whence] ?? 0;
    handle.position = Math.max(0, base + offset);
    this.view.setBigUint64(out, BigInt(handle.position), true);
    return OK;
  }

  private vectors(at: number, count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, index) =>
      this.slice(this.view.getUint32(at + 8 * index, true), this.view.getUint32(at + 8 * index + 4, true)),
    );
  }

  private read(descriptor: number, targets: readonly Uint8Array[], out: number): number {
    const handle = this.open.get(descriptor);
    let total = 0;
    for (const target of handle ? targets : []) {
      const { file, position } = handle!;
      const part = file.bytes.subarray(position, Math.min(file.size, position + target.length));
      target.set(part);
      handle!.position += part.length;
      total += part.length;
    }
    this.view.setUint32(out, total, true);
    return OK;
  }

  private write(descriptor: number, sources: readonly Uint8Array[], out: number): number {
    const handle = this.open.get(descriptor);
    if (!handle && descriptor >= STANDARD_STREAMS) return EBADF;
    let total = 0;
    for (const source of sources) {
      if (handle) append(handle, source);
      else this.output.push(Buffer.from(source));
      total += source.length;
    }
    this.view.setUint32(out, total, true);
    return OK;
  }
}

function append(handle: OpenFile, source: Uint8Array): void {
  const { file } = handle;
  const end = handle.position + source.length;
  if (end > file.bytes.length) {
    const grown = new Uint8Array(Math.max(2 * file.bytes.length, end));
    grown.set(file.bytes.subarray(0, file.size));
    file.bytes = grown;
  }
  file.bytes.set(source, handle.position);
  handle.position = end;
  file.size = Math.max(file.size, end);
}
