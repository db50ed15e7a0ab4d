import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { loadSettings } from '../settings.js';
import { type Api, type ApiOptions, apiOf } from './api.js';
import { failureLines, print } from './output.js';
import { type Top, topLines } from './top/screen.js';

interface Options extends ApiOptions {
  config?: string;
  interval: number;
  once?: boolean;
  json?: boolean;
}

/** q, Q, Ctrl-C: in raw mode it is a key like others. */
const END_KEYS: ReadonlySet<number> = new Set([0x71, 0x51, 0x03]);
/** Another screen and no cursor; back again. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

/** `parley top`: the live calls. */
export function register(program: Command): void {
  program
    .command('top')
    .description('Shows the live calls of a running server, and what it has to do; q ends it.')
    .option('-c, --config <file>', 'configuration file')
    .option('--url <url>', 'the server; otherwise that of the configuration')
    .option('--token <token>', 'of a viewer; otherwise PARLEY_TOKEN or http.token')
    .option('--interval <seconds>', 'how often it is looked at', seconds, 1)
    .option('--once', 'once, as text; also when the output is no terminal')
    .option('--json', 'once, as one JSON object')
    .action((options: Options) => top(options));
}

async function top(options: Options): Promise<void> {
  const api = apiOf(loadSettings(options.config), options);
  if (options.json) return print(JSON.stringify(await look(api)));
  if (options.once || !process.stdout.isTTY) {
    for (const line of topLines(await look(api), { width: Number.POSITIVE_INFINITY })) print(line);
    return;
  }
  await watch(api, options.interval);
}

async function look(api: Api): Promise<Top> {
  const [{ calls }, stats] = (await Promise.all([api.get('/v1/calls'), api.get('/v1/stats')])) as [Top, Top['stats']];
  return { url: api.url, calls, stats };
}

/** Until q or Ctrl-C. A server that is away is waited for. */
async function watch(api: Api, interval: number): Promise<void> {
  const stop = new AbortController();
  const end = () => stop.abort();
  const key = (bytes: Buffer) => bytes.some((byte) => END_KEYS.has(byte)) && end();
  const { stdin, stdout } = process;
  let draw = () => undefined;
  const resized = () => draw();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  if (stdin.isTTY) stdin.setRawMode(true).resume().on('data', key);
  stdout.on('resize', resized).write(ENTER);
  try {
    while (!stop.signal.aborted) {
      const seen = await look(api).catch((error: unknown) => failureLines(error));
      draw = () => {
        const size = { width: stdout.columns ?? 80, height: stdout.rows ?? 24 };
        const lines = Array.isArray(seen) ? seen.map((line) => line.slice(0, size.width)) : topLines(seen, size);
        stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`);
        return undefined;
      };
      draw();
      await delay(interval * 1000, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    stdout.off('resize', resized).write(LEAVE);
    if (stdin.isTTY) stdin.off('data', key).setRawMode(false).pause();
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.2 && value <= 3600)) throw new InvalidArgumentError('write seconds, from 0.2 on.');
  return value;
}
