import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ParleyError, reasonOf } from '../errors.js';
import { type AudioOptions, legRate } from '../rtp/sdp/sdp.js';
import type { LogLevel } from '../telemetry/log.js';
import { findRoute } from './call/address.js';
import { type CallOptions, defineCall } from './call/arguments.js';
import { type PreparedLine, prepareLine } from './call/lines.js';
import { Phone } from './call/phone.js';
import { type CallTools, type PlacedCall, placeCall } from './call/place-call.js';
import { stereoWav } from './call/recording.js';
import type { CallReport } from './call/report.js';
import type { CallScript } from './call/script.js';
import { printEnd, printSummary, tellingWatcher } from './call/show.js';
import { callerVoice, startTranscriber } from './call/speech-tools.js';
import { EXIT, print, printFailure } from './output.js';

const EXAMPLES = `
Examples:
  parley call --say "Where is my order?"
  parley call sip:8002@127.0.0.1:5060 --say "I need an appointment" --expect "what day"
  parley call --wav question.wav --record call.wav --json
  parley call --script examples/calls/order-status.yaml

Exit code: 0 answered and all as expected, 1 not, 2 wrong usage.
`;

/** Of Opus, when it is offered, bit/s. */
const OPUS_BITRATE = 32_000;

/** `parley call`: a scripted caller. */
export function register(program: Command): void {
  const command = program
    .command('call')
    .description('Calls a SIP address, says its lines, listens, measures, and checks what was answered.')
    .addHelpText('after', EXAMPLES);
  defineCall(command, call);
}

async function call(options: CallOptions): Promise<void> {
  let reports: CallReport[] = [];
  try {
    reports = await makeCalls(options);
  } catch (error) {
    if (!options.json || !(error instanceof ParleyError)) throw error;
    printFailure(error);
    print(JSON.stringify(failedReport(options.uri, error)));
  }
  if (options.json && reports.length > 0) print(JSON.stringify(options.repeat === 1 ? reports[0] : { calls: reports }));
  else if (options.repeat > 1) printSummary(reports);
  if (!process.exitCode && (reports.length < options.repeat || reports.some(({ ok }) => !ok)))
    process.exitCode = EXIT.failed;
}

async function makeCalls(options: CallOptions): Promise<CallReport[]> {
  const { uri, script, codecs, transcribe } = options;
  const audio: AudioOptions = { codecs, opus: { bitrate: OPUS_BITRATE, dtx: false } };
  const level = logLevel();
  const route = await findRoute(uri);
  const lines = await prepareLines(script, legRate(undefined, audio));
  const [phone, transcriber] = await startAll(
    () => Phone.start(route, audio, level),
    () => (transcribe ? startTranscriber(level) : Promise.resolve(undefined)),
  );
  const interrupted = new AbortController();
  const stop = () => {
    // The second Ctrl-C takes the system's way.
    process.off('SIGINT', stop);
    process.exitCode = 130;
    interrupted.abort();
    void phone.hangUp({ by: 'caller', reason: 'interrupted' });
  };
  process.on('SIGINT', stop);
  try {
    return await repeatCalls(options, { phone, lines, transcriber }, interrupted.signal);
  } finally {
    process.off('SIGINT', stop);
    await Promise.all([phone.close(), transcriber?.close()]);
  }
}

/** Starts two things at once; when one fails the other is closed again. */
async function startAll<A extends { close(): Promise<void> }, B extends { close(): Promise<void> } | undefined>(
  first: () => Promise<A>,
  second: () => Promise<B>,
): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first(), second()]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  if (a.status === 'fulfilled') await a.value.close();
  if (b.status === 'fulfilled') await b.value?.close();
  throw a.status === 'rejected' ? a.reason : b.status === 'rejected' ? b.reason : new Error('unreachable');
}

async function prepareLines(script: CallScript, sampleRate: number): Promise<Map<number, PreparedLine>> {
  const lines = new Map<number, PreparedLine>();
  if (!script.steps.some(({ action }) => action.kind === 'say')) return lines;
  const { speak, close } = await callerVoice(script.voice, sampleRate);
  try {
    for (const [index, { action }] of script.steps.entries()) {
      if (action.kind === 'say') lines.set(index, await prepareLine(action.pieces, speak, sampleRate));
    }
    return lines;
  } finally {
    await close();
  }
}

async function repeatCalls(options: CallOptions, tools: CallTools, signal: AbortSignal): Promise<CallReport[]> {
  const reports: CallReport[] = [];
  let next = 0;
  const caller = async () => {
    while (next < options.repeat && !signal.aborted) reports.push(await oneCall(++next, options, tools));
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, options.repeat) }, caller));
  return reports;
}

async function oneCall(number: number, options: CallOptions, tools: CallTools): Promise<CallReport> {
  const { uri, script, json, repeat, transcribe } = options;
  const tells = !json && repeat === 1;
  if (tells) print(`calling ${uri}`);
  const placed = await placeCall(uri, script, tools, tells ? tellingWatcher(transcribe) : {});
  if (options.record) record(numbered(options.record, number, repeat), placed);
  if (tells) printEnd(placed.report);
  const unreachable = unreachableReason(placed.report);
  if (unreachable !== undefined) {
    const hint = 'Is `parley serve` running, and does it take calls from this address?';
    printFailure(new ParleyError('PARLEY_ERR_CALL_FAILED', { uri, reason: unreachable, hint }));
  }
  return placed.report;
}

/** Why nobody took the call; undefined when somebody did, or refused it. */
function unreachableReason({ ended, status, reason }: CallReport): string | undefined {
  if (ended.by === 'timeout') return ended.reason;
  return status === 408 || status === 503 ? `${status} ${reason}` : undefined;
}

function record(file: string, { call, report }: PlacedCall): void {
  if (!report.answered) return;
  const sides = { caller: call.played, agent: call.heard.pieces() };
  try {
    writeFileSync(file, stereoWav(sides, call.answeredAt ?? 0, call.sampleRate));
  } catch (error) {
    throw new ParleyError('PARLEY_ERR_FILE_WRITE', { file, reason: reasonOf(error) }, { cause: error });
  }
}

/** `call.wav` is `call-3.wav` for the third of several. */
function numbered(file: string, number: number, of: number): string {
  return of === 1 ? file : file.replace(/(\.[^./]*)?$/, `-${number}$1`);
}

function failedReport(uri: string, error: ParleyError): object {
  const { code, message, mend } = error;
  return {
    uri,
    ok: false,
    answered: false,
    answerMs: null,
    greetingMs: null,
    greeting: '',
    turns: [],
    ended: { by: 'error', reason: message },
    durationMs: 0,
    expectations: [],
    error: { code, message, mend },
  };
}

function logLevel(): LogLevel {
  const levels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];
  return levels.find((level) => level === process.env.PARLEY_LOG) ?? 'error';
}
