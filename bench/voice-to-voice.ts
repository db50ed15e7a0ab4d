import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../test/kit/scratch.js';
import { CLI, ROOT, Server } from '../test/kit/server.js';
import { type CallLines, FULL, QUICK } from './callers.js';
import { type BenchOptions, type BenchResult, spread, spreadText } from './report.js';

/** What this bench reads of `parley call --json`. */
interface CallReport {
  answered: boolean;
  answerMs: number | null;
  greetingMs: number | null;
  turns: { said: string; voiceToVoiceMs: number | null; cutOff: boolean }[];
}

const AT_ONCE = 2;

/**
 * Voice to voice on the wire: from the last voiced sample that a caller sent to the first agent sample that it
 * received, over a fixed script of callers who pause inside a third of their turns.
 */
export async function voiceToVoice({ quick }: BenchOptions): Promise<BenchResult> {
  const server = await Server.start({ env: { PARLEY_LOG_LEVEL: 'warn' } });
  try {
    const waiting = [...(quick ? QUICK : FULL)];
    const reports: CallReport[] = [];
    const caller = async () => {
      for (let call = waiting.shift(); call; call = waiting.shift()) reports.push(await dial(server, call));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, caller));
    return summary(reports);
  } finally {
    await server.stop();
  }
}

function summary(reports: readonly CallReport[]): BenchResult {
  const turns = reports.flatMap((report) => report.turns);
  const numbers = (values: (number | null)[]) => values.filter((value) => value !== null);
  const voice = spread(numbers(turns.map((turn) => turn.voiceToVoiceMs)));
  const greeting = spread(numbers(reports.map((report) => report.greetingMs)));
  const answer = spread(numbers(reports.map((report) => report.answerMs)));
  const cutOff = turns.filter((turn) => turn.cutOff).length / Math.max(1, turns.length);
  const unanswered = turns.filter((turn) => turn.voiceToVoiceMs === null).length;
  return {
    rows: [
      ['calls', `${reports.filter((report) => report.answered).length} answered of ${reports.length}`],
      ['turns', `${turns.length}, ${unanswered} of them without an answer`],
      ['voice to voice', spreadText(voice)],
      ['turns cut off', `${(cutOff * 100).toFixed(1)} %`],
      ['ACK to greeting', spreadText(greeting)],
      ['INVITE to 200', spreadText(answer)],
    ],
    values: {
      calls: reports.length,
      turns: turns.length,
      unanswered,
      voiceToVoiceMs: voice,
      cutOffShare: Math.round(cutOff * 1000) / 1000,
      greetingMs: greeting,
      answerMs: answer,
    },
  };
}

/** One scripted call by Parley's own caller, which takes its times from the packets. */
async function dial(server: Server, { number, lines }: CallLines): Promise<CallReport> {
  const folder = scratchFolder('bench');
  try {
    const script = join(folder.path, 'script.yaml');
    // The last reply need not be heard out: its first sample is what counts.
    const steps = lines.map((say, index) => (index === lines.length - 1 ? { say, hangUp: 'reply' } : { say }));
    // JSON is YAML.
    writeFileSync(script, JSON.stringify({ steps }));
    const uri = `sip:${number}@${server.sip.host}:${server.sip.port}`;
    const output = await run([CLI, 'call', uri, '--script', script, '--json', '--no-transcribe']);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  } finally {
    folder.remove();
  }
}

function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}
