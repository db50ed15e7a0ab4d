import { execFileSync } from 'node:child_process';
import type { CodecName, PcmRate } from '../../src/rtp/negotiated.js';
import type { SrtpSuite } from '../../src/rtp/srtp/suites.js';
import { speechConfig } from '../../src/workers/config.js';
import { MediaHost, type MediaLeg } from '../../src/workers/media-host.js';
import { readCapture } from '../../test/kit/capture.js';
import { scratchFolder } from '../../test/kit/scratch.js';
import { speak } from '../../test/kit/speech.js';
import type { BenchOptions, BenchResult } from '../report.js';
import { type Callers, startCallers } from './peer.js';

/** What the legs of one run are like. */
interface Mode {
  name: string;
  codec: CodecName;
  payloadType: number;
  vad: boolean;
  srtp?: SrtpSuite;
}

const MODES: readonly Mode[] = [
  { name: 'G.711', codec: 'PCMU', payloadType: 0, vad: false },
  { name: 'G.711, VAD', codec: 'PCMU', payloadType: 0, vad: true },
  { name: 'G.711, VAD, SRTP', codec: 'PCMU', payloadType: 0, vad: true, srtp: 'AES_CM_128_HMAC_SHA1_80' },
  { name: 'G.722, VAD', codec: 'G722', payloadType: 9, vad: true },
  { name: 'Opus, VAD', codec: 'opus', payloadType: 111, vad: true },
];

/** Calls at once, one load after another until one is too much. */
const LOADS = [50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800];

/** A load is carried when 99 of 100 packets leave within this much of 20 ms after the one before. */
const P99_MS = 5;

interface Step {
  calls: number;
  /** Distance of a packet's interval from 20 ms. */
  p50: number;
  p99: number;
  max: number;
  /** Packets that did not leave. */
  missing: number;
  /** Share of the core. */
  cpu: number;
  carried: boolean;
}

/**
 * Calls that one core carries: one media worker on a processor core of its own hears every caller and plays to each; the
 * callers run on another core, and the kernel's capture says when each packet left.
 */
export async function media({ quick }: BenchOptions): Promise<BenchResult> {
  // Threads that are started from here on inherit it: the media worker has this core, the callers have another.
  pinTo(0);
  const said = await speak(
    'Hello, I am calling about the order that I placed last week, and I would like to know more.',
  );
  const results: [Mode, Step[]][] = [];
  for (const mode of quick ? MODES.slice(0, 2) : MODES) {
    const steps: Step[] = [];
    for (const calls of quick ? [50, 200] : LOADS) {
      // Another program may have taken the core for a moment: only what fails twice is too much.
      const first = await measure(mode, calls, said.pcm, quick);
      const step = first.carried ? first : await measure(mode, calls, said.pcm, quick);
      steps.push(step);
      if (!step.carried) break;
    }
    results.push([mode, steps]);
  }
  return {
    rows: results.flatMap(([mode, steps]) => rowsOf(mode, steps)),
    values: Object.fromEntries(results.map(([{ name }, steps]) => [name, { carried: carriedBy(steps), steps }])),
  };
}

async function measure(mode: Mode, calls: number, said: Int16Array, quick: boolean): Promise<Step> {
  const sampleRate: PcmRate = mode.codec === 'PCMU' ? 8000 : 16_000;
  const host = await MediaHost.start({
    workers: 1,
    bind: '127.0.0.1',
    ports: { from: 20_000, to: 29_999 },
    vad: { ...speechConfig.parse({}).detection, windowMs: 32 },
    codecs: [mode.codec],
    logLevel: 'error',
  });
  const folder = scratchFolder('bench-media');
  let callers: Callers | undefined;
  try {
    const legs = await openLegs(host, mode, calls, sampleRate, said);
    callers = await startCallers(folder.path, mode, legs, said, sampleRate);
    // What runs often is compiled first.
    await pause(quick ? 1500 : 3000);
    const capture = await callers.capture();
    const [cpu, from] = [process.cpuUsage(), performance.now()];
    await pause(quick ? 3000 : 8000);
    const used = process.cpuUsage(cpu);
    const wall = performance.now() - from;
    await capture.stop();
    return { calls, ...intervals(capture.file), cpu: (used.user + used.system) / 1000 / wall };
  } finally {
    await callers?.stop();
    await host.close();
    folder.remove();
  }
}

/** Legs that all speak: each plays the same clip, which lies in memory once. */
async function openLegs(
  host: MediaHost,
  mode: Mode,
  calls: number,
  sampleRate: PcmRate,
  said: Int16Array,
): Promise<MediaLeg[]> {
  const clip = new Int16Array(new SharedArrayBuffer(2 * sampleRate * 60));
  for (let n = 0; n < clip.length; n++) clip[n] = said[n % said.length]!;
  const legs: MediaLeg[] = [];
  for (let n = 0; n < calls; n++) {
    const leg = await host.open(`bench-${n}`, () => undefined, sampleRate, { detect: mode.vad });
    legs.push(leg);
    leg.enqueue(1, 'clip');
    leg.clip({ leg: leg.leg, epoch: 1, utterance: 'clip', pcm: clip, sampleRate });
  }
  return legs;
}

/** How regularly each leg's packets left, by the kernel's clock. */
function intervals(file: string): Omit<Step, 'calls' | 'cpu'> {
  const last = new Map<number, { at: number; sequence: number }>();
  const distances: number[] = [];
  let missing = 0;
  for (const { at, source, payload } of readCapture(file)) {
    if (payload.length < 12) continue;
    const sequence = payload.readUInt16BE(2);
    const before = last.get(source);
    if (before) {
      distances.push(Math.abs(at - before.at - 20));
      missing += ((sequence - before.sequence) & 0xffff) - 1;
    }
    last.set(source, { at, sequence });
  }
  const sorted = Float64Array.from(distances).sort();
  const rank = (share: number) =>
    Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? Number.POSITIVE_INFINITY) * 10) / 10;
  const p99 = rank(0.99);
  return { p50: rank(0.5), p99, max: rank(1), missing, carried: p99 < P99_MS && missing === 0 };
}

function carriedBy(steps: readonly Step[]): number {
  return Math.max(0, ...steps.filter(({ carried }) => carried).map(({ calls }) => calls));
}

function rowsOf(mode: Mode, steps: readonly Step[]): [string, string][] {
  return [
    [mode.name, `${carriedBy(steps)} calls carried (p99 within ${P99_MS} ms of 20 ms, none missing)`],
    ...steps.map(({ calls, p50, p99, max, missing, cpu }): [string, string] => [
      `  ${calls} calls`,
      `off by median ${p50} ms, p99 ${p99} ms, most ${max} ms; ${missing} missing; ${Math.round(cpu * 100)} % of the core`,
    ]),
  ];
}

function pinTo(core: number): void {
  execFileSync('taskset', ['-cp', String(core), String(process.pid)], { stdio: 'ignore' });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
