import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeG711, encodeG711, MU_LAW } from '../src/audio/g711.js';
import { resample } from '../src/audio/resample.js';
import { readWav } from '../src/audio/wav.js';
import { Moonshine } from '../src/speech/recognition/moonshine/moonshine.js';
import type { Recognition } from '../src/speech/recognition/recogniser.js';
import { createSynthesiser } from '../src/speech/synthesis/engines.js';
import type { ExpectedAnswer } from '../src/text/expected.js';
import { scratchFolder } from '../test/kit/scratch.js';
import { randomOf } from './topic-sets.js';

const TELEPHONE_RATE = 8000;
/** Before and after the words, ms: what the detector leaves around them. */
const MARGIN_MS = { before: 150, after: 160 };
/** Voices of espeak-ng, where it is installed. */
const ESPEAK = ['en-us', 'en-gb'];

/** What is spoken, and what was asked. */
export interface Spoken {
  spoken: string;
  expected?: ExpectedAnswer | undefined;
}

/** Says a text. */
export type Speak = (text: string) => Promise<{ pcm: Int16Array; sampleRate: number }>;

/** What the recogniser tells of a text that was spoken. */
type Heard = Pick<Recognition, 'text' | 'unfinished'>;

/**
 * What the recogniser makes of these texts, each spoken by one of the voices over a telephone's line (8 kHz, mu-law). The
 * same for the same texts and voices.
 *
 * @param voices Flite's and espeak-ng's by default
 */
export async function heardOf(rows: readonly Spoken[], voices?: readonly [Speak, ...Speak[]]): Promise<Heard[]> {
  const recogniser = await Moonshine.load();
  const [first, ...others] = voices ?? (await manyVoices());
  const random = randomOf(7);
  const heard: Heard[] = [];
  for (const { spoken, expected } of rows) {
    const speak = others[Math.floor(random() * (others.length + 1))] ?? first;
    const { pcm, sampleRate } = await speak(spoken);
    const line = overTheLine(resample(pcm, sampleRate, TELEPHONE_RATE));
    const { sampleRate: rate } = recogniser.capabilities;
    const wide = Float32Array.from(resample(line, TELEPHONE_RATE, rate), (sample) => sample / 32768);
    heard.push(await recogniser.recognise(wide, expected ? { expected } : {}));
  }
  await recogniser.close();
  return heard;
}

/** Debian's best voice (packages festival and festvox-us-slt-hts), which the recogniser understands as well as people; none where it is not installed. */
export function clearVoice(): Speak | undefined {
  return isThere('text2wave', '--help') ? async (text) => festival(text) : undefined;
}

async function manyVoices(): Promise<[Speak, ...Speak[]]> {
  const flite = await createSynthesiser('flite');
  const by =
    (voice?: string): Speak =>
    (text) =>
      flite.synthesise(text, { engine: 'flite', voice, speed: 1 });
  const all: [Speak, ...Speak[]] = [by(), ...flite.capabilities.voices.slice(1).map(({ name }) => by(name))];
  if (!isThere('espeak-ng', '--version')) return all;
  return [
    ...all,
    ...ESPEAK.map(
      (voice): Speak =>
        async (text) =>
          espeak(voice, text),
    ),
  ];
}

function isThere(program: string, harmless: string): boolean {
  try {
    execFileSync(program, [harmless], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Through a file: in a pipe it does not say how long its sound is. */
function festival(text: string): { pcm: Int16Array; sampleRate: number } {
  const folder = scratchFolder('festival');
  try {
    const file = join(folder.path, 'said.wav');
    execFileSync('text2wave', ['-eval', '(voice_cmu_us_slt_arctic_hts)', '-o', file], { input: text });
    return readWav(readFileSync(file));
  } finally {
    folder.remove();
  }
}

function espeak(voice: string, text: string): { pcm: Int16Array; sampleRate: number } {
  return readWav(execFileSync('espeak-ng', ['-v', voice, '-s', '155', '--stdout', text], { maxBuffer: 2 ** 26 }));
}

function overTheLine(pcm: Int16Array): Int16Array {
  const before = (MARGIN_MS.before * TELEPHONE_RATE) / 1000;
  const after = (MARGIN_MS.after * TELEPHONE_RATE) / 1000;
  const whole = new Int16Array(before + pcm.length + after);
  whole.set(pcm, before);
  const coded = new Uint8Array(whole.length);
  encodeG711(MU_LAW, whole, whole.length, coded, 0);
  decodeG711(MU_LAW, coded, 0, coded.length, whole);
  return whole;
}
