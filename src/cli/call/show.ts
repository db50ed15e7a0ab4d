import { print } from '../output.js';
import type { CallWatcher } from './place-call.js';
import type { CallReport } from './report.js';

/** Prints the conversation as it happens. */
export function tellingWatcher(transcribes: boolean): CallWatcher {
  const words = (text: string) => text || (transcribes ? '(no words)' : '(spoke)');
  return {
    answered: (ms) => print(`answered after ${ms} ms`),
    greeted: (text, ms) => {
      if (ms !== undefined) print(`agent   ${words(text)}   (${Math.round(ms)} ms after ACK)`);
    },
    said: (text) => print(`caller  ${text}`),
    heard: (text, { spurts, voiceToVoiceMs, cutOff }) => {
      if (spurts.length === 0) return print('agent   (nothing)');
      const notes = [
        ...(voiceToVoiceMs === undefined ? [] : [`${Math.round(voiceToVoiceMs)} ms`]),
        ...(cutOff ? ['cut the caller off'] : []),
      ];
      print(`agent   ${words(text)}${notes.length > 0 ? `   (${notes.join(', ')})` : ''}`);
    },
  };
}

/** What is left to say when a call is over. */
export function printEnd(report: CallReport): void {
  print(report.answered ? endLine(report) : refusalLine(report));
  const explained = delayLine(report);
  if (explained !== undefined) print(explained);
  for (const { step, expect, ok, actual } of report.expectations) {
    const what = step === undefined ? expect : `step ${step}: ${expect}`;
    print(ok ? `ok      ${what}` : `FAILED  ${what}: ${actual}`);
  }
}

function endLine({ ended, durationMs }: CallReport): string {
  const to = ended.target === undefined ? '' : ` to ${ended.target}`;
  const why = ended.reason === undefined ? '' : ` (${ended.reason})`;
  return `ended by ${ended.by}${to} after ${(durationMs / 1000).toFixed(1)} s${why}`;
}

/** What the times behind the answers are; undefined when there are none. */
function delayLine({ turns }: CallReport): string | undefined {
  const delays = turns.flatMap(({ voiceToVoiceMs }) => (voiceToVoiceMs === null ? [] : [voiceToVoiceMs]));
  if (delays.length === 0) return undefined;
  const [least, most] = [Math.min(...delays), Math.max(...delays)];
  const times = least === most ? `${most} ms` : `${least} to ${most} ms`;
  return `${delays.length === 1 ? 'the answer' : 'answers'} began ${times} after the caller's last word, measured on the wire`;
}

function refusalLine({ status, ended }: CallReport): string {
  const to = ended.target === undefined ? undefined : `to ${ended.target}`;
  return `not answered: ${[ended.by, status, ended.reason, to].filter((part) => part !== undefined).join(' ')}`;
}

/** Many calls in a few lines. */
export function printSummary(reports: readonly CallReport[]): void {
  const delays = reports
    .flatMap(({ turns }) => turns.flatMap(({ voiceToVoiceMs }) => (voiceToVoiceMs === null ? [] : [voiceToVoiceMs])))
    .sort((a, b) => a - b);
  const quantile = (share: number) => delays[Math.min(delays.length - 1, Math.floor(share * delays.length))];
  const cut = reports.flatMap(({ turns }) => turns.filter(({ cutOff }) => cutOff)).length;
  print(
    `${reports.length} calls: ${reports.filter(({ answered }) => answered).length} answered, ${reports.filter(({ ok }) => ok).length} ok`,
  );
  if (delays.length > 0) {
    print(
      `voice to voice: median ${quantile(0.5)} ms, p95 ${quantile(0.95)} ms (${delays.length} answers, ${cut} cut off)`,
    );
  }
}
