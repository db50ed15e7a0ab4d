import { Worker } from 'node:worker_threads';
import { resample } from '../../src/audio/resample.js';
import type { Sound } from './wav.js';

/** Rate of what the thread speaks and hears, Hz. */
const WIDE = 16_000;
const spoken = new Map<string, Promise<Int16Array>>();

/** A caller's line at 8 kHz, in the voice that the recogniser understands best; made once. */
export async function speak(text: string): Promise<Sound> {
  return { pcm: halve((await speakWide(text)).pcm), sampleRate: WIDE / 2 };
}

/** The same at 16 kHz, as a wideband phone hears it. */
export async function speakWide(text: string): Promise<Sound> {
  let pcm = spoken.get(text);
  if (!pcm) {
    pcm = work<Int16Array>('speak', text);
    spoken.set(text, pcm);
  }
  return { pcm: await pcm, sampleRate: WIDE };
}

/** The words in a recording. It is cut where it is quiet, as the recogniser takes phrases, not calls. */
export function transcribe(sound: Sound): Promise<string> {
  const wide = phrases(sound).map((phrase) => resample(phrase, sound.sampleRate, WIDE));
  return work<string>(
    'transcribe',
    wide.map((phrase) => Float32Array.from(phrase, (sample) => sample / 32_768)),
  );
}

let thread: Worker | undefined;
let jobs = 0;
const waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();

/** Has the thread do something. */
function work<T>(job: string, given: unknown): Promise<T> {
  thread ??= start();
  const id = ++jobs;
  thread.ref();
  thread.postMessage({ id, job, given });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

function start(): Worker {
  const started = new Worker(new URL('./speech-thread.mjs', import.meta.url));
  started.on('message', ({ id, result, error }) => {
    if (error) waiting.get(id)?.reject(error);
    else waiting.get(id)?.resolve(result as never);
    waiting.delete(id);
    // Nobody's process is kept up by a thread that has nothing to do.
    if (waiting.size === 0) started.unref();
  });
  started.on('error', (error: Error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  return started;
}

/** 16 kHz to 8 kHz through a windowed-sinc low pass at 3.6 kHz. */
function halve(pcm: Int16Array): Int16Array {
  const taps = Array.from({ length: 31 }, (_, i) => {
    const x = i - 15;
    const window = 0.54 + 0.46 * Math.cos((Math.PI * x) / 15);
    return window * (x === 0 ? 0.45 : Math.sin(0.45 * Math.PI * x) / (Math.PI * x));
  });
  return Int16Array.from({ length: pcm.length >> 1 }, (_, n) =>
    taps.reduce((sum, tap, i) => sum + tap * (pcm[2 * n + i - 15] ?? 0), 0),
  );
}

/** Stretches between pauses of 0.3 s and more, with 0.15 s of quiet left at each side; at most 10 s long. */
function phrases({ pcm, sampleRate }: Sound): Int16Array[] {
  const frame = sampleRate / 50;
  const voiced: boolean[] = [];
  for (let at = 0; at + frame <= pcm.length; at += frame) {
    const power = pcm.subarray(at, at + frame).reduce((sum, sample) => sum + sample * sample, 0) / frame;
    voiced.push(power > 100 * 100);
  }
  const found: Int16Array[] = [];
  let begin = -1;
  let last = -1;
  const cut = () => {
    if (begin >= 0) found.push(pcm.slice(Math.max(0, begin - 8) * frame, (last + 8) * frame));
    begin = -1;
  };
  voiced.forEach((loud, index) => {
    if (begin >= 0 && (index - last > 15 || index - begin > 500)) cut();
    if (!loud) return;
    if (begin < 0) begin = index;
    last = index;
  });
  cut();
  return found;
}

/** Share of the words of `wanted` that are in `heard`, 0 to 1; case and punctuation don't count. */
export function overlap(wanted: string, heard: string): number {
  const words = (text: string) => text.toLowerCase().match(/[a-z0-9']+/g) ?? [];
  const had = new Set(words(heard));
  const asked = words(wanted);
  return asked.length === 0 ? 0 : asked.filter((word) => had.has(word)).length / asked.length;
}
