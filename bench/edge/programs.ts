import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { CLI } from '../../test/kit/server.js';

/** A program under measurement, on a core of its own where the machine has two. */
export interface Program {
  readonly pid: number;
  /** Processor time used so far by it, and by the application behind it, ms. */
  cpuMs(): number;
  /** SIP port on 127.0.0.1, UDP and TCP. */
  readonly port: number;
  stop(): Promise<void>;
}

/** An edge and the drachtio-srf application behind it, both on one core. */
export interface EdgeProgram extends Program {
  /** A value of `/metrics` by name, without its prefix. */
  gauge(name: string): Promise<number>;
}

const SECRET = 'bench';

/** Core 0 is for what is measured, the others are for the callers. */
export function pinned(program: string, args: readonly string[], what: 'measured' | 'callers'): [string, string[]] {
  if (availableParallelism() < 2 || !hasTaskset()) return [program, [...args]];
  const cores = what === 'measured' ? '0' : `1-${availableParallelism() - 1}`;
  return ['taskset', ['-c', cores, program, ...args]];
}

export function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function start(args: readonly string[], ready: RegExp): Promise<{ child: ChildProcess; line: string }> {
  const [command, rest] = pinned(process.execPath, args, 'measured');
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (!child.stdout) throw new Error('no output');
  for await (const line of createInterface(child.stdout)) {
    if (ready.test(line)) return { child, line };
  }
  throw new Error(`${args.join(' ')} ended before it was ready`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

export async function startEdgeProgram(): Promise<EdgeProgram> {
  const anywhere = ['--sip', '127.0.0.1:0', '--control', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  const edge = await start([CLI, 'edge', ...anywhere, '--secret', SECRET, '--log-level', 'warn'], /"ready":true/);
  const { sip, control, http }: Record<string, string> = JSON.parse(edge.line);
  const app = await start(['bench/edge/answering-app.mjs', portOf(control), SECRET], /^ready$/);
  return {
    pid: edge.child.pid ?? 0,
    cpuMs: () => cpuMs(edge.child.pid) + cpuMs(app.child.pid),
    port: Number(portOf(sip)),
    gauge: async (name) => {
      const text = await (await fetch(`http://${http}/metrics`)).text();
      return Number(new RegExp(`^parley_edge_${name} (\\d+)$`, 'm').exec(text)?.[1]);
    },
    stop: async () => {
      await end(app.child);
      await end(edge.child);
    },
  };
}

export async function startNpmSip(): Promise<Program> {
  const port = await freePort();
  const server = await start(['bench/edge/npm-sip-server.mjs', String(port)], /^ready$/);
  const { pid = 0 } = server.child;
  return { pid, port, cpuMs: () => cpuMs(pid), stop: () => end(server.child) };
}

/** User and system time of a process, ms; /proc counts it in hundredths of a second. */
function cpuMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function portOf(address: string | undefined): string {
  return address?.split(':').at(-1) ?? '';
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
