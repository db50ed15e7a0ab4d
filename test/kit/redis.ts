import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createClient } from 'redis';
import { STREAM_PREFIX } from '../../src/journal/journal.js';
import { freePort, scratchFolder } from './scratch.js';
import { until } from './until.js';

/** A real redis-server of its own on a free port, which keeps its data over {@link stop} and {@link start}. */
export class RedisServer {
  private child: ChildProcess | undefined;
  private readonly folder = scratchFolder('redis');

  private constructor(readonly port: number) {}

  static async create(): Promise<RedisServer> {
    const server = new RedisServer(await freePort());
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it again on its port, empty if told so. */
  async start(options: { empty?: boolean } = {}): Promise<void> {
    if (options.empty) rmSync(join(this.folder.path, 'appendonlydir'), { recursive: true, force: true });
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder.path];
    this.child = spawn('redis-server', [...args, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'], {
      stdio: 'ignore',
    });
    await until('redis-server', () => answersPing(this.port));
  }

  /** Ends it at once, as a crash would. */
  async stop(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Stops the process without ending it: connections stay, answers don't come. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** The calls' journals in it: their entries as id and data, by key. */
  async journals(): Promise<Map<string, { id: string; data: unknown }[]>> {
    const client = createClient({ url: this.url });
    await client.connect();
    try {
      const all = new Map<string, { id: string; data: unknown }[]>();
      for (const key of await client.keys(`*stream:${STREAM_PREFIX}*`)) {
        const entries = (await client.xRange(key, '-', '+')) ?? [];
        all.set(
          key,
          entries.map(({ id, message }) => ({ id, data: JSON.parse(Object.values(message)[0] ?? 'null') })),
        );
      }
      return all;
    } finally {
      client.destroy();
    }
  }

  /** Names of all there is in it. */
  async keys(): Promise<string[]> {
    const client = createClient({ url: this.url });
    await client.connect();
    try {
      return await client.keys('*');
    } finally {
      client.destroy();
    }
  }

  async remove(): Promise<void> {
    await this.stop();
    this.folder.remove();
  }
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
}
