import { afterEach, expect, it, vi } from 'vitest';
import type { CallReport } from './report.js';
import { printEnd } from './show.js';

afterEach(() => vi.restoreAllMocks());

function printed(delays: (number | null)[]): string {
  let output = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += String(text);
    return true;
  });
  const turns = delays.map((voiceToVoiceMs) => ({ said: 'a', heard: 'b', voiceToVoiceMs, cutOff: false, atMs: 0 }));
  const report: CallReport = {
    uri: 'sip:8001@127.0.0.1',
    ok: true,
    answered: true,
    answerMs: 40,
    greetingMs: 60,
    greeting: 'Hello.',
    turns,
    ended: { by: 'caller' },
    durationMs: 8912,
    expectations: [],
  };
  printEnd(report);
  return output;
}

it.each([
  [[655], "the answer began 655 ms after the caller's last word, measured on the wire\n"],
  [[598, null, 487], "answers began 487 to 598 ms after the caller's last word, measured on the wire\n"],
  [[null], ''],
])('says what the times of the answers %j are', (delays, line) => {
  expect(printed(delays)).toBe(`ended by caller after 8.9 s\n${line}`);
});
