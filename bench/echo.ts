import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeG711, encodeG711, MU_LAW } from '../src/audio/g711.js';
import { resample } from '../src/audio/resample.js';
import { AudioRing } from '../src/audio/ring.js';
import { readWav } from '../src/audio/wav.js';
import { type DetectedListener, Detection } from '../src/media/detection.js';
import { EchoControl } from '../src/media/echo/echo-control.js';
import { BatchVad } from '../src/speech/detection/silero.js';
import { createSynthesiser } from '../src/speech/synthesis/engines.js';
import { trimAndLevel } from '../src/speech/synthesis/loudness.js';
import type { BenchOptions, BenchResult } from './report.js';

const RATE = 8000;
const FRAME = 160;
const GATE = { threshold: 0.5, release: 0.35, onsetMs: 96, offsetMs: 192, windowMs: 32 } as const;
/** The agent begins here; the caller interrupts so much after. */
const LEAD_MS = 400;
const INTERRUPTS_MS = [900, 1800, 2600];
const SENTENCES = [
  [
    'slt',
    'Thank you for calling. I can help you with orders, deliveries and returns. Please tell me what you need today.',
  ],
  [
    'rms',
    'Your order left our warehouse on Monday, and it should arrive by Thursday afternoon. Is there anything else?',
  ],
] as const;
const PATHS = ['plain', 'room', 'G.711', 'clipped'] as const;
type Path = (typeof PATHS)[number];
/** Callers are so much louder than the echo they speak over, dB, within what a telephone brings. */
const OVER_DB = [0, 6, 15];
const CALLER_DB = { least: -35, most: -8 };
/** Level of active speech as engines and recordings are brought to, dBFS. */
const SPEECH_DB = -20;
/** Onsets this close to each other with and without the caller are the echo's, ms. */
const SAME_ONSET_MS = 150;

interface Case {
  agent: Int16Array;
  delayMs: number;
  /** dB; undefined for a line without echo. */
  levelDb: number | undefined;
  path: Path;
  near: Int16Array | undefined;
  /** When `near` begins, ms. */
  nearMs: number;
  /** When the line begins to have its echo, ms; from the beginning when left out. */
  fromMs?: number;
}

interface Outcome {
  /** When onsets were told, ms. */
  onsets: number[];
  /** First windows taken for voice, of which an onset came or did not: the agent is lowered for them. */
  stirs: number;
  /** How much quieter the echo became after its first second, dB. */
  erleDb: number;
  delayMs: number | undefined;
  /** Processor time per 20 ms. */
  microseconds: number;
  /** Whether the caller's line came out as it went in. */
  unchanged: boolean;
}

/** False onsets by the agent's echo, and interruptions over it, without and with echo control. */
export async function echo({ quick }: BenchOptions): Promise<BenchResult> {
  const vad = await BatchVad.load(RATE);
  try {
    const agents: Int16Array[] = [];
    for (const [voice, text] of quick ? SENTENCES.slice(0, 1) : SENTENCES) agents.push(await speech(text, voice));
    const callers = await interruptions();
    const alone = echoes(agents, quick);
    const over = interrupted(echoes(agents, true), callers, quick);
    const begun = switchedOn(agents, quick);
    const clean = INTERRUPTS_MS.flatMap((ms) =>
      callers.map((near) => ({ ...NO_ECHO, agent: agents[0]!, near, nearMs: LEAD_MS + ms })),
    );
    return summary({
      alone: { cases: alone, without: await runAll(vad, alone, false), with: await runAll(vad, alone, true) },
      over: {
        cases: over,
        clean: await runAll(
          vad,
          over.map((one) => ({ ...one, levelDb: undefined })),
          false,
        ),
        callerless: await runAll(
          vad,
          over.map((one) => ({ ...one, near: undefined })),
          true,
        ),
        with: await runAll(vad, over, true),
      },
      clean: { cases: clean, without: await runAll(vad, clean, false), with: await runAll(vad, clean, true) },
      begun: { cases: begun, without: await runAll(vad, begun, false), with: await runAll(vad, begun, true) },
    });
  } finally {
    await vad.close();
  }
}

const NO_ECHO = { delayMs: 0, levelDb: undefined, path: PATHS[0] } as const;

