import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchOptions, BenchResult } from '../report.js';
import { type EdgeProgram, startEdgeProgram } from './programs.js';
import { runLoad } from './sipp.js';

const GAUGES = ['transactions', 'dialogs', 'timers', 'tcp_connections'] as const;

/** How long a transaction may linger for repetitions of its last message, ms: 64*T1 (RFC 3261 table 4), and a little. */
const LINGER_MS = 34_000;

type Counts = Record<string, number>;

/** Many calls by UDP and TCP, and calls that are cancelled: is everything of theirs gone afterwards? */
export async function edgeSoak({ quick }: BenchOptions): Promise<BenchResult> {
  const program = await startEdgeProgram();
  try {
    const perSecond = quick ? 100 : 200;
    const total = quick ? 500 : 20_000;
    const before = await countsOf(program);
    const share = (part: number) => ({ port: program.port, calls: Math.round(total * part), perSecond, holdMs: 200 });
    const runs = [
      await runLoad({ scenario: 'call', ...share(0.7) }),
      await runLoad({ scenario: 'call', ...share(0.2), tcp: true }),
      await runLoad({ scenario: 'cancel', ...share(0.1) }),
    ];
    const during = await countsOf(program);
    const after = await settled(program, before);
    const sum = (pick: (run: (typeof runs)[number]) => number) => runs.reduce((all, run) => all + pick(run), 0);
    const calls = { succeeded: sum((run) => run.succeeded), failed: sum((run) => run.failed), total };
    const left = Object.keys(before).filter((name) => name !== 'rssMb' && after[name] !== before[name]);
    return {
      rows: [
        [
          'calls',
          `${calls.succeeded} of ${total} succeeded (70 % UDP, 20 % TCP, 10 % cancelled), ${calls.failed} failed`,
        ],
        ['before', textOf(before)],
        ['as they ended', textOf(during)],
        [`at most ${LINGER_MS / 1000} s later`, textOf(after)],
        ...runs
          .filter(({ errors }) => errors !== '')
          .map(({ errors }): [string, string] => ['sipp says', errors.trim()]),
        ['left behind', left.length === 0 ? 'nothing' : left.join(', ')],
      ],
      values: { calls, before, during, after, leftBehind: left },
    };
  } finally {
    await program.stop();
  }
}

async function settled(program: EdgeProgram, before: Counts): Promise<Counts> {
  const end = performance.now() + LINGER_MS;
  for (;;) {
    const counts = await countsOf(program);
    const gone = GAUGES.every((name) => counts[name] === before[name]) && counts.sockets === before.sockets;
    if (gone || performance.now() > end) return counts;
    await delay(500);
  }
}

async function countsOf(program: EdgeProgram): Promise<Counts> {
  const counts: Counts = {};
  for (const name of GAUGES) counts[name] = await program.gauge(name);
  counts.sockets = await socketsOf(program.pid);
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))?.[1];
  counts.rssMb = Math.round(Number(kilobytes) / 1024);
  return counts;
}

/** Open sockets of a process; the connection that asks for its metrics is one of them. */
async function socketsOf(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  const links = readdirSync(folder).map((name) => {
    try {
      return readlinkSync(`${folder}/${name}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith('socket:')).length;
}

function textOf(counts: Counts): string {
  return Object.entries(counts)
    .map(([name, value]) => `${value} ${name === 'rssMb' ? 'MB resident' : name.replace('_', ' ')}`)
    .join(', ');
}
