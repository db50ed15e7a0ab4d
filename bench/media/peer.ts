import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resample } from '../../src/audio/resample.js';
import { createCodec } from '../../src/rtp/codec.js';
import type { CodecName, NegotiatedMedia, PcmRate } from '../../src/rtp/negotiated.js';
import { type SrtpKey, type SrtpSuite, SUITE_FACTS } from '../../src/rtp/srtp/suites.js';
import type { MediaLeg } from '../../src/workers/media/hosted-leg.js';
import { Capture } from '../../test/kit/capture.js';
import type { CallersOrder } from './callers.js';

/** Where all callers are. */
export const CALLERS_PORT = 19_000;
/** Where {@link startFloor} sends to; nobody need be there. */
export const FLOOR_PORT = 19_002;
/** The core of the media worker, and the one that callers and capture run on. */
export const WORKER_CORE = 0;
const CORE = 1;

/** What all callers of one run speak. */
export interface Spoken {
  codec: CodecName;
  payloadType: number;
  srtp?: SrtpSuite;
}

/** A running program. */
export interface Running {
  stop(): Promise<void>;
}

/** Records what is sent to callers and floor: headers only. */
export function startCapture(folder: string): Promise<Capture> {
  const filter = `udp and (dst port ${CALLERS_PORT} or dst port ${FLOOR_PORT})`;
  return Capture.start(join(folder, 'sent.pcap'), filter, 64, CORE);
}

/** A packet every 20 ms on the media worker's core, from a program that does nothing else. */
export function startFloor(): Promise<Running> {
  return start(WORKER_CORE, 'floor.ts', String(FLOOR_PORT));
}

/** Tells each leg where its caller is, and lets all of them speak. @param said 8 kHz */
export async function startCallers(
  folder: string,
  spoken: Spoken,
  legs: readonly Pick<MediaLeg, 'port' | 'negotiated'>[],
  said: Int16Array,
  sampleRate: PcmRate,
): Promise<Running> {
  const media = negotiated(spoken);
  for (const leg of legs) leg.negotiated(media);
  const { security } = media;
  const order: CallersOrder = {
    from: CALLERS_PORT,
    ports: legs.map(({ port }) => port),
    payloadType: spoken.payloadType,
    ticks: media.codec.clockRate / 50,
    frames: encode(spoken.codec, resample(said, 8000, sampleRate), sampleRate),
    ...(security?.kind === 'sdes' && { key: security.remote }),
  };
  const file = join(folder, 'order.json');
  writeFileSync(file, JSON.stringify(order));
  return start(CORE, 'callers.ts', file);
}

async function start(core: number, script: string, argument: string): Promise<Running> {
  const file = new URL(`./${script}`, import.meta.url).pathname;
  const command = ['-c', String(core), process.execPath, '--import', 'tsx', file, argument];
  const program = spawn('taskset', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  await Promise.race([once(program.stdout!, 'data'), ended(program, script)]);
  return {
    stop: async () => {
      const exit = once(program, 'exit');
      program.stdin?.end();
      await exit;
    },
  };
}

/** A key for one suite; all callers have the same, which costs the worker no less. */
function key(suite: SrtpSuite): SrtpKey {
  const { key: octets, salt } = SUITE_FACTS[suite];
  return { suite, inline: randomBytes(octets + salt).toString('base64') };
}

function negotiated({ codec, payloadType, srtp }: Spoken): NegotiatedMedia {
  return {
    remote: { address: '127.0.0.1', port: CALLERS_PORT },
    codec: { name: codec, payloadType, clockRate: codec === 'opus' ? 48_000 : 8000 },
    telephoneEvent: { payloadType: 101, clockRate: 8000 },
    receives: [
      { payloadType, name: codec },
      { payloadType: 101, name: 'telephone-event' },
    ],
    ptime: 20,
    direction: 'sendrecv',
    ...(srtp && { security: { kind: 'sdes', local: key(srtp), remote: key(srtp) } }),
  };
}

/** Payloads of 20 ms. */
function encode(name: CodecName, pcm: Int16Array, sampleRate: PcmRate): string[] {
  const codec = createCodec(name, sampleRate);
  const samples = sampleRate / 50;
  const out = new Uint8Array(1500);
  const frames: string[] = [];
  for (let at = 0; at + samples <= pcm.length; at += samples) {
    const octets = codec.encode(pcm.subarray(at, at + samples), samples, out, 0);
    frames.push(Buffer.from(out.subarray(0, octets)).toString('base64'));
  }
  return frames;
}

async function ended(program: ChildProcess, script: string): Promise<never> {
  const [code] = await once(program, 'exit');
  throw new Error(`${script} ended with ${code}`);
}
