import type { CallEnd } from './phone-call.js';

/** One line of the caller and what the agent did about it. Times in ms. */
export interface TurnReport {
  /** Empty for a silence that was kept. */
  said: string;
  /** What the recogniser heard of the agent; empty when nothing was said, or with --no-transcribe. */
  heard: string;
  /** Last voiced sample sent to first agent sample received; null when no answer came. */
  voiceToVoiceMs: number | null;
  /** The agent began to speak while the line was still being said. */
  cutOff: boolean;
  /** For a line said over the agent: how long the agent went on speaking. */
  stoppedMs?: number;
  /** When the line began, since the call was answered. */
  atMs: number;
}

/** One thing that was to be true. */
export interface ExpectationReport {
  /** Step of the script, from 1; absent for what concerns the whole call. */
  step?: number;
  expect: string;
  ok: boolean;
  /** What was so instead, or in what way it was met. */
  actual: string;
}

/** A finished scripted call: the one JSON object of `parley call --json`. */
export interface CallReport {
  uri: string;
  /** Answered, and every expectation met. */
  ok: boolean;
  answered: boolean;
  /** Final SIP status of the INVITE. */
  status?: number;
  reason?: string;
  /** INVITE to 200, ms. */
  answerMs: number | null;
  /** ACK to the first sample of the agent, ms; null when it said nothing before the caller did. */
  greetingMs: number | null;
  greeting: string;
  turns: TurnReport[];
  ended: CallEnd;
  /** Answer to end, ms. */
  durationMs: number;
  expectations: ExpectationReport[];
}
