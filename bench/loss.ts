import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resample } from '../src/audio/resample.js';
import { AudioRing } from '../src/audio/ring.js';
import { readWav } from '../src/audio/wav.js';
import type { NegotiatedMedia } from '../src/rtp/negotiated.js';
import { Moonshine } from '../src/speech/recognition/moonshine/moonshine.js';
import { speechConfig } from '../src/workers/config.js';
import { MediaHost } from '../src/workers/media/media-host.js';
import { RoughLine, type Weather } from '../test/kit/rough-line.js';
import { RtpPeer } from '../test/kit/rtp-peer.js';
import { ROOT } from '../test/kit/server.js';
import { until } from '../test/kit/until.js';
import { errors as wordErrors, wordsOf } from './recognition-sets/compare.js';
import type { BenchOptions, BenchResult } from './report.js';

const RATE = 8000;
/** Every packet is late by 0 to this, each by its own: many overtake each other. */
const JITTER_MS = 40;
const LOSSES = [0, 1, 3, 5, 10];
const PROMISED = 5;
/** Callers that speak at one time. */
const AT_ONCE = 14;
const DECODER = 'flac';

interface Clip {
  pcm: Int16Array;
  words: string[];
}

/**
 * Word error rate over recordings of people (PARLEY_TEST_DATA) that callers say in PCMU over a bad network: through sockets
 * and a media worker, clean and with random loss and jitter.
 */
export async function loss({ quick }: BenchOptions): Promise<BenchResult> {
  const clips = loadClips(quick ? AT_ONCE : Number.POSITIVE_INFINITY);
  const recogniser = await Moonshine.load();
  const host = await MediaHost.start({
    workers: 1,
    bind: '127.0.0.1',
    ports: { from: 20_000, to: 29_999 },
    vad: { ...speechConfig.parse({}).detection, windowMs: 32 },
    logLevel: 'warn',
  });
  try {
    const rate = (weather: Weather, seeds = 1) => errorRate(host, recogniser, clips, weather, seeds);
    const clean = await rate({});
    const rows: [string, string][] = [['clean', percent(clean)]];
    const measured: Record<string, number> = { clean: rounded(clean) };
    const tell = (name: string, key: string, share: number) => {
      rows.push([name, `${percent(share)} (${percent(share / clean - 1)} more)`]);
      measured[key] = rounded(share);
    };
    for (const share of quick ? [PROMISED] : LOSSES) {
      // The one that a promise is about is measured more closely.
      const found = await rate({ loss: share, jitterMs: JITTER_MS }, share === PROMISED && !quick ? 3 : 1);
      tell(`${share} % loss, ${JITTER_MS} ms jitter`, `loss${share}`, found);
    }
    const worst = { loss: PROMISED, jitterMs: JITTER_MS, duplicates: 5, driftPpm: 500 };
    tell('5 % loss, jitter, 5 % twice, clock 500 ppm slow', 'all', await rate(worst));
    return { rows, values: { clips: clips.length, jitterMs: JITTER_MS, wordErrorRate: measured } };
  } finally {
    await host.close();
    await recogniser.close();
  }
}

function loadClips(most: number): Clip[] {
  const folder = join(process.env.PARLEY_TEST_DATA ?? join(ROOT, '../shared/data'), 'speech');
  if (!existsSync(folder)) throw new Error(`no recordings at ${folder}: set PARLEY_TEST_DATA`);
  if (spawnSync(DECODER, ['--version']).status !== 0) throw new Error(`${DECODER} is needed to read the recordings`);
  const listed: { file: string; text: string }[] = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  return listed.slice(0, most).map(({ file, text }) => {
    const wav = execFileSync(DECODER, ['-d', '-s', '-c', join(folder, file)], { maxBuffer: 1 << 28 });
    const { pcm, sampleRate } = readWav(wav, file);
    return { pcm: resample(pcm, sampleRate, RATE), words: wordsOf(text) };
  });
}

async function errorRate(
  host: MediaHost,
  recogniser: Moonshine,
  clips: readonly Clip[],
  weather: Weather,
  seeds: number,
): Promise<number> {
  let errors = 0;
  let total = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    for (let from = 0; from < clips.length; from += AT_ONCE) {
      const some = clips.slice(from, from + AT_ONCE);
      const heard = await Promise.all(
        some.map(({ pcm }, n) => listen(host, pcm, { ...weather, seed: 1000 * seed + from + n })),
      );
      // One after another: they would only wait for each other, and the packets for them.
      for (const [n, pcm] of heard.entries()) {
        const { words } = some[n]!;
        const audio = Float32Array.from(resample(pcm, RATE, 16_000), (sample) => sample / 32768);
        errors += wordErrors(words, (await recogniser.recognise(audio)).text);
        total += words.length;
      }
    }
  }
  return errors / total;
}

/** What a leg has heard after a caller has said the clip over this line. */
async function listen(host: MediaHost, pcm: Int16Array, weather: Weather): Promise<Int16Array> {
  const [line, phone] = [await RoughLine.open(weather), await RtpPeer.open()];
  const leg = await host.open(`loss-${line.inside}`, () => undefined, RATE, { detect: false });
  const ring = new AudioRing(leg.ring);
  try {
    leg.negotiated(mediaOf(line.inside));
    const said = phone.play({ pcm, sampleRate: RATE });
    phone.start(line.fromServer(`c=IN IP4 127.0.0.1\r\nm=audio ${leg.port} RTP/AVP 0\r\n`));
    await said;
    // The stream goes on with silence; what the ring does not hold any more was never asked for: clips are shorter.
    await until('all of it heard', () => ring.end > pcm.length + RATE / 2);
    return ring.read(0, pcm.length + RATE / 4).pcm;
  } finally {
    phone.close();
    line.close();
    await leg.close();
  }
}

function mediaOf(port: number): NegotiatedMedia {
  return {
    remote: { address: '127.0.0.1', port },
    codec: { name: 'PCMU', payloadType: 0, clockRate: RATE },
    receives: [{ payloadType: 0, name: 'PCMU' }],
    ptime: 20,
    direction: 'sendrecv',
  };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const rounded = (share: number) => Math.round(share * 10_000) / 10_000;
