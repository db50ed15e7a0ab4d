import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A real redis-server for tests, on a free port of the loopback, without persistence: started again it is empty. */
export class TestRedisServer {
  #child: ChildProcess | undefined;

  private constructor(readonly port: number) {}

  static async start(): Promise<TestRedisServer> {
    const server = new TestRedisServer(await freePort());
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts the server (again) and resolves when it accepts connections. */
  async start(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    const failed = once(child, 'exit').then(() => Promise.reject(new Error('redis-server ended at once')));
    failed.catch(() => {});
    await Promise.race([this.#accepts(), failed]);
    this.#child = child;
  }

  /** Ends the server as a crash would, with all it held. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Stops the server's process without ending it: connections stay, answers don't come. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async #accepts(): Promise<void> {
    for (;;) {
      const socket = connect(this.port, '127.0.0.1');
      const accepted = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (accepted) return;
      await delay(10);
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
