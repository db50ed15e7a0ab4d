/*
 * The kit's own few lines of WAV and G.711, so that a fault in the product's codecs can't hide behind the same fault
 * in the tests.
 */

/** Mono signed 16-bit audio. */
export interface Sound {
  pcm: Int16Array;
  sampleRate: number;
}

/** A RIFF WAVE file of mono signed 16-bit PCM. */
export function encodeWav(sound: Sound): Buffer {
  const bytes = Buffer.from(sound.pcm.buffer, sound.pcm.byteOffset, sound.pcm.byteLength);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + bytes.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sound.sampleRate, 24);
  header.writeUInt32LE(sound.sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(bytes.length, 40);
  return Buffer.concat([header, bytes]);
}

/** Reads 16-bit mono PCM, also of a recorder that never wrote the final lengths. */
export function decodeWav(file: Buffer): Sound {
  let sampleRate = 0;
  for (let at = 12; at + 8 <= file.length; ) {
    const id = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    if (id === 'fmt ') sampleRate = file.readUInt32LE(at + 12);
    if (id === 'data') {
      const bytes = file.subarray(at + 8, Math.min(file.length, at + 8 + (size || file.length)));
      const pcm = new Int16Array(bytes.length >> 1);
      for (let i = 0; i < pcm.length; i++) pcm[i] = bytes.readInt16LE(i * 2);
      return { pcm, sampleRate };
    }
    at += 8 + size + (size & 1);
  }
  throw new Error('WAV file without data');
}

/** G.711 mu-law of one sample (ITU-T G.711, by the segment formula rather than a table). */
function muLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(32_635, Math.abs(sample)) + 132;
  const segment = Math.floor(Math.log2(magnitude)) - 7;
  const step = (magnitude >> (segment + 3)) & 0x0f;
  return ~(sign | (segment << 4) | step) & 0xff;
}

/** Encodes PCM to mu-law bytes. */
export function toMuLaw(pcm: Int16Array): Buffer {
  return Buffer.from(Array.from(pcm, muLaw));
}

/** Decodes mu-law bytes to PCM. */
export function fromMuLaw(bytes: Uint8Array): Int16Array {
  return Int16Array.from(bytes, (byte) => {
    const code = ~byte & 0xff;
    const magnitude = ((((code & 0x0f) << 3) + 132) << ((code >> 4) & 7)) - 132;
    return code & 0x80 ? -magnitude : magnitude;
  });
}

/** Silence of so many seconds. */
export function silence(seconds: number, sampleRate = 8000): Sound {
  return { pcm: new Int16Array(Math.round(seconds * sampleRate)), sampleRate };
}

/** Sounds of one rate in a row. */
export function join(...sounds: Sound[]): Sound {
  const sampleRate = sounds[0]?.sampleRate ?? 8000;
  const pcm = new Int16Array(sounds.reduce((length, sound) => length + sound.pcm.length, 0));
  let at = 0;
  for (const sound of sounds) {
    pcm.set(sound.pcm, at);
    at += sound.pcm.length;
  }
  return { pcm, sampleRate };
}
