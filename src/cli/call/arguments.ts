import { type Command, InvalidArgumentError, Option } from 'commander';
import { opusLibrary } from '../../audio/opus.js';
import { CODEC_NAMES, type CodecName } from '../../rtp/negotiated.js';
import { DURATION_FORM, parseDuration } from './duration.js';
import { type CallScript, DEFAULTS, ENDS, heardPattern, KEYS, loadScript, type Step } from './script.js';
import { callerVoices } from './speech-tools.js';

const DEFAULT_URI = 'sip:8001@127.0.0.1:5060';
/** A call over a telephone line. */
const DEFAULT_CODECS: readonly CodecName[] = ['PCMU', 'PCMA'];

/** What `parley call` is told, besides its lines. */
interface RawOptions {
  script?: string;
  from?: string;
  header: Record<string, string>;
  codecs: readonly CodecName[];
  voice?: string;
  wait: boolean;
  hangUpAfter?: number;
  timeout?: number;
  quiet?: number;
  expectEnd?: (typeof ENDS)[number];
  record?: string;
  json?: boolean;
  transcribe: boolean;
  repeat: number;
  concurrency: number;
}

/** A command line as it is meant. */
export interface CallOptions {
  uri: string;
  script: CallScript;
  /** Offered, in this order. */
  codecs: readonly CodecName[];
  record: string | undefined;
  json: boolean;
  transcribe: boolean;
  repeat: number;
  concurrency: number;
}

/** Adds the options of `parley call`; `run` gets them as they are meant. */
export function defineCall(command: Command, run: (options: CallOptions) => Promise<void>): Command {
  // Lines and what is expected of their answers keep the order in which they were given.
  const steps: Step[] = [];
  const add = (piece: { kind: 'text'; text: string } | { kind: 'wav'; file: string }) => {
    steps.push({ action: { kind: 'say', pieces: [piece] }, after: { kind: 'agent' } });
  };
  return command
    .argument('[sip-uri]', `what to call (default: ${DEFAULT_URI})`)
    .option('--say <text>', 'say this; may be repeated', (text: string) => add({ kind: 'text', text }))
    .option('--wav <file>', 'play this recording; may be repeated, also between --say', (file: string) =>
      add({ kind: 'wav', file }),
    )
    .option(
      '--keys <keys>',
      'press these, with , (1 s) and w (0.5 s) as pauses; may be repeated, also between --say',
      (text) => {
        steps.push({ action: { kind: 'press', keys: keysOf(text) }, after: { kind: 'agent' } });
      },
    )
    .option('--expect <regex>', 'the answer to the line before matches this (without a line: the greeting)', (regex) =>
      expectLast(steps, regex),
    )
    .option('--script <file>', 'a scripted call: see docs/guides/scripted-calls.md')
    .option('--from <address>', 'who calls: a number or a SIP address')
    .option('--header <header>', `header of the INVITE, 'Name: value'; may be repeated`, header, {})
    .option(
      '--codecs <names>',
      `what to offer, in this order: ${CODEC_NAMES.join(', ')} (default: ${DEFAULT_CODECS.join(',')})`,
      codecNames,
      DEFAULT_CODECS,
    )
    .addOption(new Option('--voice <name>', 'voice of the caller').choices(callerVoices()))
    .option('--no-wait', 'say the first line at once, not after the greeting')
    .option('--quiet <duration>', 'quiet after which the agent has finished (default: 700ms)', duration)
    .option(
      '--timeout <duration>',
      'longest wait for the call to be answered, and for a reply (default: 15s)',
      duration,
    )
    .option('--hang-up-after <duration>', 'longest call (default: 5m)', duration)
    .addOption(new Option('--expect-end <who>', 'who is to end the call').choices(ENDS))
    .option('--record <file>', 'stereo WAV of the call: caller left, agent right')
    .option('--json', 'print one JSON object and nothing else')
    .option('--no-transcribe', 'do not write down what the agent says')
    .option('--repeat <n>', 'make the call so often', wholeNumber, 1)
    .option('--concurrency <n>', 'so many at once', wholeNumber, 1)
    .action((uri: string | undefined, options: RawOptions) => run(meaningOf(uri, options, steps)));
}

function meaningOf(uri: string | undefined, options: RawOptions, lines: Step[]): CallOptions {
  if (options.script !== undefined && lines.length > 0) {
    throw new InvalidArgumentError('--script has its own lines: leave out --say, --wav, --keys and --expect');
  }
  if (!options.wait && lines[0]) lines[0] = { ...lines[0], after: { kind: 'time', ms: 0 } };
  const base: CallScript =
    options.script === undefined ? { ...DEFAULTS, headers: {}, steps: lines } : loadScript(options.script);
  const { codecs, record, json = false, transcribe, repeat, concurrency } = options;
  const script: CallScript = {
    ...base,
    from: options.from ?? base.from,
    headers: { ...base.headers, ...options.header },
    voice: options.voice ?? base.voice,
    quietMs: options.quiet ?? base.quietMs,
    timeoutMs: options.timeout ?? base.timeoutMs,
    limitMs: options.hangUpAfter ?? base.limitMs,
    expectEnd: options.expectEnd ?? base.expectEnd,
  };
  if (!transcribe && script.steps.some(({ expect }) => expect && expect.heard.length + expect.notHeard.length > 0)) {
    throw new InvalidArgumentError('what is heard cannot be expected with --no-transcribe');
  }
  return { uri: uri ?? base.call ?? DEFAULT_URI, script, codecs, record, json, transcribe, repeat, concurrency };
}

function keysOf(text: string): string {
  if (!KEYS.test(text)) throw new InvalidArgumentError('write keys: 0-9, *, #, A-D, with , and w as pauses');
  return text;
}

function expectLast(steps: Step[], regex: string): void {
  let pattern: ReturnType<typeof heardPattern>;
  try {
    pattern = heardPattern(`/${regex}/i`);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
  const last = steps.pop() ?? { action: { kind: 'listen' }, after: { kind: 'agent' } };
  const heard = [...(last.expect?.heard ?? []), pattern];
  steps.push({ ...last, expect: { notHeard: [], ...last.expect, heard } });
}

function header(text: string, headers: Record<string, string>): Record<string, string> {
  const parsed = /^([!#$%&'*+.^_`|~\w-]+)\s*:\s*([^\r\n]*)$/.exec(text);
  if (!parsed?.[1]) throw new InvalidArgumentError(`write it as 'Name: value'.`);
  return { ...headers, [parsed[1]]: parsed[2] ?? '' };
}

function codecNames(text: string): CodecName[] {
  const names = text.split(',').map((name) => {
    const known = CODEC_NAMES.find((codec) => codec.toLowerCase() === name.trim().toLowerCase());
    if (!known) throw new InvalidArgumentError(`choose from ${CODEC_NAMES.join(', ')}.`);
    return known;
  });
  if (names.includes('opus') && opusLibrary.problem !== undefined) {
    throw new InvalidArgumentError(`Opus cannot be loaded: ${opusLibrary.problem}`);
  }
  return [...new Set(names)];
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError(`write ${DURATION_FORM}.`);
  return ms;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('write a whole number from 1 on.');
  return number;
}
