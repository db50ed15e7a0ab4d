import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { OpusLibrary, opusLibrary } from '../../audio/opus.js';
import type { ParleyError } from '../../errors.js';
import type { PcmRate } from '../../rtp/negotiated.js';
import { createLogger } from '../../telemetry/log.js';
import { type CreateFile, createFile } from './block-writer.js';
import { Recorder, type RecorderOptions } from './recorder.js';
import { recoverRecordings } from './recover.js';

const run = promisify(execFile);
const logger = createLogger('silent');
const startedAt = Date.UTC(2025, 4, 6, 23, 59, 58);
const hasFfmpeg = await run('ffmpeg', ['-version']).then(
  () => true,
  () => false,
);
const playsOpus = hasFfmpeg && opusLibrary.problem === undefined;

let folder: string;
let errors: ParleyError[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-recording-'));
  errors = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function recorder(options: Partial<RecorderOptions> = {}): Recorder {
  const failed = (error: ParleyError) => errors.push(error);
  return new Recorder({ folder, call: 'c1', rate: 8000, format: 'wav', startedAt, failed, ...options });
}

/** What is said on a channel: noise whose each sample depends on its place. */
function said(channel: number, from: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, n) => (((from + n) * 7919 + channel * 104_729) % 20_011) - 10_000);
}

/** Hands over frames `from` to `to`. */
function record(to: Recorder, from: number, until: number, rate: PcmRate = 8000): void {
  const samples = rate / 50;
  for (let n = from; n < until; n++) to.frame(said(1, n * samples, samples), said(2, n * samples, samples));
}

function channels(bytes: Uint8Array): { left: Int16Array; right: Int16Array; rate: number } {
  const wav = new wavefile.WaveFile(bytes);
  const fmt = JSON.parse(JSON.stringify(wav.fmt));
  expect([fmt.numChannels, wav.bitDepth, wav.container]).toEqual([2, '16', 'RIFF']);
  const [left, right] = splitOf(wav.getSamples(true, Int16Array));
  return { left, right, rate: fmt.sampleRate };
}

function splitOf(both: ArrayLike<number>): [Int16Array, Int16Array] {
  const side = (first: number) => Int16Array.from({ length: both.length / 2 }, (_, n) => both[2 * n + first]!);
  return [side(0), side(1)];
}

