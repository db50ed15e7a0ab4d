import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resample } from '../../src/audio/resample.js';
import { createCodec } from '../../src/rtp/codec.js';
import type { CodecName, NegotiatedMedia, PcmRate } from '../../src/rtp/negotiated.js';
import { type SrtpKey, type SrtpSuite, SUITE_FACTS } from '../../src/rtp/srtp/suites.js';
import type { MediaLeg } from '../../src/workers/media-host.js';
import { Capture } from '../../test/kit/capture.js';
import type { CallersOrder } from './callers.js';

/** Where all callers are. */
const CALLERS_PORT = 19_000;
/** The core that callers and capture run on; the media worker has the other. */
const CORE = 1;

/** What all callers of one run speak. */
export interface Spoken {
  codec: CodecName;
  payloadType: number;
  srtp?: SrtpSuite;
}

/** The running callers. */
export interface Callers {
  /** Records what they are sent: headers only. */
  capture(): Promise<Capture>;
  stop(): Promise<void>;
}

/** Tells each leg where its caller is, and lets all of them speak. @param said 8 kHz */
export async function startCallers(
  folder: string,
  spoken: Spoken,
  legs: readonly MediaLeg[],
  said: Int16Array,
  sampleRate: PcmRate,
): Promise<Callers> {
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
  const program = spawn('taskset', ['-c', String(CORE), process.execPath, '--import', 'tsx', entry(), file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await Promise.race([once(program.stdout!, 'data'), ended(program)]);
  return {
    capture: () => Capture.start(join(folder, 'sent.pcap'), `udp dst port ${CALLERS_PORT}`, 64, CORE),
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

async function ended(program: ChildProcess): Promise<never> {
  const [code] = await once(program, 'exit');
  throw new Error(`the callers ended with ${code}`);
}

function entry(): string {
  return new URL('./callers.ts', import.meta.url).pathname;
}
