import { resample } from '../../src/audio/resample.js';
import { Moonshine } from '../../src/speech/recognition/moonshine/moonshine.js';
import { FliteSynthesiser } from '../../src/speech/synthesis/flite/flite.js';
import type { Sound } from './wav.js';

let flite: Promise<FliteSynthesiser> | undefined;
const spoken = new Map<string, Promise<Sound>>();

/** A caller's line at 8 kHz, in the voice that the recogniser understands best; made once. */
export function speak(text: string): Promise<Sound> {
  let sound = spoken.get(text);
  if (!sound) {
    sound = speakWide(text).then(({ pcm }) => ({ pcm: halve(pcm), sampleRate: 8000 }));
    spoken.set(text, sound);
  }
  return sound;
}

/** The same at 16 kHz, as a wideband phone hears it. */
export async function speakWide(text: string): Promise<Sound> {
  flite ??= FliteSynthesiser.load();
  const { pcm, sampleRate } = await (await flite).synthesise(text, { engine: 'flite', voice: 'rms', speed: 1 });
  if (sampleRate !== 16_000) throw new Error(`rms speaks at ${sampleRate} Hz, 16000 expected`);
  return { pcm, sampleRate };
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

let moonshine: Promise<Moonshine> | undefined;

/** The words in a recording. It is cut where it is quiet, as the recogniser takes phrases, not calls. */
export async function transcribe(sound: Sound): Promise<string> {
  moonshine ??= Moonshine.load();
  const recogniser = await moonshine;
  const texts: string[] = [];
  for (const phrase of phrases(sound)) {
    const wide = resample(phrase, sound.sampleRate, recogniser.capabilities.sampleRate);
    const { text } = await recogniser.recognise(Float32Array.from(wide, (sample) => sample / 32_768));
    if (text) texts.push(text);
  }
  return texts.join(' ');
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
