import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { SipTarget } from './raw-peer.js';
import { freePort } from './scratch.js';
import { until } from './until.js';

/** Ports that rtpengine relays sound on: nobody else's here. */
const RTP_PORTS = ['40200', '40299'] as const;

/** Whether both programs are there. */
export function hasMiddleBox(): boolean {
  return ['kamailio', 'rtpengine'].every((program) => spawnSync(program, ['-v']).error === undefined);
}

/** Kamailio with rtpengine in front of a server, by the configuration in sip-config/. */
export class MiddleBox {
  private constructor(
    private readonly programs: readonly ChildProcess[],
    /** Where phones call. */
    readonly port: number,
  ) {}

  static async start(server: SipTarget): Promise<MiddleBox> {
    const [port, control] = [await freePort(), await freePort()];
    const rtpengine = run('rtpengine', [
      '--table=-1',
      '--interface=127.0.0.1',
      `--listen-ng=127.0.0.1:${control}`,
      `--port-min=${RTP_PORTS[0]}`,
      `--port-max=${RTP_PORTS[1]}`,
      '--foreground',
      '--log-stderr',
    ]);
    const box = new MiddleBox([rtpengine], port);
    try {
      await until('rtpengine answers', () => ping(control), { ms: 10_000, everyMs: 200 });
      const define = (name: string, value: string) => ['-A', `${name}=${value}`];
      const kamailio = run('kamailio', [
        ...['-f', 'sip-config/kamailio.cfg', '-DD', '-E'],
        ...define('LISTEN', `udp:127.0.0.1:${port}`),
        ...define('PARLEY', `sip:${server.host}:${server.port}`),
        ...define('RTPENGINE', `udp:127.0.0.1:${control}`),
      ]);
      const whole = new MiddleBox([rtpengine, kamailio], port);
      await until('Kamailio answers', () => options(port), { ms: 10_000, everyMs: 200 }).catch(
        async (error: unknown) => {
          await end(kamailio);
          throw error;
        },
      );
      return whole;
    } catch (error) {
      await box.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.programs.map(end));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function run(command: string, args: readonly string[]): ChildProcess {
  const program = spawn(command, args, { stdio: 'ignore' });
  program.on('error', () => undefined);
  return program;
}

async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.pid === undefined) return;
  const ended = once(program, 'exit');
  program.kill('SIGTERM');
  await ended;
}

/** rtpengine's control protocol: a cookie, and a bencoded dictionary. */
async function ping(port: number): Promise<boolean> {
  return (await exchange(port, 'kit d7:command4:pinge')).includes('pong');
}

/** Any response to an OPTIONS shows that somebody listens; Parley behind it answers 200. */
async function options(port: number): Promise<boolean> {
  const request = [
    `OPTIONS sip:kit@127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK${Date.now()}`,
    'From: <sip:kit@127.0.0.1>;tag=kit',
    `To: <sip:kit@127.0.0.1:${port}>`,
    `Call-ID: ${Date.now()}@kit`,
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 5',
    'Content-Length: 0',
  ];
  return (await exchange(port, `${request.join('\r\n')}\r\n\r\n`)).startsWith('SIP/2.0 200');
}

/** Sends a datagram and takes the first that comes back, '' when none does. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = createSocket('udp4');
  try {
    return await new Promise<string>((resolve) => {
      const timer = setTimeout(() => resolve(''), 500);
      socket.once('message', (answer) => {
        clearTimeout(timer);
        resolve(answer.toString());
      });
      socket.send(text, port, '127.0.0.1');
    });
  } finally {
    socket.close();
  }
}
