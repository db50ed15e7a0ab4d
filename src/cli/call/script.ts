import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { loadYaml } from '../../config/yaml.js';
import { reasonOf } from '../../errors.js';
import { DURATION_FORM, parseDuration } from './duration.js';

/** A part of what the caller says in one go. */
export type Piece = { kind: 'text'; text: string } | { kind: 'pause'; ms: number } | { kind: 'wav'; file: string };

/** When a step begins. */
export type After =
  /** The agent has spoken since the caller's last line and been quiet for a while; the default. */
  | { kind: 'agent' }
  /** This long after the agent began to speak, for talking over it. */
  | { kind: 'agent-speech'; ms: number }
  /** This long after the previous step ended, whatever the agent does. */
  | { kind: 'time'; ms: number };

/** What is to be true of the agent's answer to a step. */
export interface Expectation {
  /** Each is heard. */
  heard: readonly HeardPattern[];
  /** None is heard. */
  notHeard: readonly HeardPattern[];
  /** Longest time from the caller's last voiced sample (first step without a line: from the ACK) to the agent's first, ms. */
  withinMs?: number | undefined;
  /** Whether the agent began to speak before the caller's line was over. */
  cutOff?: boolean | undefined;
  /** Longest time the agent goes on speaking after the caller began to talk over it, ms. */
  stopsMs?: number | undefined;
}

/** A pattern as it was written, with its test on the words heard. */
export interface HeardPattern {
  source: string;
  matches(heard: string): boolean;
}

/** Moments at which a script can hang up. */
export type HangUpMoment = 'invite' | 'greeting' | 'now' | 'speech' | 'thinking' | 'reply';

/** One step of a scripted call. */
export interface Step {
  action:
    | { kind: 'say'; pieces: readonly Piece[] }
    /** Keys, with `,` (1 s) and `w` (500 ms) as pauses. */
    | { kind: 'press'; keys: string }
    | { kind: 'wait'; ms: number }
    | { kind: 'listen' };
  after: After;
  hangUp?: HangUpMoment | undefined;
  expect?: Expectation | undefined;
}

/** Who may be expected to end a call. */
export const ENDS = ['agent', 'caller', 'transfer', 'rejected', 'cancelled', 'limit'] as const;

/** A scripted call, from YAML or from the command line. Durations in ms. */
export interface CallScript {
  call?: string | undefined;
  from?: string | undefined;
  headers: Readonly<Record<string, string>>;
  voice?: string | undefined;
  /** Quiet after which the agent has finished speaking. */
  quietMs: number;
  /** Longest wait for the call to be answered and for each reply. */
  timeoutMs: number;
  /** Longest call. */
  limitMs: number;
  steps: readonly Step[];
  expectEnd?: (typeof ENDS)[number] | undefined;
}

export const DEFAULTS = { quietMs: 700, timeoutMs: 15_000, limitMs: 300_000 } as const;

