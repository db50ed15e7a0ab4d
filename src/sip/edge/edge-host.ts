import { Worker } from 'node:worker_threads';
import { ParleyError } from '../../errors.js';
import type { LogLevel } from '../../telemetry/log.js';
import { threadEntry } from '../../threads.js';
import type { WireMessage } from '../trace/wire.js';
import type { EdgeCounts } from './counters.js';
import type { DialogRecord } from './dialog/dialog-record.js';
import type { EdgeCommand, EdgeReport } from './edge-messages.js';
import type { EdgeServerOptions } from './edge-server.js';

export interface EdgeOptions extends Omit<EdgeServerOptions, 'log' | 'wire' | 'keep'> {
  readonly logLevel: LogLevel;
  /** Messages of calls are told to the listener of {@link RunningEdge.onWire}. */
  readonly traced?: boolean;
}

/** An edge in its own thread. */
export interface RunningEdge {
  readonly controlPort: number;
  readonly sipPort: number;
  readonly sipHost: string;
  /** Live counts, for leak tests and metrics. @throws ParleyError `PARLEY_ERR_EDGE_THREAD` once the thread is gone */
  counts(): Promise<EdgeCounts>;
  /** Who may send SIP from now on, CIDR blocks and addresses: `allowedNetworks` in place of those before. */
  allow(networks: readonly string[]): void;
  /** Ends every call and everything else, within a second. */
  close(): Promise<void>;
  /** Called when the thread has ended: with the error it died of, or with nothing after {@link close}. */
  onExit(listener: (error: Error | undefined) => void): void;
  /** Confirmed dialogs, for the edge that takes over from one that has crashed. */
  dialogs(): DialogRecord[];
  /** Told that they have changed. */
  onDialogs(listener: () => void): void;
  /** Told of each message of a call, before the application is. */
  onWire(listener: (message: WireMessage) => void): void;
}

/** How long a thread that was told to close may take, in ms. */
const CLOSE_MS = 900;
/** A thread that has not answered for so long hangs: it is asked every PING_MS, so many times. */
const PING_MS = 500;
const PINGS = 6;

/**
 * Starts the embedded edge in its own thread.
 *
 * @throws ParleyError `PARLEY_ERR_EDGE_LISTEN`, `PARLEY_ERR_EDGE_NETWORK`, `PARLEY_ERR_EDGE_THREAD`
 */
export async function startEdge(options: EdgeOptions): Promise<RunningEdge> {
  const worker = new Worker(threadEntry(import.meta.url, './edge-thread.js'), { workerData: options, name: 'edge' });
  const thread = new EdgeThread(worker);
  const started = await thread.started;
  return {
    controlPort: started.controlPort,
    sipPort: started.sipPort,
    sipHost: started.sipHost,
    counts: () => thread.counts(),
    allow: (networks) => thread.allow(networks),
    close: () => thread.close(),
    onExit: (listener) => thread.onExit(listener),
    dialogs: () => [...thread.dialogs.values()],
    onDialogs: (listener) => {
      thread.changed = listener;
    },
    onWire: (listener) => {
      thread.wire = listener;
    },
  };
}

type Started = Extract<EdgeReport, { kind: 'started' }>;

class EdgeThread {
  readonly started: Promise<Started>;
  readonly dialogs = new Map<string, DialogRecord>();
  changed: () => void = () => undefined;
  wire: (message: WireMessage) => void = () => undefined;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #listeners: ((error: Error | undefined) => void)[] = [];
  readonly #asked = new Map<number, { resolve: (counts: EdgeCounts) => void; reject: (error: Error) => void }>();
  #nextId = 0;
  #closing = false;
  #watch: NodeJS.Timeout | undefined;
  #unanswered = 0;
  #hangs = false;
  #ended: { error: Error | undefined } | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    let failure: Error | undefined;
    this.started = new Promise((resolve, reject) => {
      worker.on('message', (message: EdgeReport) => {
        if (message.kind === 'started') {
          this.#watch = setInterval(() => this.#ping(), PING_MS);
          resolve(message);
        } else if (message.kind === 'dialog') this.#keep(message.id, message.record);
        else if (message.kind === 'wire') this.wire(message.message);
        else if (message.kind === 'counts') this.#answer(message.id, message.counts);
        else failure = new ParleyError(message.code, message.details);
      });
      worker.on('exit', () => reject(failure ?? threadError('it ended while starting')));
    });
    // Whoever starts the edge awaits `started`; a death after that is not a second rejection.
    this.started.catch(() => undefined);
    worker.on('error', (error) => {
      failure = new ParleyError('PARLEY_ERR_EDGE_THREAD', { reason: error.message }, { cause: error });
    });
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#end(this.#closing ? undefined : (failure ?? threadError(this.#hangs ? 'it hung' : 'it ended by itself')));
        resolve();
      });
    });
  }

  counts(): Promise<EdgeCounts> {
    if (this.#ended) return Promise.reject(threadError('it has ended'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#command({ kind: 'counts', id });
    });
  }

  allow(networks: readonly string[]): void {
    if (!this.#ended) this.#command({ kind: 'allow', networks });
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#closing = true;
    clearInterval(this.#watch);
    this.#command({ kind: 'close' });
    const late = setTimeout(() => void this.#worker.terminate(), CLOSE_MS);
    await this.#exited;
    clearTimeout(late);
  }

  onExit(listener: (error: Error | undefined) => void): void {
    if (this.#ended) listener(this.#ended.error);
    else this.#listeners.push(listener);
  }

  #keep(id: string, record: DialogRecord | undefined): void {
    if (record) this.dialogs.set(id, record);
    else this.dialogs.delete(id);
    this.changed();
  }

  /** Counts pings instead of measuring time: after a stall of this thread itself their answers still lie unread. */
  #ping(): void {
    if (this.#unanswered++ >= PINGS) {
      this.#hangs = true;
      void this.#worker.terminate();
      return;
    }
    const answered = () => {
      this.#unanswered = 0;
    };
    this.counts().then(answered, () => undefined);
  }

  #command(command: EdgeCommand): void {
    this.#worker.postMessage(command);
  }

  #answer(id: number, counts: EdgeCounts): void {
    this.#asked.get(id)?.resolve(counts);
    this.#asked.delete(id);
  }

  #end(error: Error | undefined): void {
    clearInterval(this.#watch);
    this.#ended = { error };
    for (const { reject } of this.#asked.values()) reject(threadError('it has ended'));
    this.#asked.clear();
    for (const listener of this.#listeners) listener(error);
  }
}

function threadError(reason: string): ParleyError {
  return new ParleyError('PARLEY_ERR_EDGE_THREAD', { reason });
}