/** Waits until the file of that name is at least so long. */
async function grown(path: string, bytes: number): Promise<void> {
  for (;;) {
    const size = await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
    if (size >= bytes) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('Recorder of WAV', () => {
  it.each([8000, 16_000] as const)('keeps both channels at %i Hz to the sample', async (rate) => {
    const recording = recorder({ rate });
    record(recording, 0, 133, rate);
    const { path, info } = await recording.close();
    expect(path).toBe(join(folder, '2025-05-06', 'c1.wav'));
    const { left, right, rate: written } = channels(await readFile(path!));
    expect(written).toBe(rate);
    expect(left).toEqual(said(1, 0, (133 * rate) / 50));
    expect(right).toEqual(said(2, 0, (133 * rate) / 50));
    expect(info).toMatchObject({ call: 'c1', seconds: 2.66, complete: true, file: 'c1.wav', rate });
    expect(JSON.parse(await readFile(join(folder, '2025-05-06', 'c1.json'), 'utf8'))).toEqual(info);
    expect((await readdir(join(folder, '2025-05-06'))).sort()).toEqual(['c1.json', 'c1.wav']);
    expect(errors).toEqual([]);
  });

  it('puts silence in place of what is paused, masked or missing, and goes on in time', async () => {
    const recording = recorder();
    record(recording, 0, 30);
    recording.pause();
    record(recording, 30, 40);
    recording.mask(true);
    recording.resume();
    record(recording, 40, 50);
    recording.mask(false);
    record(recording, 50, 60);
    recording.gap(100);
    record(recording, 160, 170);
    recording.gap(10);
    const { path, info } = await recording.close();
    const { left, right } = channels(await readFile(path!));
    const silent = (n: number) => (n >= 30 * 160 && n < 50 * 160) || (n >= 60 * 160 && n < 160 * 160) || n >= 170 * 160;
    expect(left).toEqual(said(1, 0, 180 * 160).map((sample, n) => (silent(n) ? 0 : sample)));
    expect(right).toEqual(said(2, 0, 180 * 160).map((sample, n) => (silent(n) ? 0 : sample)));
    expect(info.silences).toEqual([
      { reason: 'paused', from: 0.6, to: 0.8 },
      { reason: 'masked', from: 0.8, to: 1 },
    ]);
  });

  it('leaves a playable file when it is never closed, which lacks less than a second', async () => {
    const recording = recorder();
    record(recording, 0, 209);
    const part = join(folder, '2025-05-06', 'c1.wav.part');
    await grown(part, 44 + 200 * 640);
    // The header is brought up to date after the sound.
    let held = 0;
    while (held < 200 * 160) held = channels(await readFile(part)).left.length;
    expect(held).toBe(200 * 160);
    await recording.close();
  });

  it('gives further recordings of a call, and odd call ids, names of their own', async () => {
    const paths: (string | undefined)[] = [];
    for (const call of ['c1', 'c1', '../../x/y', '.']) {
      const recording = recorder({ call });
      record(recording, 0, 1);
      paths.push((await recording.close()).path?.slice(folder.length + 1));
    }
    expect(paths.map((path) => path?.slice('2025-05-06/'.length))).toEqual([
      'c1.wav',
      'c1-2.wav',
      '_._.._x_y.wav',
      '_.wav',
    ]);
  });

  it('ends with what could be written when the disk is full, says so once, and never throws', async () => {
    const create: CreateFile = async (path) => {
      const file = await createFile(path);
      return {
        ...file,
        write: async (bytes, length, position) => {
          if (position > 50_000) throw new Error('ENOSPC: no space left on device, write');
          await file.write(bytes, length, position);
        },
      };
    };
    const recording = recorder({ createFile: create });
    for (let n = 0; n < 20; n++) {
      record(recording, 20 * n, 20 * (n + 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { path, info } = await recording.close();
    expect(errors.map(({ code }) => code)).toEqual(['PARLEY_ERR_RECORDING_WRITE']);
    expect(errors[0]!.message).toContain('ENOSPC');
    expect(info).toMatchObject({ complete: false, seconds: 1.6 });
    expect(channels(await readFile(path!)).left).toEqual(said(1, 0, 80 * 160));
  });

  it.runIf(process.platform === 'linux')(
    'reports a device that is full, and a folder that cannot be made',
    async () => {
      const recording = recorder({ createFile: (path) => symlink('/dev/full', path).then(() => full()) });
      record(recording, 0, 100);
      expect(await recording.close()).toMatchObject({ info: { complete: false, seconds: 0 } });
      await writeFile(join(folder, 'file'), '');
      const nowhere = recorder({ folder: join(folder, 'file') });
      record(nowhere, 0, 100);
      expect((await nowhere.close()).path).toBeUndefined();
      expect(errors.map(({ code }) => code)).toEqual(['PARLEY_ERR_RECORDING_WRITE', 'PARLEY_ERR_RECORDING_WRITE']);
    },
  );

  it('leaves out what a slow disk does not take, and keeps the time', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const recording = recorder({ createFile: (path) => gate.then(() => createFile(path)) });
    record(recording, 0, 700);
    release();
    await grown(join(folder, '2025-05-06', 'c1.wav.part'), 44 + 500 * 640);
    await new Promise((resolve) => setImmediate(resolve));
    record(recording, 700, 720);
    const { path, info } = await recording.close();
    expect(errors.map(({ code }) => code)).toEqual(['PARLEY_ERR_RECORDING_SLOW']);
    expect(info).toMatchObject({ complete: false, seconds: 14.4 });
    const { left } = channels(await readFile(path!));
    expect(left).toEqual(said(1, 0, 720 * 160).map((sample, n) => (n >= 500 * 160 && n < 700 * 160 ? 0 : sample)));
  });

  it('writes WAV, and says so, where Opus cannot be used', async () => {
    const recording = recorder({ format: 'opus', opus: new OpusLibrary(() => ({})) });
    record(recording, 0, 10);
    expect((await recording.close()).path).toMatch(/\.wav$/);
    expect(errors.map(({ code }) => code)).toEqual(['PARLEY_ERR_RECORDING_OPUS']);
  });
});

/** The device that takes nothing. */
async function full(): ReturnType<CreateFile> {
  const { open } = await import('node:fs/promises');
  const handle = await open('/dev/full', 'w');
  return {
    write: async (bytes, length) => void (await handle.write(bytes, 0, length)),
    truncate: async () => undefined,
    sync: async () => undefined,
    close: () => handle.close(),
  };
}

/** Decoded by ffmpeg to 48 kHz. */
async function decoded(path: string): Promise<{ left: Int16Array; right: Int16Array }> {
  const { stdout, stderr } = await run('ffmpeg', ['-v', 'warning', '-i', path, '-f', 's16le', '-ar', '48000', '-'], {
    encoding: 'buffer',
    maxBuffer: 1 << 28,
  });
  expect(stderr.toString()).toBe('');
  const bytes = new DataView(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  const [left, right] = splitOf(Int16Array.from({ length: stdout.length / 2 }, (_, n) => bytes.getInt16(2 * n, true)));
  return { left, right };
}

/** 20 ms of a tone that begins and ends with the frame. */
function beep(hz: number, rate: PcmRate): Int16Array {
  return Int16Array.from({ length: rate / 50 }, (_, n) => 12_000 * Math.sin((2 * Math.PI * hz * n) / rate));
}

/** Middle of the energy of what lies around `at`, samples. */
function centre(pcm: Int16Array, at: number): number {
  let [sum, weight] = [0, 0];
  for (let n = at - 2400; n < at + 2400; n++) {
    sum += pcm[n]! ** 2;
    weight += pcm[n]! ** 2 * n;
  }
  return weight / sum;
}

describe.runIf(playsOpus)('Recorder of Opus', () => {
  it.each([8000, 16_000] as const)('keeps both channels at %i Hz apart and in time', async (rate) => {
    const recording = recorder({ rate, format: 'opus' });
    const none = new Int16Array(rate / 50);
    for (let n = 0; n < 150; n++) {
      recording.frame(n % 50 === 25 ? beep(600, rate) : none, n % 50 === 25 || n === 80 ? beep(600, rate) : none);
    }
    recording.gap(400);
    for (let n = 0; n < 10; n++) recording.frame(n === 5 ? beep(600, rate) : none, none);
    const { path, info } = await recording.close();
    expect(info).toMatchObject({ complete: true, seconds: 11.2, format: 'opus' });
    const { left, right } = await decoded(path!);
    expect(left.length).toBe(11.2 * 48_000);
    for (const frame of [25, 75, 125, 555]) {
      expect(Math.abs(centre(left, frame * 960 + 480) - (frame * 960 + 480))).toBeLessThan(48);
    }
    // The same sound on both channels lies at the same place; what is said on one is not heard on the other.
    expect(Math.abs(centre(left, 75 * 960 + 480) - centre(right, 75 * 960 + 480))).toBeLessThan(1);
    expect(Math.max(...left.slice(79 * 960, 83 * 960).map(Math.abs))).toBeLessThan(30);
    expect(Math.max(...right.slice(79 * 960, 83 * 960).map(Math.abs))).toBeGreaterThan(5000);
    expect(errors).toEqual([]);
  });

  it('can be played from a file that was cut off anywhere, once repaired', async () => {
    const recording = recorder({ format: 'opus' });
    record(recording, 0, 250);
    const { path } = await recording.close();
    const whole = await readFile(path!);
    await writeFile(`${path}.part`, whole.subarray(0, whole.length - 1000));
    await rm(path!);
    expect(await recoverRecordings(folder, logger, 0)).toEqual([path]);
    const { left } = await decoded(path!);
    expect(left.length).toBeGreaterThan(4 * 48_000);
    const info = JSON.parse(await readFile(path!.replace('.opus', '.json'), 'utf8'));
    expect(info.seconds).toBeCloseTo(left.length / 48_000, 3);
    expect(info.complete).toBe(false);
  });

  it('fills with silence what a slow disk did not take', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const recording = recorder({ format: 'opus', createFile: (path) => gate.then(() => createFile(path)) });
    record(recording, 0, 700);
    release();
    await grown(join(folder, '2025-05-06', 'c1.opus.part'), 20_000);
    await new Promise((resolve) => setImmediate(resolve));
    record(recording, 700, 720);
    const { path, info } = await recording.close();
    expect(info).toMatchObject({ complete: false, seconds: 14.4 });
    const { left } = await decoded(path!);
    expect(left.length).toBe(14.4 * 48_000);
    expect(Math.max(...left.slice(11 * 48_000, 13 * 48_000).map(Math.abs))).toBeLessThan(30);
  });
});