/** What can be pressed. */
export const KEYS = /^[0-9*#A-Da-d,w]{1,64}$/;

const duration = z.union([z.string(), z.number()]).transform((value, context) => {
  const ms = parseDuration(value);
  if (ms !== undefined) return ms;
  refuse(context, `"${value}" is not a duration`, `Write ${DURATION_FORM}.`);
  return z.NEVER;
});

const piece = z.union([
  z.string().min(1),
  z.strictObject({ pause: duration }),
  z.strictObject({ wav: z.string().min(1) }),
]);

const heard = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .transform((value, context) => patternsOf(typeof value === 'string' ? [value] : value, context));

const expectation = z
  .strictObject({
    heard: heard.optional(),
    notHeard: heard.optional(),
    within: duration.optional(),
    cutOff: z.boolean().optional(),
    stops: duration.optional(),
  })
  .transform(
    (raw): Expectation => ({
      heard: raw.heard ?? [],
      notHeard: raw.notHeard ?? [],
      withinMs: raw.within,
      cutOff: raw.cutOff,
      stopsMs: raw.stops,
    }),
  );

const after = z.union([z.string(), z.number()]).transform((value, context): After => {
  const parsed = parseAfter(value);
  if (parsed) return parsed;
  refuse(context, `"${value}" is no moment`, `Write agent, "1.5s of agent speech", or ${DURATION_FORM}.`);
  return z.NEVER;
});

const step = z
  .strictObject({
    say: z.union([piece, z.array(piece).min(1)]).optional(),
    press: z
      .union([z.string(), z.number().int().nonnegative().transform(String)])
      .refine((keys) => KEYS.test(keys), 'must be keys: 0-9, *, #, A-D, with , and w as pauses')
      .optional(),
    wait: duration.optional(),
    after: after.optional(),
    hangUp: z.enum(['invite', 'greeting', 'now', 'speech', 'thinking', 'reply']).optional(),
    expect: expectation.optional(),
  })
  .superRefine((raw, context) => {
    for (const { reason, hint } of problemsOf(raw)) refuse(context, reason, hint);
  })
  .transform(
    (raw): Step => ({
      action: actionOf(raw),
      after: raw.after ?? { kind: 'agent' },
      hangUp: raw.hangUp,
      expect: raw.expect,
    }),
  );

/** The file format of a call script; see docs/guides/scripted-calls.md. */
const scriptSchema = z
  .strictObject({
    call: z
      .string()
      .regex(/^sips?:/, 'is not a SIP address')
      .meta({ example: 'sip:8001@127.0.0.1:5060' })
      .optional(),
    from: z.string().optional(),
    headers: z.record(z.string(), z.string()).default({}),
    voice: z.string().optional(),
    quiet: duration.optional(),
    timeout: duration.optional(),
    limit: duration.optional(),
    steps: z.array(step).default([]),
    expectEnd: z.enum(ENDS).optional(),
  })
  .superRefine(({ steps }, context) => {
    steps.forEach(({ hangUp }, index) => {
      if ((hangUp === 'invite' || hangUp === 'greeting') && index > 0) {
        const hint = 'Move it to the front, or hang up now, or during speech, thinking or reply of a line.';
        refuse(context, `${hangUp} is over by this step`, hint, ['steps', index, 'hangUp']);
      } else if (hangUp && index < steps.length - 1) {
        refuse(context, 'the step before hangs up', 'Remove this step, or hangUp before it.', ['steps', index + 1]);
      }
    });
  })
  .transform(
    ({ quiet, timeout, limit, ...rest }): CallScript => ({
      ...rest,
      quietMs: quiet ?? DEFAULTS.quietMs,
      timeoutMs: timeout ?? DEFAULTS.timeoutMs,
      limitMs: limit ?? DEFAULTS.limitMs,
    }),
  );

/**
 * Reads a call script; WAV files are found beside it.
 *
 * @throws ConfigProblems
 */
export function loadScript(file: string): CallScript {
  const script = loadYaml(file, scriptSchema);
  const base = dirname(file);
  const located = (piece: Piece): Piece =>
    piece.kind === 'wav' ? { ...piece, file: resolve(base, piece.file) } : piece;
  const steps = script.steps.map((step): Step => {
    if (step.action.kind !== 'say') return step;
    return { ...step, action: { kind: 'say', pieces: step.action.pieces.map(located) } };
  });
  return { ...script, steps };
}

/**
 * A pattern on heard words: `/regular expression/flags`, or words that must occur in this order next to each other,
 * whatever their case and punctuation.
 *
 * @throws SyntaxError for a regular expression that is none
 */
export function heardPattern(source: string): HeardPattern {
  const regex = /^\/(.+)\/([a-z]*)$/s.exec(source);
  if (regex) {
    const compiled = new RegExp(regex[1] ?? '', (regex[2] ?? '').replace(/[gy]/g, ''));
    return { source, matches: (text) => compiled.test(text) };
  }
  const words = plainWords(source);
  return { source, matches: (text) => ` ${plainWords(text)} `.includes(` ${words} `) };
}

function patternsOf(sources: readonly string[], context: z.RefinementCtx): HeardPattern[] {
  return sources.flatMap((source) => {
    try {
      return [heardPattern(source)];
    } catch (error) {
      refuse(context, reasonOf(error), 'Write words, or a JavaScript regular expression such as /order (number|id)/i.');
      return [];
    }
  });
}

function parseAfter(value: string | number): After | undefined {
  const text = String(value).trim();
  if (text === 'agent') return { kind: 'agent' };
  const speech = /^(.+?)\s+of\s+agent\s+speech$/.exec(text);
  const ms = parseDuration(speech?.[1] ?? text);
  if (ms === undefined) return undefined;
  return speech ? { kind: 'agent-speech', ms } : { kind: 'time', ms };
}

interface RawStep {
  say?: unknown;
  press?: unknown;
  wait?: unknown;
  hangUp?: HangUpMoment | undefined;
  expect?: unknown;
}

function problemsOf({ say, press, wait, hangUp, expect }: RawStep): { reason: string; hint: string }[] {
  const spoken = say !== undefined;
  const actions = [say, press, wait].filter((action) => action !== undefined).length;
  const problems: { reason: string; hint: string }[] = [];
  if (actions > 1) problems.push({ reason: 'has more than one of say, press and wait', hint: 'Make two steps of it.' });
  if (actions === 0 && hangUp === undefined && expect === undefined) {
    problems.push({ reason: 'does nothing', hint: 'Write one of say, press, wait, hangUp, expect.' });
  }
  if (!spoken && (hangUp === 'speech' || hangUp === 'thinking' || hangUp === 'reply')) {
    problems.push({ reason: `hangUp: ${hangUp} needs a line`, hint: 'Write it into a step with say.' });
  }
  if (spoken && (hangUp === 'invite' || hangUp === 'greeting')) {
    problems.push({ reason: `hangUp: ${hangUp} comes before any line`, hint: 'Make it a step of its own.' });
  }
  return problems;
}

function refuse(context: z.RefinementCtx, message: string, hint: string, path: PropertyKey[] = []): void {
  context.addIssue({ code: 'custom', message, params: { hint }, path });
}

type RawPiece = z.output<typeof piece>;

interface RawAction {
  say?: RawPiece | RawPiece[] | undefined;
  press?: string | undefined;
  wait?: number | undefined;
}

function actionOf({ say, press, wait }: RawAction): Step['action'] {
  if (press !== undefined) return { kind: 'press', keys: press };
  if (wait !== undefined) return { kind: 'wait', ms: wait };
  if (say === undefined) return { kind: 'listen' };
  return { kind: 'say', pieces: (Array.isArray(say) ? say : [say]).map(pieceOf) };
}

function pieceOf(raw: RawPiece): Piece {
  if (typeof raw === 'string') return { kind: 'text', text: raw };
  return 'pause' in raw ? { kind: 'pause', ms: raw.pause } : { kind: 'wav', file: raw.wav };
}

function plainWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/[’']/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
