import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../test/kit/scratch.js';
import { CLI, ROOT, type Server } from '../test/kit/server.js';

/** What the benches read of `parley call --json`. */
export interface ScriptedCallReport {
  answered: boolean;
  answerMs: number | null;
  greetingMs: number | null;
  turns: { said: string; voiceToVoiceMs: number | null; cutOff: boolean }[];
}

/** One scripted call by Parley's own caller, which takes its times from the packets. */
export async function scriptedCall(
  server: Server,
  number: string,
  steps: readonly object[],
): Promise<ScriptedCallReport> {
  const folder = scratchFolder('bench');
  try {
    const script = join(folder.path, 'script.yaml');
    // JSON is YAML.
    writeFileSync(script, JSON.stringify({ steps }));
    const uri = `sip:${number}@${server.sip.host}:${server.sip.port}`;
    const output = await run([CLI, 'call', uri, '--script', script, '--json', '--no-transcribe']);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  } finally {
    folder.remove();
  }
}

/** Runs tasks in order, so many at a time. */
export async function inTurn(tasks: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  const waiting = [...tasks];
  const worker = async () => {
    for (let task = waiting.shift(); task; task = waiting.shift()) await task();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
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
