import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { Application, type ApplicationSetup } from './application.js';

/** ms for an application that listens to take a connection and authenticate. */
const DIAL_MS = 5000;

/** The control port and the applications connected to it. */
export class Applications {
  readonly #server: Server;
  readonly #setup: ApplicationSetup;
  readonly #connected = new Set<Application>();
  /** Per verb, who was given the last request: the next one takes the next. */
  readonly #turn = new Map<string, number>();

  private constructor(server: Server, setup: ApplicationSetup) {
    this.#server = server;
    const gone = (app: Application) => {
      this.#connected.delete(app);
      if (app.authenticated) setup.events.gone(app);
    };
    this.#setup = { ...setup, events: { ...setup.events, gone } };
  }

  static async listen(control: { host: string; port: number }, setup: ApplicationSetup): Promise<Applications> {
    const server = createServer();
    const applications = new Applications(server, setup);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(control.port, control.host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', () => undefined);
    server.on('connection', (socket) => {
      applications.#connected.add(new Application(socket, applications.#setup));
    });
    return applications;
  }

  /**
   * Connects to an application that listens, which then authenticates like any other (outbound mode).
   *
   * @throws Error when it does not, within 5 s
   */
  async dial(host: string, port: number): Promise<Application> {
    const socket = connect({ host, port });
    const late = setTimeout(() => socket.destroy(new Error('no answer in time')), DIAL_MS);
    try {
      await once(socket, 'connect');
      const app = new Application(socket, this.#setup);
      this.#connected.add(app);
      await app.ready;
      return app;
    } finally {
      clearTimeout(late);
    }
  }

  /** An application that gave itself this tag. */
  tagged(tag: string): Application | undefined {
    return this.all().find((app) => app.tags.has(tag));
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** Applications that have authenticated. */
  get count(): number {
    return this.all().length;
  }

  all(): Application[] {
    return [...this.#connected].filter((app) => app.authenticated);
  }

  /** The application whose turn it is to take a request of this method. */
  choose(method: string): Application | undefined {
    const verb = method.toLowerCase();
    const able = this.all().filter((app) => app.takes(verb));
    const turn = this.#turn.get(verb) ?? 0;
    if (able.length > 0) this.#turn.set(verb, (turn + 1) % 1_000_000);
    return able[turn % Math.max(1, able.length)];
  }

  /** Resolves when every connection is gone. */
  close(): Promise<void> {
    for (const app of this.#connected) app.close();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
