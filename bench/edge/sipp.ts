import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../../test/kit/scratch.js';
import { ROOT } from '../../test/kit/server.js';
import { pinned } from './programs.js';

/** A run of one scenario of this folder. */
export interface Load {
  readonly scenario: 'call' | 'cancel';
  readonly port: number;
  readonly calls: number;
  readonly perSecond: number;
  /** How long a call lasts, ms. */
  readonly holdMs: number;
  readonly tcp?: boolean;
}

export interface LoadResult {
  readonly succeeded: number;
  readonly failed: number;
  /** INVITE and BYE repeated by sipp, since their answer took more than 500 ms. */
  readonly repeated: number;
  /** INVITE to 200, ms; sorted. */
  readonly responseMs: readonly number[];
  readonly seconds: number;
  /** The beginning of sipp's own account of what went wrong. */
  readonly errors: string;
}

/** Runs sipp as the callers. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const folder = scratchFolder('sipp-load');
  try {
    const began = performance.now();
    await run(folder.path, [
      `127.0.0.1:${load.port}`,
      ...['-sf', join(ROOT, 'bench/edge', `${load.scenario}.xml`)],
      ...['-s', '8001', '-i', '127.0.0.1', '-t', load.tcp ? 't1' : 'u1'],
      ...['-m', String(load.calls), '-l', '10000', '-r', String(load.perSecond), '-d', String(load.holdMs)],
      ...['-recv_timeout', '10000', '-timeout', '600s', '-nostdin', '-rtt_freq', '1'],
      ...['-trace_rtt', '-trace_stat', '-stf', 'statistics.csv', '-fd', '1', '-trace_err', '-error_file', 'errors.log'],
    ]);
    const seconds = (performance.now() - began) / 1000;
    const statistics = lastRow(join(folder.path, 'statistics.csv'));
    const errors = join(folder.path, 'errors.log');
    return {
      succeeded: statistics('SuccessfulCall(C)'),
      failed: statistics('FailedCall(C)'),
      repeated: statistics('Retransmissions(C)'),
      responseMs: responseTimes(folder.path),
      seconds,
      errors: existsSync(errors) ? readFileSync(errors, 'utf8').slice(0, 500) : '',
    };
  } finally {
    folder.remove();
  }
}

function run(cwd: string, args: readonly string[]): Promise<void> {
  const [command, rest] = pinned('sipp', args, 'callers');
  return new Promise((resolve) => execFile(command, rest, { cwd, maxBuffer: 1 << 28 }, () => resolve()));
}

function lastRow(file: string): (name: string) => number {
  const rows = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const names = (rows[0] ?? '').split(';');
  const values = (rows.at(-1) ?? '').split(';');
  return (name) => Number(values[names.indexOf(name)] ?? 0);
}

/** sipp writes one line a call: time of day; response time in ms; number of the timer. */
function responseTimes(folder: string): number[] {
  const file = readdirSync(folder).find((name) => name.endsWith('_rtt.csv'));
  if (!file) return [];
  const rows = readFileSync(join(folder, file), 'utf8').trim().split('\n').slice(1);
  return rows.map((row) => Number(row.split(';')[1])).sort((a, b) => a - b);
}
