import { Resampler, resample } from '../../audio/resample.js';
import type { AudioRing } from '../../audio/ring.js';

/**
 * The audio of one growing segment of a stream, as the recogniser takes it. Partials ask again and again for a little
 * more of the same segment, so what was converted is kept.
 */
export class SegmentAudio {
  private readonly resampler: Resampler;
  private converted: Float32Array;
  private length = 0;
  private upTo: number;

  /** Position up to which the segment was read. */
  get to(): number {
    return this.upTo;
  }

  /**
   * @param from first sample in the ring
   * @param sampleRate of the ring, Hz
   * @param engineRate of the recogniser, Hz
   */
  constructor(
    private readonly ring: AudioRing,
    readonly from: number,
    sampleRate: number,
    engineRate: number,
  ) {
    this.resampler = new Resampler(sampleRate, engineRate);
    this.converted = new Float32Array(engineRate);
    this.upTo = from;
  }

  /** The segment up to a position of the ring, in [-1, 1]; valid until the next call. `to` never goes back. */
  read(to: number): Float32Array {
    if (to > this.upTo) {
      this.append(this.resampler.process(this.ring.read(this.upTo, to).pcm));
      this.upTo = to;
    }
    return this.converted.subarray(0, this.length);
  }

  private append(pcm: Int16Array): void {
    if (this.length + pcm.length > this.converted.length) {
      const larger = new Float32Array(2 * (this.length + pcm.length));
      larger.set(this.converted.subarray(0, this.length));
      this.converted = larger;
    }
    for (let i = 0; i < pcm.length; i++) this.converted[this.length + i] = pcm[i]! / 32768;
    this.length += pcm.length;
  }
}

/** A whole piece of PCM as the recogniser takes it. */
export function engineAudio(pcm: Int16Array, sampleRate: number, engineRate: number): Float32Array {
  return Float32Array.from(resample(pcm, sampleRate, engineRate), (sample) => sample / 32768);
}

/**
 * The middle of the quietest window in some PCM, where a cut does least harm.
 *
 * @param size of the window, samples
 * @returns a sample index; the length when the PCM is shorter than a window
 */
export function quietestPlace(pcm: Int16Array, size: number): number {
  let best = pcm.length;
  let least = Infinity;
  for (let begin = 0; begin + size <= pcm.length; begin += size >> 1) {
    let energy = 0;
    for (let i = begin; i < begin + size; i++) energy += pcm[i]! ** 2;
    if (energy < least) {
      least = energy;
      best = begin + (size >> 1);
    }
  }
  return best;
}
