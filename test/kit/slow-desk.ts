import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { scratchFolder } from './scratch.js';

/**
 * An agent that thinks as long as a test likes: "Where is my order?" makes it ask a shop over HTTP which never answers.
 * `env` makes a server use it for every number.
 */
export class SlowDesk {
  /** Requests that came in, and those whose sender has given up. */
  readonly requests = { received: 0, abandoned: 0 };
  readonly env: Record<string, string>;
  private readonly folder = scratchFolder('slow-desk');

  private constructor(
    private readonly shop: ReturnType<typeof createServer>,
    port: number,
  ) {
    const agents = join(this.folder.path, 'agents');
    const dialplans = join(this.folder.path, 'dialplans');
    mkdirSync(agents);
    mkdirSync(dialplans);
    writeFileSync(join(agents, 'slow.yaml'), agentFile(port));
    writeFileSync(join(dialplans, 'all.yaml'), '- name: all\n  default: true\n  answer: { agent: slow }\n');
    this.env = { PARLEY_AGENTS: agents, PARLEY_DIALPLANS: dialplans };
    shop.on('request', (request) => {
      this.requests.received++;
      request.socket.once('close', () => {
        this.requests.abandoned++;
      });
    });
  }

  static async open(): Promise<SlowDesk> {
    const shop = createServer();
    shop.listen(0, '127.0.0.1');
    await once(shop, 'listening');
    const address = shop.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new SlowDesk(shop, address.port);
  }

  close(): void {
    this.shop.closeAllConnections();
    this.shop.close();
    this.folder.remove();
  }
}

function agentFile(port: number): string {
  return `
name: slow
greeting: Hello, this is the slow desk, where nobody hurries. How can I help you?
working: { sound: typing, afterMs: 100 }
idle: { afterMs: 3000, prompts: [Are you still there?] }
topics:
  - name: order
    examples: [where is my order, what is the status of my order, when will my order arrive, track my order]
    action: look
    responses:
      - say: It is on its way.
  - name: hours
    examples: [what are your opening hours, when are you open, what time do you close, are you open on sunday]
    say: We are open from nine to seven, Monday to Saturday. On Sundays we are closed, and so is the shop next door.
actions:
  - name: look
    type: http
    url: http://127.0.0.1:${port}/order
    timeoutMs: 30000
`;
}
