import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { resample } from '../../audio/resample.js';
import { readWav } from '../../audio/wav.js';
import { ParleyError, reasonOf } from '../../errors.js';
import type { Piece } from './script.js';
import { type Spurt, soundSpan } from './sound.js';

/** A line ready to be played. */
export interface PreparedLine {
  /** As it is shown: the text, recordings by their file name. */
  said: string;
  pcm: Int16Array;
  /** From its first voiced sample to its last. */
  span: Spurt;
}

/** Speaks a text; mono PCM at the rate of the call. */
export type Speak = (text: string) => Promise<Int16Array>;

/**
 * Makes the audio of a line. Quiet at the edges of spoken pieces is taken off, so that a pause is as long as it says.
 *
 * @param sampleRate of the call, Hz
 * @throws ParleyError PARLEY_ERR_CONFIG_FILE, PARLEY_ERR_WAV_INVALID, or what `speak` throws
 */
export async function prepareLine(pieces: readonly Piece[], speak: Speak, sampleRate: number): Promise<PreparedLine> {
  const sounds: Int16Array[] = [];
  for (const piece of pieces) sounds.push(await soundOf(piece, speak, sampleRate));
  const pcm = concatenate(sounds);
  return { said: saidOf(pieces), pcm, span: soundSpan(pcm, sampleRate) ?? { start: 0, end: pcm.length } };
}

async function soundOf(piece: Piece, speak: Speak, sampleRate: number): Promise<Int16Array> {
  if (piece.kind === 'pause') return new Int16Array(Math.round((piece.ms * sampleRate) / 1000));
  if (piece.kind === 'text') return withoutEdges(await speak(piece.text), sampleRate);
  const wav = readWav(await bytesOf(piece.file), piece.file);
  return resample(wav.pcm, wav.sampleRate, sampleRate);
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new ParleyError('PARLEY_ERR_CONFIG_FILE', { file, reason: reasonOf(error) }, { cause: error });
  }
}

/** What is below the level of sound at the edges may still be heard: some of it stays. */
const EDGE_MS = 20;

function withoutEdges(pcm: Int16Array, sampleRate: number): Int16Array {
  const span = soundSpan(pcm, sampleRate);
  const edge = (EDGE_MS * sampleRate) / 1000;
  return span ? pcm.subarray(Math.max(0, span.start - edge), span.end + edge) : pcm;
}

export function concatenate(parts: readonly Int16Array[]): Int16Array {
  // Shared, so that it crosses to the media worker without a copy.
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Int16Array(new SharedArrayBuffer(length * Int16Array.BYTES_PER_ELEMENT));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function saidOf(pieces: readonly Piece[]): string {
  return pieces
    .flatMap((piece) => {
      if (piece.kind === 'pause') return [];
      return [piece.kind === 'text' ? piece.text : `[${basename(piece.file)}]`];
    })
    .join(' ');
}
