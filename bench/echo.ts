import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeG711, encodeG711, MU_LAW } from '../src/audio/g711.js';
import { resample } from '../src/audio/resample.js';
import { AudioRing } from '../src/audio/ring.js';
import { readWav } from '../src/audio/wav.js';
import { Detection } from '../src/media/detection.js';
import { EchoControl } from '../src/media/echo/echo-control.js';
import { BatchVad } from '../src/speech/detection/silero.js';
import { createSynthesiser } from '../src/speech/synthesis/engines.js';
import type { BenchOptions, BenchResult } from './report.js';

const RATE = 8000;
const FRAME = 160;
const GATE = { threshold: 0.5, release: 0.35, onsetMs: 96, offsetMs: 192, windowMs: 32 } as const;
/** The agent begins here; the caller interrupts this much after. */
const LEAD_MS = 400;
const INTERRUPTS_MS = [900, 3200];
const SENTENCES = [
  'Thank you for calling. I can help you with orders, deliveries and returns. Please tell me what you need today.',
  'Your order left our warehouse on Monday, and it should arrive by Thursday afternoon. Is there anything else?',
];
const PATHS = ['plain', 'room', 'G.711', 'clipped'] as const;
type Path = (typeof PATHS)[number];

interface Case {
  agent: Int16Array;
  delayMs: number;
  /** dB; undefined for a line without echo. */
  levelDb: number | undefined;
  path: Path;
  near: Int16Array | undefined;
  /** When `near` begins, ms. */
  nearMs: number;
}

interface Outcome {
  /** When onsets lie, ms. */
  onsets: number[];
  /** How much quieter the echo became after its first second, dB. */
  erleDb: number;
  delayMs: number | undefined;
  microseconds: number;
}

/** False onsets by the agent's echo, and interruptions over it, without and with echo control. */
export async function echo({ quick }: BenchOptions): Promise<BenchResult> {
  const vad = await BatchVad.load(RATE);
  try {
    const agents = await speech(quick ? SENTENCES.slice(0, 1) : SENTENCES, 'slt');
    const callers = await interruptions();
    const alone = grid(agents, quick).map((one) => ({ ...one, near: undefined, nearMs: 0 }));
    const over = grid(agents, true).flatMap((one, n) => {
      const near = callers[n % callers.length];
      return INTERRUPTS_MS.map((ms) => ({ ...one, near, nearMs: LEAD_MS + ms }));
    });
    const clean = INTERRUPTS_MS.flatMap((ms) =>
      callers.map((near) => ({
        agent: agents[0]!,
        delayMs: 0,
        levelDb: undefined,
        path: PATHS[0],
        near,
        nearMs: LEAD_MS + ms,
      })),
    );
    const results = {
      without: { alone: await runAll(vad, alone, false), clean: await runAll(vad, clean, false) },
      with: {
        alone: await runAll(vad, alone, true),
        over: await runAll(vad, over, true),
        clean: await runAll(vad, clean, true),
      },
    };
    return summary(alone, over, clean, results);
  } finally {
    await vad.close();
  }
}

interface Results {
  without: { alone: Outcome[]; clean: Outcome[] };
  with: { alone: Outcome[]; over: Outcome[]; clean: Outcome[] };
}