interface Results {
  alone: { cases: Case[]; without: Outcome[]; with: Outcome[] };
  /** `clean`: the caller without the echo; `callerless`: the echo without the caller. */
  over: { cases: Case[]; clean: Outcome[]; callerless: Outcome[]; with: Outcome[] };
  clean: { cases: Case[]; without: Outcome[]; with: Outcome[] };
  /** Echoes that begin while the agent speaks, on lines that had none. */
  begun: { cases: Case[]; without: Outcome[]; with: Outcome[] };
}

function summary({ alone, over, clean, begun }: Results): BenchResult {
  const count = (outcomes: Outcome[]) => outcomes.reduce((sum, { onsets }) => sum + onsets.length, 0);
  const stirred = (outcomes: Outcome[]) => outcomes.reduce((sum, { stirs }) => sum + stirs, 0);
  const falseOnsets = alone.cases.flatMap((one, n) => {
    const { onsets, delayMs } = alone.with[n]!;
    return onsets.length > 0 ? [`${name(one)}: ${onsets} (found ${delayMs})`] : [];
  });
  const heardAt = over.cases.map((one, n) => firstOf(one, over.with[n]!, over.callerless[n]!.onsets));
  const missed = over.cases.flatMap((one, n) => (heardAt[n] === undefined ? [`${name(one)} at ${one.nearMs}`] : []));
  const later = over.cases.flatMap((one, n) => difference(heardAt[n], firstOf(one, over.clean[n]!)));
  const cleanAt = clean.cases.map((one, n) => firstOf(one, clean.with[n]!));
  const cleanBefore = clean.cases.map((one, n) => firstOf(one, clean.without[n]!));
  const cleanLater = cleanAt.flatMap((at, n) => difference(at, cleanBefore[n]));
  const erle = median(alone.with.map(({ erleDb }) => erleDb));
  const cost = (outcomes: Outcome[]) => median(outcomes.map(({ microseconds }) => microseconds));
  const heard = over.cases.length - missed.length;
  const known = (times: (number | undefined)[]) => times.filter((at) => at !== undefined).length;
  const unchanged = clean.with.filter((outcome) => outcome.unchanged).length;
  return {
    rows: [
      ['echo alone', `${alone.cases.length} calls`],
      ['false onsets', `${count(alone.without)} without, ${count(alone.with)} with echo control`],
      [
        'echo begins in mid-call',
        `${begun.cases.length} calls: ${count(begun.without)} false onsets without, ${count(begun.with)} with echo control`,
      ],
      ['lowered for nothing', `${stirred(alone.without)} times without, ${stirred(alone.with)} with echo control`],
      ['ERLE after 1 s', `median ${erle.toFixed(1)} dB`],
      ['interruptions over echo', `${heard} of ${over.cases.length} heard`],
      ['onset later by', `median ${median(later)} ms, 90 % within ${quantile(later, 0.9)} ms (than without echo)`],
      [
        'interruptions, no echo',
        `${known(cleanAt)} of ${clean.cases.length} heard, ${known(cleanBefore)} without control`,
      ],
      ['onset later by', `median ${median(cleanLater)} ms, at most ${Math.max(...cleanLater)} ms (lines without echo)`],
      ['lines without echo', `${unchanged} of ${clean.cases.length} pass without a sample changed`],
      [
        'cost per 20 ms',
        `median ${cost(alone.with).toFixed(0)} us with echo, ${cost(clean.with).toFixed(0)} us without`,
      ],
      ['false', falseOnsets.slice(0, 12).join('; ')],
      ['missed', missed.slice(0, 12).join('; ')],
    ],
    values: {
      calls: alone.cases.length,
      falseOnsetsWithout: count(alone.without),
      falseOnsets: count(alone.with),
      midCallEchoes: begun.cases.length,
      midCallFalseOnsets: count(begun.with),
      loweredForNothingWithout: stirred(alone.without),
      loweredForNothing: stirred(alone.with),
      interruptions: over.cases.length,
      interruptionsHeard: heard,
      interruptionLaterMs: median(later),
      cleanInterruptions: clean.cases.length,
      cleanInterruptionsHeard: known(cleanAt),
      onsetLaterMs: median(cleanLater),
      erleDb: Math.round(erle * 10) / 10,
      microsecondsPerFrame: Math.round(cost(alone.with)),
      microsecondsWithoutEcho: Math.round(cost(clean.with)),
    },
  };
}

