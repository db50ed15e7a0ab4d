import { execFileSync, spawnSync } from 'node:child_process';
import { decodeG711, encodeG711, MU_LAW } from '../../src/audio/g711.js';
import { resample } from '../../src/audio/resample.js';
import { readWav, setWavLength, WAV_HEADER_BYTES } from '../../src/audio/wav.js';
import { createSynthesiser } from '../../src/speech/synthesis/engines.js';
import type { Synthesiser } from '../../src/speech/synthesis/synthesiser.js';

/** Of the line, Hz. */
const LINE_RATE = 8000;
const ENGINE_RATE = 16_000;

/** A synthetic caller. */
export interface Speaker {
  name: string;
  engine: 'flite' | 'espeak-ng';
  voice: string;
  /** 1 is the voice's own. */
  speed: number;
  /** Hz; Flite only. */
  pitch?: number;
}

/** Biasing was tuned on what these say... */
export const TUNED_SPEAKERS: readonly Speaker[] = [
  { name: 'rms', engine: 'flite', voice: 'rms', speed: 1 },
  { name: 'kal', engine: 'flite', voice: 'kal', speed: 1 },
  { name: 'us', engine: 'espeak-ng', voice: 'en-us', speed: 0.9 },
];
/** ...and is measured on these. */
export const HELD_OUT_SPEAKERS: readonly Speaker[] = [
  { name: 'slt', engine: 'flite', voice: 'slt', speed: 1 },
  { name: 'slt, fast', engine: 'flite', voice: 'slt', speed: 1.25, pitch: 210 },
  { name: 'awb', engine: 'flite', voice: 'awb', speed: 1 },
  { name: 'awb, slow', engine: 'flite', voice: 'awb', speed: 0.85, pitch: 130 },
  { name: 'gb', engine: 'espeak-ng', voice: 'en-gb-x-rp+f2', speed: 1 },
  { name: 'scotland', engine: 'espeak-ng', voice: 'en-gb-scotland+m3', speed: 0.85 },
];

/** Those of them who can speak here. */
export function present(speakers: readonly Speaker[]): Speaker[] {
  const espeak = spawnSync('espeak-ng', ['--version']).status === 0;
  return speakers.filter(({ engine }) => engine === 'flite' || espeak);
}

/** Sentences as they arrive over the phone: 8 kHz mu-law. */
export class Booth {
  private constructor(private readonly flite: Synthesiser) {}

  static async open(): Promise<Booth> {
    return new Booth(await createSynthesiser('flite'));
  }

  /** What the recogniser gets to hear, at its own rate. */
  async say(text: string, speaker: Speaker): Promise<Float32Array> {
    const { pcm, sampleRate } =
      speaker.engine === 'flite' ? await this.flite.synthesise(text, speaker) : espeak(text, speaker);
    return overThePhone(pcm, sampleRate);
  }

  close(): Promise<void> {
    return this.flite.close();
  }
}

/** Words a minute at speed 1. */
const ESPEAK_RATE = 165;

function espeak(text: string, { voice, speed }: Speaker): { pcm: Int16Array; sampleRate: number } {
  const rate = String(Math.round(ESPEAK_RATE * speed));
  const wav = execFileSync('espeak-ng', ['-v', voice, '-s', rate, '--stdout', text], { maxBuffer: 1 << 26 });
  // It could not know how much would follow.
  setWavLength(wav, wav.length - WAV_HEADER_BYTES);
  return readWav(wav, 'espeak-ng');
}

/** @param sampleRate of the recording, Hz */
export function overThePhone(recorded: Int16Array, sampleRate: number): Float32Array {
  const pcm = resample(recorded, sampleRate, LINE_RATE);
  const bytes = new Uint8Array(pcm.length);
  encodeG711(MU_LAW, pcm, pcm.length, bytes, 0);
  decodeG711(MU_LAW, bytes, 0, bytes.length, pcm);
  return Float32Array.from(resample(pcm, LINE_RATE, ENGINE_RATE), (sample) => sample / 32768);
}
