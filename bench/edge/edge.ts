import type { BenchOptions, BenchResult } from '../report.js';
import { type Program, startEdgeProgram, startNpmSip } from './programs.js';
import { runLoad } from './sipp.js';

/** Calls per second, one load after another until one is too much. */
const LOADS = [25, 50, 100, 150, 200, 300, 400, 500, 600, 800, 1000, 1250, 1500, 2000];

/** A load is carried when no call failed and 99 of 100 were answered within this many ms. */
const P99_MS = 100;

interface Step {
  perSecond: number;
  p50: number;
  p99: number;
  failed: number;
  repeated: number;
  /** Processor time of edge and application per call, ms. */
  cpuMs: number;
  carried: boolean;
}

/** New calls per second, INVITE to BYE, that one core takes: the edge with drachtio-srf behind it, and npm `sip`. */
export async function edge({ quick }: BenchOptions): Promise<BenchResult> {
  const parley = await climb(startEdgeProgram, quick);
  const npmSip = await climb(startNpmSip, quick);
  return {
    rows: [...rowsOf('edge and drachtio-srf', parley), ...rowsOf('npm sip', npmSip)],
    values: {
      edge: { carried: carriedBy(parley), steps: parley },
      npmSip: { carried: carriedBy(npmSip), steps: npmSip },
    },
  };
}

async function climb(start: () => Promise<Program>, quick: boolean): Promise<Step[]> {
  const program = await start();
  const steps: Step[] = [];
  try {
    // The first calls let the engine compile its hot paths.
    await runLoad({ scenario: 'call', port: program.port, calls: quick ? 100 : 500, perSecond: 50, holdMs: 100 });
    for (const perSecond of quick ? LOADS.filter((load) => load === 50 || load === 200) : LOADS) {
      // Another program may have taken the core for a moment: only what fails twice is too much.
      const first = await measure(program, perSecond, quick);
      const step = first.carried ? first : await measure(program, perSecond, quick);
      steps.push(step);
      if (!step.carried) break;
    }
    return steps;
  } finally {
    await program.stop();
  }
}

async function measure(program: Program, perSecond: number, quick: boolean): Promise<Step> {
  const calls = perSecond * (quick ? 3 : 10);
  const cpuBefore = program.cpuMs();
  const result = await runLoad({ scenario: 'call', port: program.port, calls, perSecond, holdMs: 500 });
  const rank = (share: number) =>
    result.responseMs[Math.ceil(share * result.responseMs.length) - 1] ?? Number.POSITIVE_INFINITY;
  const failed = calls - result.succeeded;
  return {
    perSecond,
    p50: rank(0.5),
    p99: rank(0.99),
    failed,
    repeated: result.repeated,
    cpuMs: round((program.cpuMs() - cpuBefore) / calls),
    carried: failed === 0 && rank(0.99) <= P99_MS,
  };
}

function carriedBy(steps: readonly Step[]): number {
  return Math.max(0, ...steps.filter(({ carried }) => carried).map(({ perSecond }) => perSecond));
}

function rowsOf(name: string, steps: readonly Step[]): [string, string][] {
  return [
    [name, `${carriedBy(steps)} calls/s carried (none failed, p99 within ${P99_MS} ms)`],
    ...steps.map(({ perSecond, p50, p99, failed, repeated, cpuMs }): [string, string] => [
      `  ${perSecond} calls/s`,
      `200 after ${round(p50)} ms, p99 ${round(p99)} ms; ${failed} failed, ${repeated} repeated; ${cpuMs} ms of processor a call`,
    ]),
  ];
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