/** The first onset that the caller's words explain, and no echo. */
function firstOf({ near, nearMs }: Case, { onsets }: Outcome, echoes: number[] = []): number | undefined {
  const end = nearMs + ((near?.length ?? 0) * 1000) / RATE;
  const own = (at: number) => echoes.every((echo) => Math.abs(echo - at) > SAME_ONSET_MS);
  return onsets.find((at) => at > nearMs && at < end + 250 && own(at));
}

function difference(at: number | undefined, reference: number | undefined): number[] {
  return at === undefined || reference === undefined ? [] : [at - reference];
}

function name({ path, delayMs, levelDb }: Case): string {
  return `${path} ${delayMs} ms ${levelDb} dB`;
}

function echoes(agents: Int16Array[], quick: boolean): Case[] {
  const delays = quick ? [60, 250, 500] : [20, 60, 120, 250, 400, 500];
  const levels = quick ? [-6, -20] : [-6, -12, -20, -30];
  return agents.flatMap((agent) =>
    delays.flatMap((delayMs) =>
      levels.flatMap((levelDb) =>
        PATHS.map((path) => ({ agent, delayMs, levelDb, path, near: undefined, nearMs: 0 }) satisfies Case),
      ),
    ),
  );
}

/** A sentence said twice, and a loudspeaker that is switched on within. */
function switchedOn(agents: Int16Array[], quick: boolean): Case[] {
  return agents.flatMap((sentence) => {
    const agent = new Int16Array(2 * sentence.length + 0.4 * RATE);
    agent.set(sentence);
    agent.set(sentence, agent.length - sentence.length);
    return (quick ? [2600] : [2600, 3500, 4300, 5200]).flatMap((fromMs) =>
      [60, 250, 500].flatMap((delayMs) =>
        (quick ? [-12] : [-6, -12, -20]).flatMap((levelDb) =>
          PATHS.map((path) => ({ agent, delayMs, levelDb, path, near: undefined, nearMs: 0, fromMs }) satisfies Case),
        ),
      ),
    );
  });
}

/** Every echo with a caller over it, each louder than it by so much; quick: one of these by turns. */
function interrupted(echoes: Case[], callers: Int16Array[], quick: boolean): Case[] {
  return echoes.flatMap((one, n) =>
    OVER_DB.filter((_, turn) => !quick || turn === n % OVER_DB.length).map((overDb, turn) => {
      const { least, most } = CALLER_DB;
      const db = Math.min(most, Math.max(least, SPEECH_DB + (one.levelDb ?? 0) + overDb));
      const near = scaled(callers[(n + turn) % callers.length]!, db - SPEECH_DB);
      return { ...one, near, nearMs: LEAD_MS + INTERRUPTS_MS[(n + turn) % INTERRUPTS_MS.length]! };
    }),
  );
}

function scaled(pcm: Int16Array, db: number): Int16Array {
  return pcm.map((sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 10 ** (db / 20)))));
}

async function runAll(vad: BatchVad, cases: Case[], controlled: boolean): Promise<Outcome[]> {
  const detection = new Detection(vad, GATE, (error) => {
    throw error;
  });
  const outcomes: Outcome[] = [];
  for (const one of cases) outcomes.push(await run(detection, one, controlled));
  return outcomes;
}

async function run(detection: Detection, one: Case, controlled: boolean): Promise<Outcome> {
  const { far, near, reflected } = signals(one);
  const ring = AudioRing.allocate(16 * RATE);
  const control = new EchoControl(RATE);
  const onsets: number[] = [];
  let stirs = 0;
  let now = 0;
  const told: DetectedListener = (type) => {
    if (type === 'onset') onsets.push(now);
    if (type === 'stir') stirs++;
  };
  const stream = detection.add(ring, told, controlled ? control : undefined);
  let [before, after, spent] = [1, 1, 0];
  let unchanged = true;
  for (let at = 0; at + FRAME <= far.length; at += FRAME) {
    now = ((at + FRAME) * 1000) / RATE;
    const frame = near.slice(at, at + FRAME);
    if (controlled) {
      const began = process.cpuUsage();
      control.played(far.subarray(at, at + FRAME));
      control.process(frame, FRAME);
      spent += process.cpuUsage(began).user;
    }
    for (let n = 0; n < FRAME; n++) {
      if (frame[n] !== near[at + n]) unchanged = false;
      if (now <= LEAD_MS + one.delayMs + 1000) continue;
      before += reflected[at + n]! ** 2;
      after += frame[n]! ** 2;
    }
    ring.write(frame);
    await detection.poll();
  }
  detection.remove(stream);
  const erleDb = 10 * Math.log10(before / after);
  const microseconds = spent / (far.length / FRAME);
  return { onsets, stirs, erleDb, delayMs: control.stats.delayMs, microseconds, unchanged };
}

