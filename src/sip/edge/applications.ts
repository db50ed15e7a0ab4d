import { createServer, type Server } from 'node:net';
import { Application, type ApplicationSetup } from './application.js';

/** The control port and the applications connected to it. */
export class Applications {
  readonly #server: Server;
  readonly #connected = new Set<Application>();
  /** Per verb, who was given the last request: the next one takes the next. */
  readonly #turn = new Map<string, number>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(control: { host: string; port: number }, setup: ApplicationSetup): Promise<Applications> {
    const server = createServer();
    const applications = new Applications(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(control.port, control.host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', () => undefined);
    const gone = (app: Application) => {
      applications.#connected.delete(app);
      if (app.authenticated) setup.events.gone(app);
    };
    server.on('connection', (socket) => {
      applications.#connected.add(new Application(socket, { ...setup, events: { ...setup.events, gone } }));
    });
    return applications;
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
