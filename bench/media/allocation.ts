import { type HeapProfiler, Session } from 'node:inspector';
import { echoConfig } from '../../src/media/echo-config.js';
import { mediaWatchConfig } from '../../src/media/quality-config.js';
import { BatchVad } from '../../src/speech/detection/silero.js';
import { createLogger } from '../../src/telemetry/log.js';
import { speechConfig } from '../../src/workers/config.js';
import { MediaEngine } from '../../src/workers/media/media-engine.js';
import { scratchFolder } from '../../test/kit/scratch.js';
import { startCallers } from './peer.js';

const CALLS = 40;
/** All that runs often must be compiled: what is interpreted boxes every broken number. */
const WARM_MS = 12_000;
const MEASURED_MS = 6000;
/** Mean distance of the samples in the stream of allocated octets. */
const INTERVAL = 1024;

/** Octets of garbage for a G.711 packet heard and one sent, by who makes it. */
export interface Allocation {
  /** Our code, packet by packet, with RTCP. */
  ours: number;
  /** Our code where it works once for all calls: the pacer, and runs of the voice detector. Less a packet, the more calls there are. */
  shared: number;
  /** Node.js: datagrams, timers, promises. */
  node: number;
  /** The libraries: the detector's runtime. */
  libraries: number;
}

/** By a sampling heap profile of a media engine at work on this thread. */
export async function allocation(said: Int16Array): Promise<Allocation> {
  const folder = scratchFolder('bench-allocation');
  const engine = await openEngine(said);
  try {
    const callers = await startCallers(
      folder.path,
      { codec: 'PCMU', payloadType: 0 },
      Array.from({ length: CALLS }, (_, n) => ({
        port: port(n),
        negotiated: (media) => engine.handle({ type: 'negotiated', leg: String(n), media }),
      })),
      said,
      8000,
    );
    await pause(WARM_MS);
    const octets = await sampled(MEASURED_MS);
    await callers.stop();
    if (process.env.PARLEY_BENCH_DETAILS) for (const [name, sum] of octets) console.error(Math.round(sum / 1000), name);
    const result: Allocation = { ours: 0, shared: 0, node: 0, libraries: 0 };
    for (const [name, size] of octets) result[makerOf(name)] += size / ((CALLS * MEASURED_MS) / 20);
    return result;
  } finally {
    await engine.shutdown();
    folder.remove();
  }
}

function port(n: number): number {
  return 28_000 + 2 * n;
}

/** An engine on this thread, all of whose legs play. */
async function openEngine(said: Int16Array): Promise<MediaEngine> {
  const opened = new Set<string>();
  let failure = '';
  const engine = new MediaEngine(
    { 8000: await BatchVad.load(8000), 16000: await BatchVad.load(16_000) },
    {
      bind: '127.0.0.1',
      advertise: '127.0.0.1',
      vad: { ...speechConfig.parse({}).detection, windowMs: 32 },
      sounds: { country: 'us', level: 0 },
      // As in the other modes; that it makes none either, a unit test shows.
      stages: echoConfig.parse({ echo: 'off' }),
      watch: mediaWatchConfig.parse({}),
    },
    createLogger('error'),
    (event) => {
      if (event.type === 'opened') opened.add(event.leg);
      if (event.type === 'open.failed') failure = event.reason;
    },
  );
  const clip = new Int16Array(new SharedArrayBuffer(2 * 8000 * 60));
  for (let n = 0; n < clip.length; n++) clip[n] = said[n % said.length]!;
  for (let n = 0; n < CALLS; n++) {
    const leg = String(n);
    engine.handle({
      type: 'open',
      leg,
      call: leg,
      port: port(n),
      sampleRate: 8000,
      detect: true,
      inband: 'auto',
      beeps: false,
    });
  }
  while (opened.size < CALLS) {
    if (failure !== '') throw new Error(`allocation: ${failure}`);
    await pause(10);
  }
  for (const leg of opened) {
    engine.handle({ type: 'enqueue', leg, epoch: 1, utterance: 'clip' });
    engine.handle({ type: 'clip', leg, epoch: 1, utterance: 'clip', pcm: clip, sampleRate: 8000 });
  }
  return engine;
}

/** What was allocated within `ms`, collected or not, by function. */
async function sampled(ms: number): Promise<Map<string, number>> {
  const session = new Session();
  session.connect();
  const settings = {
    samplingInterval: INTERVAL,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  };
  await new Promise((resolve) => session.post('HeapProfiler.startSampling', settings, resolve));
  await pause(ms);
  const profile = await new Promise<HeapProfiler.SamplingHeapProfile>((resolve, reject) => {
    session.post('HeapProfiler.stopSampling', (error, result) => (error ? reject(error) : resolve(result.profile)));
  });
  session.disconnect();
  const found = new Map<string, number>();
  count(profile.head, found);
  return found;
}

function count(node: HeapProfiler.SamplingHeapProfileNode, found: Map<string, number>): void {
  const { functionName, url, lineNumber } = node.callFrame;
  if (node.selfSize > 0) {
    const name = `${functionName} ${url}:${lineNumber + 1}`;
    found.set(name, (found.get(name) ?? 0) + node.selfSize);
  }
  for (const child of node.children) count(child, found);
}

const SHARED = /pacer|lateness|media-engine|detection/;

/** Whose the function is that a name of {@link sampled} stands for; what has no file is built into Node.js. */
function makerOf(name: string): keyof Allocation {
  if (name.includes('/node_modules/')) return 'libraries';
  if (!name.includes('/src/')) return 'node';
  return SHARED.test(name) ? 'shared' : 'ours';
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
