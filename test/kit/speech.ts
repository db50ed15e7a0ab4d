import { FliteSynthesiser } from '../../src/speech/synthesis/flite/flite.js';
import type { Sound } from './wav.js';

let flite: Promise<FliteSynthesiser> | undefined;
const spoken = new Map<string, Promise<Sound>>();

/** A caller's line at 8 kHz, in the voice that the recogniser understands best; made once. */
export function speak(text: string): Promise<Sound> {
  let sound = spoken.get(text);
  if (!sound) {
    sound = synthesise(text);
    spoken.set(text, sound);
  }
  return sound;
}

async function synthesise(text: string): Promise<Sound> {
  flite ??= FliteSynthesiser.load();
  const { pcm, sampleRate } = await (await flite).synthesise(text, { engine: 'flite', voice: 'rms', speed: 1 });
  if (sampleRate !== 16_000) throw new Error(`rms speaks at ${sampleRate} Hz, 16000 expected`);
  return { pcm: halve(pcm), sampleRate: 8000 };
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