/** What is played, and what comes back: echo, the caller, and a little noise, through mu-law. */
function signals({ agent, delayMs, levelDb, path, near: caller, nearMs, fromMs = 0 }: Case) {
  const length = Math.ceil((agent.length + RATE * 1.4) / FRAME) * FRAME;
  const far = new Int16Array(length);
  far.set(agent, (LEAD_MS * RATE) / 1000);
  const wire = path === 'G.711' ? companded(far) : far;
  const delay = (delayMs * RATE) / 1000;
  const gain = levelDb === undefined ? 0 : 10 ** (levelDb / 20);
  const response = path === 'room' ? room() : Float32Array.of(1);
  const reflected = new Float32Array(length);
  for (let n = delay; n < length; n++) {
    let sum = 0;
    for (let k = 0; k < response.length && n - delay - k >= 0; k++) sum += response[k]! * wire[n - delay - k]!;
    // A loudspeaker driven too far.
    reflected[n] = gain * (path === 'clipped' ? 6000 * Math.tanh(sum / 6000) : sum);
  }
  reflected.fill(0, 0, (fromMs * RATE) / 1000);
  let seed = 7;
  const near = Int16Array.from(reflected, (value) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return Math.max(-32768, Math.min(32767, Math.round(value + (seed / 2 ** 31) * 14)));
  });
  const start = (nearMs * RATE) / 1000;
  caller?.forEach((value, n) => {
    const at = start + n;
    if (at < length) near[at] = Math.max(-32768, Math.min(32767, near[at]! + value));
  });
  return { far, near: companded(near), reflected };
}

/** Sixty milliseconds of decaying reflections, of unit energy. */
function room(): Float32Array {
  let seed = 3;
  const taps = Float32Array.from({ length: 400 }, (_, n) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return n === 0 ? 1 : (seed / 2 ** 31) * 0.5 * Math.exp(-n / 70);
  });
  const energy = Math.sqrt(taps.reduce((sum, tap) => sum + tap * tap, 0));
  return taps.map((tap) => tap / energy);
}

function companded(pcm: Int16Array): Int16Array {
  const bytes = new Uint8Array(pcm.length);
  const out = new Int16Array(pcm.length);
  encodeG711(MU_LAW, pcm, pcm.length, bytes, 0);
  decodeG711(MU_LAW, bytes, 0, bytes.length, out);
  return out;
}

async function speech(text: string, voice: string): Promise<Int16Array> {
  const engine = await createSynthesiser('flite');
  const { pcm, sampleRate } = await engine.synthesise(text, { engine: 'flite', voice, speed: 1 });
  await engine.close();
  return levelled(resample(pcm, sampleRate, RATE));
}

/** Short things that callers say: by people where recordings are at hand, else by another synthetic voice. */
async function interruptions(): Promise<Int16Array[]> {
  const repository = fileURLToPath(new URL('../', import.meta.url));
  const folder = join(process.env.PARLEY_TEST_DATA ?? join(repository, '../shared/data'), 'speech');
  const said: Int16Array[] = [];
  for (const text of ['Stop, please stop.', 'Wait, wait a minute.', 'No, no, no.'])
    said.push(await speech(text, 'kal'));
  if (!existsSync(folder) || spawnSync('flac', ['--version']).status !== 0) return said;
  const files = ['g_hello', 'df_book_a_room', 'df_two_people', 'df_mountain_view', 'cards_004', 'lj020'];
  const people = files.map((name) => {
    const file = join(folder, `${name}.flac`);
    const wav = execFileSync('flac', ['-d', '-s', '-c', file], { maxBuffer: 1 << 28 });
    const { pcm, sampleRate } = readWav(wav, file);
    return levelled(resample(pcm, sampleRate, RATE));
  });
  return [...people, ...said];
}

function levelled(pcm: Int16Array): Int16Array {
  return trimAndLevel(pcm, RATE, { lead: 20, tail: 50 }).pcm;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
