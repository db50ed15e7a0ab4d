import wavefile from 'wavefile';
import { ParleyError, reasonOf } from '../errors.js';

/** A recording: one channel, `sampleRate` in Hz. */
export interface Recording {
  pcm: Int16Array;
  sampleRate: number;
}

/**
 * Reads a WAV file of any common sample format (8 to 32 bit, float, G.711, ADPCM); several channels are averaged.
 *
 * @param name the file's name, for the error
 * @param channel only this one, from 0
 * @throws ParleyError PARLEY_ERR_WAV_INVALID
 */
export function readWav(bytes: Uint8Array, name = 'WAV data', channel?: number): Recording {
  try {
    const wav = new wavefile.WaveFile(bytes);
    if (wav.bitDepth === '8m') wav.fromMuLaw('16');
    else if (wav.bitDepth === '8a') wav.fromALaw('16');
    else if (wav.bitDepth === '4') wav.fromIMAADPCM('16');
    else if (wav.bitDepth !== '16') wav.toBitDepth('16');
    const { numChannels, sampleRate } = formatOf(wav.fmt);
    const samples = wav.getSamples(true, Int16Array);
    if (channel === undefined || numChannels === 1) return { pcm: mixDown(samples, numChannels), sampleRate };
    const pcm = Int16Array.from(
      { length: Math.floor(samples.length / numChannels) },
      (_, n) => samples[n * numChannels + channel]!,
    );
    return { pcm, sampleRate };
  } catch (error) {
    throw new ParleyError('PARLEY_ERR_WAV_INVALID', { name, reason: reasonOf(error) }, { cause: error });
  }
}

/** A WAV file of one 16-bit channel. */
export function writeWav({ pcm, sampleRate }: Recording): Uint8Array {
  const wav = new wavefile.WaveFile();
  wav.fromScratch(1, sampleRate, '16', pcm);
  return wav.toBuffer();
}

/** Length of the header that {@link wavHeader} makes: the samples begin there. */
export const WAV_HEADER_BYTES = 44;

/** The header of a WAV file of 16-bit samples that is yet to grow; {@link setWavLength} tells it how long it has become. */
export function wavHeader(channels: number, sampleRate: number): Uint8Array {
  const wav = new wavefile.WaveFile();
  wav.fromScratch(channels, sampleRate, '16', []);
  return wav.toBuffer();
}

/** Writes the length of the samples, bytes, into a header made by {@link wavHeader}. A WAV file knows no more than 4 GiB. */
export function setWavLength(header: Uint8Array, bytes: number): void {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const held = Math.min(bytes, 0xffff_ffff - WAV_HEADER_BYTES);
  view.setUint32(4, held + WAV_HEADER_BYTES - 8, true);
  view.setUint32(WAV_HEADER_BYTES - 4, held, true);
}

function formatOf(fmt: object): { numChannels: number; sampleRate: number } {
  const numChannels = 'numChannels' in fmt ? Number(fmt.numChannels) : 0;
  const sampleRate = 'sampleRate' in fmt ? Number(fmt.sampleRate) : 0;
  if (!(numChannels >= 1 && numChannels <= 64)) throw new Error(`${numChannels} channels`);
  if (!(sampleRate >= 1000 && sampleRate <= 384000)) throw new Error(`a sample rate of ${sampleRate} Hz`);
  return { numChannels, sampleRate };
}

function mixDown(interleaved: ArrayLike<number>, channels: number): Int16Array {
  const pcm = new Int16Array(Math.floor(interleaved.length / channels));
  for (let n = 0; n < pcm.length; n++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += interleaved[n * channels + channel]!;
    pcm[n] = Math.round(sum / channels);
  }
  return pcm;
}