function summary(alone: Case[], over: Case[], clean: Case[], results: Results): BenchResult {
  const count = (outcomes: Outcome[]) => outcomes.reduce((sum, { onsets }) => sum + onsets.length, 0);
  const heard = (cases: Case[], outcomes: Outcome[]) => cases.filter((one, n) => hears(one, outcomes[n]!)).length;
  const falseWithout = count(results.without.alone);
  const falseWith = count(results.with.alone);
  const worst = alone.flatMap((one, n) => {
    const { onsets, delayMs } = results.with.alone[n]!;
    return onsets.length > 0 ? [`${one.path} ${one.delayMs} ms ${one.levelDb} dB: ${onsets} (found ${delayMs})`] : [];
  });
  const missed = over.flatMap((one, n) =>
    hears(one, results.with.over[n]!) ? [] : [`${one.path} ${one.delayMs} ms ${one.levelDb} dB at ${one.nearMs}`],
  );
  const erle = median(results.with.alone.map((outcome) => outcome.erleDb));
  const micros = median(results.with.alone.map((outcome) => outcome.microseconds));
  const idle = median(results.with.clean.map((outcome) => outcome.microseconds));
  const latencies = clean.flatMap((one, n) => {
    const [before, after] = [results.without.clean[n]!, results.with.clean[n]!].map((o) => firstOf(one, o));
    return before === undefined || after === undefined ? [] : [after - before];
  });
  return {
    rows: [
      ['echo alone', `${alone.length} calls`],
      ['false onsets', `${falseWithout} without, ${falseWith} with echo control`],
      ['interruptions over echo', `${heard(over, results.with.over)} of ${over.length} heard`],
      [
        'interruptions, no echo',
        `${heard(clean, results.with.clean)} of ${clean.length} heard, ${heard(clean, results.without.clean)} without echo control`,
      ],
      ['onset later by', `median ${median(latencies)} ms, at most ${Math.max(...latencies)} ms (lines without echo)`],
      ['ERLE after 1 s', `median ${erle.toFixed(1)} dB`],
      ['cost per 20 ms', `median ${micros.toFixed(0)} us with echo, ${idle.toFixed(0)} us without`],
      ['false', worst.slice(0, 12).join('; ')],
      ['missed', missed.slice(0, 12).join('; ')],
    ],
    values: {
      calls: alone.length,
      falseOnsetsWithout: falseWithout,
      falseOnsets: falseWith,
      interruptions: over.length,
      interruptionsHeard: heard(over, results.with.over),
      cleanInterruptions: clean.length,
      cleanInterruptionsHeard: heard(clean, results.with.clean),
      onsetLaterMs: median(latencies),
      erleDb: Math.round(erle * 10) / 10,
      microsecondsPerFrame: Math.round(micros),
    },
  };
}

/** The first onset that the caller's words explain. */
function firstOf({ near, nearMs }: Case, { onsets }: Outcome): number | undefined {
  const end = nearMs + ((near?.length ?? 0) * 1000) / RATE;
  return onsets.find((at) => at > nearMs && at < end + 250);
}

function hears(one: Case, outcome: Outcome): boolean {
  return firstOf(one, outcome) !== undefined;
}

function grid(agents: Int16Array[], quick: boolean): Case[] {
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
  let now = 0;
  const stream = detection.add(ring, (type) => type === 'onset' && onsets.push(now), controlled ? control : undefined);
  let [before, after, spent] = [1, 1, 0];
  for (let at = 0; at + FRAME <= far.length; at += FRAME) {
    now = ((at + FRAME) * 1000) / RATE;
    const frame = near.slice(at, at + FRAME);
    if (controlled) {
      const began = process.hrtime.bigint();
      control.played(far.subarray(at, at + FRAME));
      control.process(frame, FRAME);
      spent += Number(process.hrtime.bigint() - began) / 1000;
    }
    if (now > LEAD_MS + one.delayMs + 1000) {
      for (let n = 0; n < FRAME; n++) {
        before += reflected[at + n]! ** 2;
        after += frame[n]! ** 2;
      }
    }
    ring.write(frame);
    await detection.poll();
  }
  detection.remove(stream);
  const erleDb = 10 * Math.log10(before / after);
  return { onsets, erleDb, delayMs: control.stats.delayMs, microseconds: spent / (far.length / FRAME) };
}

/** What is played, and what comes back: echo, the caller, and a little noise, through mu-law. */
function signals({ agent, delayMs, levelDb, path, near: caller, nearMs }: Case) {
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

async function speech(texts: readonly string[], voice: string): Promise<Int16Array[]> {
  const engine = await createSynthesiser('flite');
  const clips: Int16Array[] = [];
  for (const text of texts) {
    const { pcm, sampleRate } = await engine.synthesise(text, { engine: 'flite', voice, speed: 1 });
    clips.push(resample(pcm, sampleRate, RATE));
  }
  await engine.close();
  return clips;
}

/** Short things that callers say: by people where recordings are at hand, else by another synthetic voice. */
async function interruptions(): Promise<Int16Array[]> {
  const repository = fileURLToPath(new URL('../', import.meta.url));
  const folder = join(process.env.PARLEY_TEST_DATA ?? join(repository, '../shared/data'), 'speech');
  const said = await speech(['Stop, please stop.', 'Wait, wait a minute.', 'No, no, no.'], 'rms');
  if (!existsSync(folder) || spawnSync('flac', ['--version']).status !== 0) return said;
  const files = ['g_hello', 'df_book_a_room', 'df_two_people', 'df_mountain_view', 'cards_004', 'lj020'];
  const people = files.map((name) => {
    const file = join(folder, `${name}.flac`);
    const wav = execFileSync('flac', ['-d', '-s', '-c', file], { maxBuffer: 1 << 28 });
    const { pcm, sampleRate } = readWav(wav, file);
    return resample(pcm, sampleRate, RATE);
  });
  return [...people, ...said];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
