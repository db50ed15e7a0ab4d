import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { StoredEvent } from '../src/journal/events.js';
import { latencyPicture } from './latency-picture.js';
import { terminalPicture } from './terminal-picture.js';

/* Calls the example order desk, and draws what was seen: `npm run pictures` writes docs/pictures/ anew. */

const CLI = fileURLToPath(new URL('../dist/cli/parley.js', import.meta.url));
const PICTURES = fileURLToPath(new URL('../docs/pictures/', import.meta.url));
const LINES = ['What are your opening hours?', 'Where is my order?', 'It is four eight two seven one five.'];

const folder = mkdtempSync(join(tmpdir(), 'parley-pictures-'));
const server = spawn(
  process.execPath,
  [CLI, 'serve', '--sip', '127.0.0.1:0', '--http', '127.0.0.1:0', '--data', folder],
  {
    env: {
      ...process.env,
      PARLEY_LOG_LEVEL: 'error',
      PARLEY_LIMITS_LOAD_LOOP_MS: '0',
      PARLEY_LIMITS_LOAD_MEDIA_MS: '0',
      PARLEY_LIMITS_LOAD_SPEECH_BACKLOG: '0',
      DRACHTIO_HOST: undefined,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
try {
  const { sip }: { sip: string } = JSON.parse(await firstLine(server));
  const said = LINES.flatMap((line) => ['--say', line]);
  // The first call finds nothing compiled and nothing cached: it is not what callers meet.
  await outputOf(['call', `sip:8001@${sip}`, ...said]);
  const output = await outputOf(['call', `sip:8001@${sip}`, ...said]);
  const journal = await outputOf(['calls', 'show', 'last', '--json', '--data', folder]);
  const events: StoredEvent[] = JSON.parse(journal);
  mkdirSync(PICTURES, { recursive: true });
  const typed = `$ npx parley call ${LINES.map((line) => `--say "${line}"`).join(' \\\n    ')}`;
  writeFileSync(
    join(PICTURES, 'call.svg'),
    terminalPicture(`${typed}\n${output.replace(sip, '127.0.0.1:5060').trimEnd()}`),
  );
  writeFileSync(join(PICTURES, 'latency.svg'), latencyPicture(events));
  console.log(output);
} finally {
  server.kill();
  await once(server, 'exit');
  rmSync(folder, { recursive: true });
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout) for await (const line of createInterface(stdout)) return line;
  throw new Error('the server did not start');
}

async function outputOf(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`parley ${args.join(' ')}: exit code ${code}\n${output}`);
  return output;
}
