import { readFileSync } from 'node:fs';
import { assertComplete, Server } from '../test/kit/server.js';
import { runSipp, type SippResult } from '../test/kit/sipp.js';
import { speak } from '../test/kit/speech.js';
import { type BenchOptions, type BenchResult, spread, spreadText } from './report.js';

const STAY_MS = { inSequence: 300, atOnce: 4000 };

/** Many short calls with RTP by sipp, in sequence and at once: are all answered, and does memory stay flat? */
export async function calls({ quick }: BenchOptions): Promise<BenchResult> {
  const size = quick ? { warm: 3, half: 10, atOnce: 10 } : { warm: 10, half: 100, atOnce: 40 };
  const server = await Server.start({ env: { PARLEY_LOG_LEVEL: 'warn' } });
  try {
    const says = await speak('Where is my order?');
    const dial = (count: number, atOnce: number, stayMs: number) =>
      runSipp({ scenario: 'caller', target: server.sip, calls: count, atOnce, says, stayMs, timeoutS: 300 });
    // The first calls fill caches and let the engines compile their hot paths.
    await dial(size.warm, 1, STAY_MS.inSequence);
    const start = await memory(server);
    const first = await dial(size.half, 1, STAY_MS.inSequence);
    const middle = await memory(server);
    const second = await dial(size.half, 1, STAY_MS.inSequence);
    const afterSequence = await memory(server);
    const atOnce = await dial(size.atOnce, size.atOnce, STAY_MS.atOnce);
    const end = await memory(server);
    return summary(server, { inSequence: [first, second], atOnce, memoryMb: { start, middle, afterSequence, end } });
  } finally {
    await server.stop();
  }
}

interface Measured {
  inSequence: SippResult[];
  atOnce: SippResult;
  memoryMb: { start: number; middle: number; afterSequence: number; end: number };
}

function summary(server: Server, { inSequence, atOnce, memoryMb }: Measured): BenchResult {
  const journals = [...server.journals().values()];
  const complete = journals.filter(isComplete).length;
  const answer = spread(
    journals.flatMap((events) => events.flatMap((e) => (e.type === 'call.answered' ? [e.ms] : []))),
  );
  const sum = (pick: (result: SippResult) => number) => inSequence.reduce((total, result) => total + pick(result), 0);
  const sequence = { succeeded: sum((result) => result.succeeded), failed: sum((result) => result.failed) };
  const { start, middle, afterSequence, end } = memoryMb;
  return {
    rows: [
      ['in sequence', `${sequence.succeeded} succeeded, ${sequence.failed} failed`],
      ['at once', `${atOnce.succeeded} succeeded, ${atOnce.failed} failed`],
      ['transcripts', `${complete} complete of ${journals.length}`],
      ['INVITE to 200', spreadText(answer)],
      [
        'memory (RSS)',
        `${start} MB at start, ${middle} half-way, ${afterSequence} after the sequence, ${end} at the end`,
      ],
    ],
    values: {
      inSequence: sequence,
      atOnce: { succeeded: atOnce.succeeded, failed: atOnce.failed },
      transcripts: { complete, of: journals.length },
      answerMs: answer,
      memoryMb,
    },
  };
}

function isComplete(events: Parameters<typeof assertComplete>[0]): boolean {
  try {
    assertComplete(events);
    return true;
  } catch {
    return false;
  }
}

/** Resident memory of the server when nothing is open, MB. */
async function memory(server: Server): Promise<number> {
  await server.waitForIdle(30_000);
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1] ?? '0';
  return Math.round(Number(kilobytes) / 1024);
}
