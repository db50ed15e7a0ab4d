import type { WordTime } from '../speech/synthesis/synthesiser.js';

/** Synthesised speech as it is kept: times are of the spoken words, for one clip may serve texts written differently. */
export interface KeptClip {
  /** In shared memory. */
  pcm: Int16Array;
  sampleRate: number;
  /** One per spoken word; undefined when the engine tells no times. */
  words: readonly WordTime[] | undefined;
}

/*
 * A stored clip:
 *   0  "PARLEYC1"
 *   8  length of the header, uint32 little-endian
 *  12  header, JSON: { sampleRate, samples, words?: [word, start, end][] }
 *      PCM, signed 16-bit little-endian, to the end
 */
const MAGIC = Buffer.from('PARLEYC1');
const HEADER_AT = 12;

/** A clip as a blob for the store. */
export function encodeClip({ pcm, sampleRate, words }: KeptClip): Uint8Array {
  const times = words?.map(({ word, start, end }) => [word, start, end]);
  const header = Buffer.from(JSON.stringify({ sampleRate, samples: pcm.length, words: times }));
  const blob = Buffer.alloc(HEADER_AT + header.length + pcm.length * 2);
  MAGIC.copy(blob);
  blob.writeUInt32LE(header.length, MAGIC.length);
  header.copy(blob, HEADER_AT);
  let at = HEADER_AT + header.length;
  for (const sample of pcm) at = blob.writeInt16LE(sample, at);
  return blob;
}

/** The clip of a blob; undefined for anything but a whole one of this version at that rate. */
export function decodeClip(bytes: Uint8Array, sampleRate: number): KeptClip | undefined {
  const blob = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (blob.length < HEADER_AT || !blob.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const pcmAt = HEADER_AT + blob.readUInt32LE(MAGIC.length);
  const header = parseHeader(blob.subarray(HEADER_AT, pcmAt).toString());
  if (header?.sampleRate !== sampleRate || blob.length !== pcmAt + 2 * header.samples) return undefined;
  const pcm = new Int16Array(new SharedArrayBuffer(2 * header.samples));
  for (let index = 0; index < pcm.length; index++) pcm[index] = blob.readInt16LE(pcmAt + 2 * index);
  return { pcm, sampleRate, words: header.words };
}

function parseHeader(json: string): { sampleRate: number; samples: number; words: WordTime[] | undefined } | undefined {
  try {
    const { sampleRate, samples, words }: Record<string, unknown> = JSON.parse(json);
    if (typeof sampleRate !== 'number' || typeof samples !== 'number' || !(samples >= 0)) return undefined;
    if (words !== undefined && !(Array.isArray(words) && words.every(isTime))) return undefined;
    return { sampleRate, samples, words: words?.map(([word, start, end]) => ({ word, start, end })) };
  } catch {
    return undefined;
  }
}

function isTime(value: unknown): value is [string, number, number] {
  return (
    Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number' && typeof value[2] === 'number'
  );
}
